"""What the code asks of AWS, as it asks it, is what the roles of its instances allow. moto answers in this process."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.utils import parseaddr
from typing import Any

import boto3
import pytest
from botocore.client import BaseClient
from django.core.files import File
from django.core.mail import EmailMessage, get_connection
from moto import mock_aws

from accounts import exports
from classifier_site import backends
from classifier_site.object_storage import WHOLE, PrivateBucketStorage
from learn import explanation_files
from predictions import inbox_bucket, inbox_events, inbox_results, metadata, scaling, termination
from predictions.models import PICTURES
from tests.aws.server import CREDENTIALS
from tests.deploy.cloudformation import ACCOUNT, REGION, ROOT, Stack
from tests.deploy.iam import Request, allows, policy, scaling_group

STACK = Stack(InboxOwner="lab@example.edu")
BUCKET = f"convoscope-media-{ACCOUNT}-{REGION}"
EXPORTS, FIGURES = exports.FOLDER, explanation_files.FOLDER
PICTURE = f"{inbox_events.INBOX}a.png"

S3_ACTIONS = {
    "PutObject": "s3:PutObject",
    "CreateMultipartUpload": "s3:PutObject",
    "UploadPart": "s3:PutObject",
    "CompleteMultipartUpload": "s3:PutObject",
    "AbortMultipartUpload": "s3:AbortMultipartUpload",
    "GetObject": "s3:GetObject",
    "HeadObject": "s3:GetObject",
    "DeleteObject": "s3:DeleteObject",
}


def as_request(service: str, operation: str, asked: dict[str, Any]) -> Request:
    """A call of botocore as IAM is asked about it (docs.aws.amazon.com/service-authorization)."""
    if service == "s3" and operation == "ListObjectsV2":
        said = {"s3:prefix": asked["Prefix"]} if "Prefix" in asked else {}
        return Request("s3:ListBucket", f"arn:aws:s3:::{asked['Bucket']}", said)
    if service == "s3":
        return Request(S3_ACTIONS[operation], f"arn:aws:s3:::{asked['Bucket']}/{asked['Key']}")
    if service == "sesv2" and operation == "SendEmail" and "Raw" in asked["Content"]:
        address = parseaddr(asked["FromEmailAddress"])[1]
        identity = f"arn:aws:ses:{REGION}:{ACCOUNT}:identity/{address.partition('@')[2]}"
        return Request("ses:SendRawEmail", identity, {"ses:FromAddress": address})
    if service == "cloudwatch":
        return Request("cloudwatch:PutMetricData", "*", {"cloudwatch:namespace": asked["Namespace"]})
    if service == "sqs":
        action = {"ReceiveMessage": "sqs:ReceiveMessage", "DeleteMessageBatch": "sqs:DeleteMessage"}[
            operation
        ]
        return Request(action, f"arn:aws:sqs:{REGION}:{ACCOUNT}:{asked['QueueUrl'].rpartition('/')[2]}")
    if service == "autoscaling" and operation == "DescribeAutoScalingInstances":
        return Request("autoscaling:DescribeAutoScalingInstances", "*", {"aws:RequestedRegion": REGION})
    if service == "autoscaling":
        return Request(f"autoscaling:{operation}", *scaling_group("convoscope-worker"))
    raise AssertionError(f"No policy has heard of {service} {operation}.")


@dataclass
class Calls:
    """What was asked for, in the order in which it was."""

    made: list[Request] = field(default_factory=list)
    answers: dict[str, Any] = field(default_factory=dict)
    """What operations answer that moto could not answer without a whole fleet."""


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Iterator[Calls]:
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    found = Calls()
    original = BaseClient._make_api_call

    def recorded(client: Any, operation: str, asked: dict[str, Any]) -> Any:
        found.made.append(as_request(client.meta.service_model.service_name, operation, asked))
        if operation in found.answers:
            return found.answers[operation]
        return original(client, operation, asked)

    with mock_aws():
        client = boto3.client("s3", region_name=REGION)
        client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
        for key in (PICTURE, f"{EXPORTS}/ab/there", f"{FIGURES}/ab/there"):
            client.put_object(Bucket=BUCKET, Key=key, Body=b"there")
        with monkeypatch.context() as patch:
            patch.setattr(BaseClient, "_make_api_call", recorded)
            yield found


@pytest.fixture
def storage(calls: Calls, settings: Any, monkeypatch: pytest.MonkeyPatch) -> PrivateBucketStorage:
    settings.AWS_STORAGE_BUCKET_NAME = BUCKET
    settings.AWS_S3_REGION_NAME = REGION
    found = PrivateBucketStorage(**backends.storage(BUCKET, REGION, "")["OPTIONS"])
    monkeypatch.setattr(inbox_bucket, "default_storage", found)
    return found


def assert_allowed(role: str, made: list[Request], *actions: str) -> None:
    assert {request.action for request in made} == set(actions)
    document = policy(role, STACK)
    for request in made:
        assert allows(document, request), f"{role} may not {request}"


def test_web_may_store_show_and_sweep(calls, storage):
    name = storage.save(f"{PICTURES}/ab/picture.webp", File(io.BytesIO(b"a picture")))
    assert storage.open(name).read() == b"a picture"
    storage.probe(PICTURES)
    for folder in (PICTURES, EXPORTS, FIGURES):
        list(storage.listing(f"{folder}/ab"))
        storage.exists(f"{folder}/ab/there")
    list(storage.listing(EXPORTS))
    for kept in (f"{EXPORTS}/ab/there", f"{FIGURES}/ab/there"):
        storage.get_modified_time(kept)
        storage.open(kept).read()
        storage.delete(kept)
    storage.delete(name)
    assert_allowed("web", calls.made, "s3:PutObject", "s3:GetObject", "s3:ListBucket", "s3:DeleteObject")


def test_workers_may_write_figures_and_archives_and_sweep(calls, storage):
    for folder in (PICTURES, EXPORTS, FIGURES):
        name = storage.save(f"{folder}/ab/new", File(io.BytesIO(b"new")))
        assert storage.open(name).read() == b"new"
        list(storage.listing(f"{folder}/ab"))
        storage.delete(name)
    large = storage.save(f"{EXPORTS}/large.zip", File(io.BytesIO(bytes(WHOLE + 1))))
    assert storage.size(large) == WHOLE + 1
    assert_allowed("worker", calls.made, "s3:PutObject", "s3:GetObject", "s3:ListBucket", "s3:DeleteObject")


@pytest.mark.parametrize(("role", "folder"), [("web", PICTURES), ("worker", EXPORTS), ("worker", FIGURES)])
def test_an_upload_that_fails_leaves_no_parts_behind(calls, storage, monkeypatch, role, folder):
    class Failing(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            if calls.made[-1].action == "s3:PutObject":
                raise OSError("the disk went away")
            return super().read(size)

    content = File(Failing(bytes(WHOLE * 2)))
    content.size = WHOLE * 2
    with pytest.raises(OSError, match="went away"):
        storage.save(f"{folder}/ab/broken", content)
    assert calls.made[-1].action == "s3:AbortMultipartUpload"
    assert_allowed(role, calls.made, "s3:ListBucket", "s3:PutObject", "s3:AbortMultipartUpload")


def test_workers_may_take_from_the_inbox_and_answer_in_the_outbox(calls, storage, settings):
    calls.answers["ReceiveMessage"] = {"Messages": [{"ReceiptHandle": "1", "Body": "{}"}]}
    calls.answers["DeleteMessageBatch"] = {}
    settings.INBOX_QUEUE_URL = STACK.variables("WorkerEnvironment")["INBOX_QUEUE_URL"]
    client = inbox_bucket.s3()
    etag = client.head_object(Bucket=BUCKET, Key=PICTURE)["ETag"].strip('"')
    inbox_bucket.delete(inbox_bucket.receive(10, 0))
    assert inbox_bucket.read(client, PICTURE, etag) == b"there"
    for version in ("1", "2"):
        key = f"{inbox_results.OUTBOX}a.png.json"
        assert inbox_bucket.write(client, key, b"{}", version, replace=True)
    inbox_bucket.remove(client, PICTURE, etag)
    asked = {(request.action, request.resource.partition("/")[2].partition("/")[0]) for request in calls.made}
    assert asked == {
        ("sqs:ReceiveMessage", ""),
        ("sqs:DeleteMessage", ""),
        ("s3:GetObject", "inbox"),
        ("s3:PutObject", "outbox"),
        ("s3:GetObject", "outbox"),
        ("s3:DeleteObject", "inbox"),
    }
    assert_allowed("worker", calls.made, *(action for action, _folder in asked))


def test_web_may_send_mails_from_the_sites_address(calls, settings):
    settings.EMAIL_SES_REGION = REGION
    calls.answers["SendEmail"] = {}
    sender = STACK.variables("WebEnvironment")["DEFAULT_FROM_EMAIL"]
    backend = "classifier_site.mail.SesBackend"
    message = EmailMessage("Confirm", "Follow the link.", sender, ["student@example.edu"])
    assert get_connection(backend).send_messages([message]) == 1
    assert_allowed("web", calls.made, "ses:SendRawEmail")


@pytest.mark.parametrize("role", ["web", "worker"])
def test_both_may_publish_what_waits(calls, settings, monkeypatch, role):
    settings.CLOUDWATCH_NAMESPACE = STACK.variables("WebEnvironment")["CLOUDWATCH_NAMESPACE"]
    monkeypatch.setattr(scaling, "_client", None)
    scaling.publish(scaling.Load(queued=3, oldest=1.0, backlog=2.0, workers=1, failed=0))
    monkeypatch.setattr(scaling, "_client", None)
    assert_allowed(role, calls.made, "cloudwatch:PutMetricData")


@pytest.mark.parametrize("action", ["complete_lifecycle_action", "record_lifecycle_action_heartbeat"])
def test_workers_may_say_the_last_word(calls, settings, monkeypatch, action):
    settings.TERMINATION_HOOK = "convoscope-finish"
    monkeypatch.setattr(metadata, "region", lambda: REGION)
    monkeypatch.setattr(metadata, "text", lambda path: "i-0123456789abcdef0")
    name = "".join(part.capitalize() for part in action.split("_"))
    mine = {"AutoScalingGroupName": "awseb-e-abc-stack-AWSEBAutoScalingGroup-X"}
    calls.answers |= {"DescribeAutoScalingInstances": {"AutoScalingInstances": [mine]}, name: {}}
    details = {"LifecycleActionResult": "CONTINUE"} if action.startswith("complete") else {}
    termination._auto_scaling(action, **details)
    assert_allowed("worker", calls.made, "autoscaling:DescribeAutoScalingInstances", f"autoscaling:{name}")


def test_the_code_speaks_to_no_other_service_of_aws():
    asks = re.compile(r"\.(?:client|resource)\(\s*\"(\w+)\"")
    found = set()
    for folder in ("accounts", "classifier_site", "learn", "ml", "predictions"):
        for path in (ROOT / folder).rglob("*.py"):
            found |= set(asks.findall(path.read_text()))
    assert found == {"s3", "sesv2", "cloudwatch", "autoscaling", "sqs"}
