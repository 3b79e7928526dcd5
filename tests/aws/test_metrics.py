"""What CloudWatch is sent: once a minute, in one request, and never at the cost of anything else."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from classifier_site.environment import Environment
from predictions import scaling, timers
from predictions.jobs import Heartbeat
from predictions.models import Prediction
from tests.aws.server import client
from tests.factories import make_runs, make_user
from tests.services import free_port

NAMESPACE = "Convoscope/tests"


@pytest.fixture
def published(moto: str, settings: Any, monkeypatch: pytest.MonkeyPatch, aws_credentials: None) -> Any:
    """Asks CloudWatch for what it was sent: name -> values."""
    settings.CLOUDWATCH_NAMESPACE = NAMESPACE
    monkeypatch.setenv("AWS_ENDPOINT_URL_CLOUDWATCH", moto)
    monkeypatch.setattr(scaling, "_client", None)
    monkeypatch.setattr(scaling, "_outage", timers.Outage("Metrics"))
    cloudwatch = client("cloudwatch", moto)

    def ask() -> dict[str, list[float]]:
        now = datetime.now(UTC)
        found: dict[str, list[float]] = {}
        for metric in cloudwatch.list_metrics(Namespace=NAMESPACE)["Metrics"]:
            assert metric["Dimensions"] == []
            points = cloudwatch.get_metric_statistics(
                Namespace=NAMESPACE,
                MetricName=metric["MetricName"],
                StartTime=now - timedelta(minutes=5),
                EndTime=now + timedelta(minutes=5),
                Period=60,
                Statistics=["Sum"],
            )["Datapoints"]
            found[metric["MetricName"]] = [point["Sum"] for point in points]
        return found

    return ask


@pytest.mark.django_db
@pytest.mark.usefixtures("small_networks", "no_wake_ups")
def test_one_request_says_everything(published: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    make_runs(make_user(), pictures=4, models=("tiny",))
    Prediction.objects.update(priority=30)
    Heartbeat.objects.create(name="a:1", queues="predictions", rates={"tiny": 2.0})
    requests: list[Any] = []
    scaling._cloudwatch().meta.events.register(
        "before-call.cloudwatch.PutMetricData", lambda **details: requests.append(details)
    )
    timers.run_due()
    timers.run_due()
    assert len(requests) == 1
    assert published() == {
        "QueuedRows": [4.0],
        "OldestAge": [0.0],
        "BacklogPerWorker": [2.0],
        "Workers": [1.0],
        "FailedRows": [0.0],
    }


@pytest.mark.django_db
def test_cloudwatch_being_away_is_said_once_costs_little_and_stops_nothing(
    published: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, moto: str
) -> None:
    caplog.set_level("INFO")
    monkeypatch.setenv("AWS_ENDPOINT_URL_CLOUDWATCH", f"http://127.0.0.1:{free_port()}")
    begun = time.monotonic()
    scaling.report()
    scaling.report()
    assert time.monotonic() - begun < 5
    monkeypatch.setattr(scaling, "_client", None)
    monkeypatch.setenv("AWS_ENDPOINT_URL_CLOUDWATCH", moto)
    scaling.report()
    scaling.report()
    said = [record.getMessage() for record in caplog.records if "Metrics" in record.getMessage()]
    assert said == [
        "Metrics: put off until it works again (EndpointConnectionError).",
        "Metrics: it works again.",
    ]
    assert published()["Workers"] == [0.0]


@pytest.mark.django_db
def test_a_machine_that_may_not_publish_says_so(
    published: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from botocore.exceptions import ClientError

    def refused(load: Any) -> None:
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": "arn:aws:…"}}, "PutMetricData")

    monkeypatch.setattr(scaling, "publish", refused)
    scaling.report()
    assert "Metrics: put off until it works again (ClientError AccessDenied)." in caplog.text


@pytest.mark.parametrize("name", ["Convoscope/exam 1", "Ü", "a" * 256])
def test_a_namespace_that_cloudwatch_would_refuse_is_refused_first(name: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="CLOUDWATCH_NAMESPACE is"):
        Environment({"CLOUDWATCH_NAMESPACE": name}).name("CLOUDWATCH_NAMESPACE", ".-_/#:", longest=255)
