"""SQS as the queue, on moto over HTTP: publishing, receiving, outages, what /readyz asks, and what it may do."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from celery import Celery
from django.core.exceptions import ImproperlyConfigured
from kombu import pools
from kombu.asynchronous import Hub, set_event_loop
from kombu.exceptions import OperationalError

import classifier_site.celery  # noqa: F401  (registers the transport)
from classifier_site import backends, health, sqs
from classifier_site.environment import Environment
from tests.aws.inboxes import make_queue, png
from tests.aws.proxy import S3Proxy
from tests.aws.relay import Relay, running_relay
from tests.aws.server import CREDENTIALS, REGION, client
from tests.services import ROOT, LiveStack, wait_until

POLICY = ROOT / "deploy" / "policies" / "sqs-broker.json"
ACCOUNT = "123456789012"


def options(tmp_path: Path, **variables: str) -> dict[str, Any]:
    """What the site tells kombu."""
    made = backends.queue("sqs://", tmp_path, Environment(variables))
    assert made["CELERY_WORKER_ENABLE_REMOTE_CONTROL"] is False
    told: dict[str, Any] = made["CELERY_BROKER_TRANSPORT_OPTIONS"]
    return told


@pytest.fixture
def relay(moto: str, aws_credentials: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Relay]:
    with running_relay(moto) as relay:
        monkeypatch.setenv("AWS_ENDPOINT_URL_SQS", relay.url)
        yield relay


@pytest.fixture
def application(relay: Relay, tmp_path: Path, settings: Any) -> Iterator[Callable[..., Celery]]:
    """``application(**variables)``: an application with the site's own settings for SQS."""
    made: list[Celery] = []

    def make(**variables: str) -> Celery:
        app = Celery("producer", broker="sqs://", set_as_current=False)
        app.conf.update(
            broker_transport_options=options(tmp_path, **variables),
            task_publish_retry=settings.CELERY_TASK_PUBLISH_RETRY,
            broker_connection_timeout=settings.CELERY_BROKER_CONNECTION_TIMEOUT,
            task_default_queue=settings.CELERY_TASK_DEFAULT_QUEUE,
            task_ignore_result=True,
        )
        made.append(app)
        return app

    yield make
    for app in made:
        app.close()
    # kombu keeps connections for whoever has the same settings, at the address of another test's relay.
    pools.reset()


# --- settings ----------------------------------------------------------------------------------------------


def test_every_queue_that_messages_go_to_is_among_those_that_the_settings_name(
    tmp_path: Path, settings: Any
) -> None:
    routed = {route["queue"] for route in settings.CELERY_TASK_ROUTES.values()}
    assert set(backends.QUEUES) == routed | {settings.CELERY_TASK_DEFAULT_QUEUE}
    base = f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}"
    made = options(tmp_path, SQS_QUEUES_URL=f"{base}/", SQS_QUEUE_PREFIX="exam-")
    assert made["predefined_queues"]["exam-lab"] == {"url": f"{base}/exam-lab"}
    assert len(made["predefined_queues"]) == len(backends.QUEUES)
    assert "predefined_queues" not in options(tmp_path)


@pytest.mark.parametrize(
    ("variables", "bucket", "says"),
    [
        (
            {"INBOX_QUEUE_URL": "https://sqs/1/q", "INBOX_OWNER": "a@example.com"},
            "",
            "AWS_STORAGE_BUCKET_NAME",
        ),
        ({"INBOX_QUEUE_URL": "https://sqs/1/q"}, "b", "INBOX_OWNER"),
        ({"INBOX_QUEUE_URL": "convoscope-inbox"}, "b", "INBOX_QUEUE_URL"),
    ],
)
def test_an_inbox_that_is_set_by_half_is_refused_in_one_sentence(
    variables: dict[str, str], bucket: str, says: str
) -> None:
    with pytest.raises(ImproperlyConfigured, match=says):
        backends.inbox(Environment(variables), bucket)
    assert backends.inbox(Environment({}), "") == ("", "")


# --- publishing and receiving ------------------------------------------------------------------------------


def test_a_wake_up_makes_its_queue_and_lies_in_it_without_any_data(
    application: Callable[..., Celery], moto: str
) -> None:
    application().send_task("predictions.predict")
    there = client("sqs", moto)
    (url,) = there.list_queues()["QueueUrls"]
    assert url.endswith("/convoscope-predictions")
    attributes = there.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert (attributes["VisibilityTimeout"], attributes["MessageRetentionPeriod"]) == ("75", "3600")
    assert attributes["ApproximateNumberOfMessages"] == "1"


@pytest.mark.parametrize("outage", ["closed", "silent"])
def test_publishing_into_an_outage_ends_within_1_5_s_and_works_again_after_it(
    application: Callable[..., Celery], relay: Relay, outage: str
) -> None:
    known, fresh = application(), application(SQS_QUEUE_PREFIX="another-")
    known.send_task("predictions.predict")
    (relay.close if outage == "closed" else relay.hush)()
    # One that has published before, and one that has to find the queue first.
    for app in (known, fresh, known):
        started = time.monotonic()
        with pytest.raises(OperationalError):
            app.send_task("predictions.predict")
        assert time.monotonic() - started < 1.5
    relay.open()
    known.send_task("predictions.predict")
    fresh.send_task("predictions.predict")


class Receiving:
    """The part of a worker's parent that takes messages, turned by hand."""

    def __init__(self, app: Celery) -> None:
        self.hub = Hub()
        set_event_loop(self.hub)
        self.got: list[str] = []
        link = app.connection_for_read()
        link.transport.register_with_event_loop(link.connection, self.hub)
        self.consumer = app.amqp.TaskConsumer(link.default_channel, on_message=self._take, accept=["json"])
        self.consumer.consume()
        self._turns = self.hub.create_loop()

    def _take(self, message: Any) -> None:
        self.got.append(message.headers["task"])
        message.ack()

    def until(self, condition: Callable[[], object], seconds: float = 15.0) -> None:
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, self.got
            next(self._turns)

    def close(self) -> None:
        self.hub.close()
        set_event_loop(None)


def test_a_receiver_outlives_an_outage_which_kombus_own_does_not(
    application: Callable[..., Celery], relay: Relay, caplog: Any
) -> None:
    caplog.set_level(logging.INFO, "classifier_site.sqs")
    app, sender = application(), application()
    app.conf.broker_transport_options |= {"wait_time_seconds": 1, "polling_interval": 0.1}
    receiving = Receiving(app)
    try:
        sender.send_task("predictions.first")
        receiving.until(lambda: receiving.got)
        relay.close()
        receiving.until(lambda: "none for now" in caplog.text)
        relay.open()
        sender.send_task("predictions.second")
        receiving.until(lambda: len(receiving.got) == 2)
    finally:
        receiving.close()
    assert receiving.got == ["predictions.first", "predictions.second"]
    assert len(caplog.records) == 2


# --- what it asks ------------------------------------------------------------------------------------------


def test_the_probe_of_the_broker_asks_sqs_and_gives_up_within_its_second(
    application: Callable[..., Celery], relay: Relay, settings: Any, monkeypatch: Any
) -> None:
    app = application()
    settings.CELERY_BROKER_URL = "sqs://"
    monkeypatch.setattr("classifier_site.celery.app", app)

    def ask() -> str:
        return str(health.run_probes({"broker of sqs": health._broker})["broker of sqs"])

    app.send_task("predictions.predict")
    relay.actions.clear()
    assert ask() == "ok"
    assert "GetQueueAttributes" in relay.actions
    relay.close()
    assert "does not work" in ask()
    relay.open()
    assert ask() == "ok"
    relay.hush()
    started = time.monotonic()
    assert ask() != "ok"
    assert time.monotonic() - started < 1.3


def test_the_policy_allows_what_is_asked_of_queues_that_exist_and_two_actions_more_make_them(
    application: Callable[..., Celery], relay: Relay, moto: str
) -> None:
    (statement,) = json.loads(POLICY.read_text())["Statement"]
    allowed = {action.removeprefix("sqs:") for action in statement["Action"]}

    def used(**variables: str) -> set[str]:
        app = application(**variables)
        app.conf.broker_transport_options |= {"wait_time_seconds": 1}
        relay.actions.clear()
        app.send_task("predictions.predict")
        sqs.ask(app)
        receiving = Receiving(app)
        try:
            receiving.until(lambda: receiving.got)
        finally:
            receiving.close()
        return set(relay.actions)

    making = used()
    assert making - allowed == {"ListQueues", "CreateQueue"}
    for queue in backends.QUEUES:
        client("sqs", moto).create_queue(QueueName=f"convoscope-{queue}")
    existing = used(SQS_QUEUES_URL=f"{relay.url}/{ACCOUNT}")
    # Beside what is asked here: a worker that ends gives back what it had not begun.
    assert existing == allowed - {"ChangeMessageVisibility"}
    assert {name.rpartition("-")[2] for name in statement["Resource"]} == set(backends.QUEUES)


# --- the whole site ----------------------------------------------------------------------------------------


def test_the_site_with_sqs_answers_a_picture_of_the_inbox_before_and_after_an_outage(
    moto: str,
    proxy: S3Proxy,
    bucket: str,
    s3: Any,
    networks_to_copy: Path,
    live_stack: Callable[..., LiveStack],
) -> None:
    queue = make_queue(moto, s3, bucket)
    with running_relay(moto) as relay:
        stack = live_stack(
            broker="sqs://",
            DJANGO_SETTINGS_MODULE="tests.aws.sqs_site",
            **CREDENTIALS,
            AWS_ENDPOINT_URL_SQS=relay.url,
            AWS_STORAGE_BUCKET_NAME=bucket,
            AWS_S3_REGION_NAME=REGION,
            AWS_S3_ENDPOINT_URL=proxy.url,
            INBOX_QUEUE_URL=queue,
            INBOX_OWNER="bulk@example.com",
            ML_ARTIFACTS_DIR=str(networks_to_copy),
        )
        stack.python(
            "from accounts.models import User; User.objects.create_user('bulk@example.com', 'long enough 1')"
        )
        answered(s3, bucket, stack, "first")
        relay.close()
        wait_until(lambda: stack.status("/readyz") == 503, 10, "/readyz noticing")
        assert json.loads(stack.body("/readyz"))["broker"] != "ok"
        wait_until(lambda: "there are none for now" in stack.log("worker1"), 30, "the worker noticing")
        relay.open()
        answered(s3, bucket, stack, "second")
        assert stack.status("/readyz") == 200
        # While SQS is there, which a worker tells that it goes.
        stack.stop()


def answered(s3: Any, bucket: str, stack: LiveStack, name: str) -> None:
    s3.put_object(Bucket=bucket, Key=f"inbox/{name}.png", Body=png())

    def there() -> bool:
        return bool(s3.list_objects_v2(Bucket=bucket, Prefix=f"outbox/{name}").get("Contents"))

    wait_until(there, 60, f"the answer of the {name}\n{stack.log('worker1')}", pause=0.2)
    body = s3.get_object(Bucket=bucket, Key=f"outbox/{name}.png.json")["Body"].read()
    assert SimpleNamespace(**json.loads(body)).label == "red"
