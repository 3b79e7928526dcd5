"""Mail through Amazon SES, against moto's stand-in."""

from __future__ import annotations

import boto3
import pytest
from botocore.exceptions import ClientError
from django.core.mail import EmailMessage, get_connection
from moto import mock_aws
from moto.core import DEFAULT_ACCOUNT_ID
from moto.ses.models import ses_backends


@pytest.fixture
def ses(settings, monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    settings.EMAIL_SES_REGION = "eu-west-1"
    with mock_aws():
        boto3.client("sesv2", region_name="eu-west-1").create_email_identity(EmailIdentity="site@example.com")
        yield ses_backends[DEFAULT_ACCOUNT_ID]["eu-west-1"]


def message(sender="site@example.com", to=("a@example.com",)) -> EmailMessage:
    return EmailMessage("Hello", "Grüße", sender, list(to))


def connection(**options):
    return get_connection("classifier_site.mail.SesBackend", **options)


def test_a_mail_is_handed_over(ses):
    assert connection().send_messages([message(), message(to=())]) == 1
    [sent] = ses.sent_messages
    assert set(sent.destinations) == {"a@example.com"}


def test_a_refused_mail_is_an_error_unless_it_may_fail_silently(ses):
    with pytest.raises(ClientError):
        connection().send_messages([message(sender="stranger@example.org")])
    assert connection(fail_silently=True).send_messages([message(sender="stranger@example.org")]) == 0
