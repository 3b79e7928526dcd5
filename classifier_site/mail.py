"""E-mail through Amazon SES, with the credentials that boto3 finds (on AWS, the machine's own role)."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend

logger = logging.getLogger(__name__)


class SesBackend(BaseEmailBackend):
    def __init__(self, fail_silently: bool = False, **options: Any) -> None:
        super().__init__(fail_silently=fail_silently)
        import boto3  # here, because a site with another mail server need not load it

        self.client = boto3.client(
            "sesv2",
            region_name=settings.EMAIL_SES_REGION,  # type: ignore[misc]
            config=Config(connect_timeout=3, read_timeout=10, retries={"total_max_attempts": 2}),
        )

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        sent = 0
        for message in email_messages:
            recipients = message.recipients()
            if not recipients:
                continue
            try:
                self.client.send_email(
                    FromEmailAddress=message.from_email,
                    Destination={"ToAddresses": recipients},
                    Content={"Raw": {"Data": message.message().as_bytes()}},
                )
            except (BotoCoreError, ClientError):
                if not self.fail_silently:
                    raise
                logger.exception("SES did not take a message")
            else:
                sent += 1
        return sent
