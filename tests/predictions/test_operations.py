"""The operations page: who may read it, and what an operator reads there."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import DataExport, User
from predictions import retention, services
from predictions.models import Heartbeat, Job, Prediction, Upload
from predictions.templatetags.operations_format import lasting
from tests.factories import finish, make_picture, make_runs, make_user
from tests.networks import make_artifact
from tests.predictions.operations_page import PAGE, failed, staff, text_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("small_networks", "no_wake_ups")]
PARTS = ["queue", "running", "throughput", "workers", "networks", "failures", "exports", "deletions"]


def older(runs: Any, seconds: float) -> None:
    Prediction.objects.filter(pk__in=[run.pk for run in runs]).update(
        created=timezone.now() - timedelta(seconds=seconds)
    )


def beat(name: str, ago: float = 1, **values: Any) -> None:
    seen = timezone.now() - timedelta(seconds=ago)
    Heartbeat.objects.create(name=name, seen=seen, started=seen - timedelta(hours=2), **values)


# --- who may -----------------------------------------------------------------------------------------------


def test_only_staff_who_may_see_the_workers_see_it(operator: Client) -> None:
    for address in (PAGE, f"{PAGE}now/"):
        assert operator.get(address).status_code == 200
        assert staff("change_prediction").get(address).status_code == 403
        other = Client()
        other.force_login(make_user())
        for client in (other, Client()):
            assert client.get(address).url.startswith(reverse("admin:login"))


def test_the_console_leads_to_it_for_those_who_may(operator: Client) -> None:
    assert PAGE in operator.get(reverse("admin:index")).content.decode()
    assert PAGE not in staff("view_upload").get(reverse("admin:index")).content.decode()


def test_seeing_it_is_not_enough_to_try_again() -> None:
    (run,) = make_runs(make_user(), models=("tiny",))
    failed(run)
    client = staff("view_heartbeat", "view_prediction")
    assert "Retry" not in text_of(client, "failures")
    assert client.post(f"{PAGE}retry/", {"only": run.pk}).status_code == 403
    run.refresh_from_db()
    assert run.status == Job.Status.FAILED


# --- queue and workers -------------------------------------------------------------------------------------


def test_the_queue_is_told_by_priority_and_by_network_with_its_oldest(operator: Client) -> None:
    one = make_runs(make_user(), models=("tiny",))
    many = make_runs(make_user(), pictures=3, models=("small",))
    older(one, 65)
    older(many, 3 * 3600 + 7 * 60)
    deleted = make_runs(make_user(), models=("tiny",))
    Prediction.objects.filter(pk=deleted[0].pk).hide()
    said = text_of(operator, "queue")
    assert "4 predictions wait, the oldest since 3 h 07 min." in said
    assert re.search(r"single \| \w+ \| 1 \| 1 min", said)
    assert re.search(r"bulk \| \w+ \| 3 \| 3 h 07 min", said)


def test_what_waits_since_it_was_tried_again_is_as_old_as_that(operator: Client) -> None:
    runs = make_runs(make_user(), models=("tiny",))
    older(runs, 100_000)
    Prediction.objects.update(retried=timezone.now() - timedelta(seconds=5))
    assert re.search(r"1 prediction waits, since [56] s\.", text_of(operator, "queue"))


def test_an_empty_site_says_so_everywhere(operator: Client) -> None:
    Heartbeat.objects.all().delete()
    said = {part: text_of(operator, part) for part in [*PARTS, "storage"]}
    assert "Nothing waits." in said["queue"]
    assert "Nothing is computed" in said["running"]
    assert "Nothing was answered" in said["throughput"]
    assert "No worker is known." in said["workers"]
    assert "Nothing failed." in said["failures"]
    assert "Nobody keeps a picture." in said["storage"]


def test_what_runs_is_told_with_its_process_and_what_is_overdue(operator: Client) -> None:
    make_runs(make_user(), pictures=2, models=("tiny",))
    Prediction.objects.claim(5, owner="host:77")
    said = text_of(operator, "running")
    assert re.search(r"host:77 \| \w+ \| 2 \| 1 \| \d s \| at work", said)
    Prediction.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert "overdue" in text_of(operator, "running")


def test_throughput_counts_what_was_done_and_what_failed(operator: Client) -> None:
    runs = make_runs(make_user(), pictures=7, models=("tiny",))
    for run in runs[:4]:
        finish(run)
    failed(*runs[4:6])
    Prediction.objects.filter(pk=runs[0].pk).update(
        started=timezone.now() - timedelta(hours=3), finished=timezone.now() - timedelta(hours=2)
    )
    Prediction.objects.filter(pk=runs[1].pk).update(
        started=timezone.now() - timedelta(minutes=31), finished=timezone.now() - timedelta(minutes=30)
    )
    rows = re.search(r"\w+ \| 3 \| 0\.1 \| 0\.4 \| 2 \| 0\.0 \| 0\.4", text_of(operator, "throughput"))
    assert rows


def test_workers_are_told_with_what_they_have_and_late_ones_in_words(operator: Client) -> None:
    beat("host:1", queues="archives,lab,predictions", models={"tiny": "tiny-1"}, rates={"tiny": 417.25})
    beat("host:2", ago=130, queues="predictions", models={})
    said = text_of(operator, "workers")
    assert re.search(
        r"host:1 \| alive \| \d s ago \| 2 h 00 min \| archives, lab, predictions \| tiny-1 \(417\.\d a second\)",
        said,
    )
    assert re.search(r"host:2 \| late \| 2 min ago \| 2 h 02 min \| predictions \| none", said)
    assert "No live worker takes" not in said


def test_a_queue_that_nobody_takes_from_is_named(operator: Client) -> None:
    beat("host:1", queues="predictions", models={"tiny": "tiny-1"})
    beat("host:2", ago=60, queues="archives,lab")
    said = text_of(operator, "workers")
    assert "No live worker takes from the queue “lab”." in said
    assert "No live worker takes from the queue “archives”." in said
    assert "the queue “predictions”" not in said


def versions() -> dict[str, str]:
    return {card.name: card.version for card in services.offered()}


def test_networks_are_compared_with_what_workers_loaded_and_what_answered(operator: Client) -> None:
    now = versions()
    beat("host:1", models=now)
    said = text_of(operator, "networks")
    assert said.count("in order") == 2
    assert f"{now['tiny']}, by 1 worker" in said
    beat("host:2", models={**now, "tiny": "tiny-before"})
    (run,) = make_runs(make_user(), models=("tiny",))
    finish(run)  # by version "test-1"
    said = text_of(operator, "networks")
    assert "Workers have another version" in said
    assert "1: test-1" in said
    assert "Another version has answered as well." in said


def test_a_network_that_no_live_worker_has_and_a_damaged_one_are_told(
    operator: Client, tmp_path: Any
) -> None:
    beat("host:1", ago=60, models=versions())
    assert text_of(operator, "networks").count("No live worker has loaded it.") == 2
    make_artifact(tmp_path / "artifacts", "broken", size=24)
    (tmp_path / "artifacts" / "broken" / "card.json").write_text("{")
    assert "is not a network" in text_of(operator, "networks")


def test_every_part_says_when_it_was_measured_and_comes_alone_too(operator: Client) -> None:
    before = timezone.now()
    for address, parts in ((PAGE, [*PARTS, "storage"]), (f"{PAGE}now/", PARTS)):
        content = operator.get(address).content.decode()
        times = re.findall(r'Measured at <time datetime="([^"]+)"', content)
        assert len(times) == len(parts)
        for one in times:
            measured = datetime.fromisoformat(one)
            assert before - timedelta(seconds=1) <= measured <= timezone.now()
        assert re.findall(r'<section class="module" id="(\w+)"', content) == parts
    assert "no-store" in operator.get(f"{PAGE}now/")["Cache-Control"]


# --- storage -----------------------------------------------------------------------------------------------


def test_storage_names_who_keeps_most_first_with_the_share_of_the_quota(operator: Client) -> None:
    ada, bob = make_user("ada@example.com"), make_user("bob@example.com")
    services.store_all(ada, [make_picture()])
    services.store_all(bob, [make_picture(), make_picture()])
    Upload.objects.filter(owner=bob).update(bytes=512 * 1024**2)
    said = text_of(operator, "storage")
    assert "3 pictures are kept, 1.0 GB together." in said
    assert "bob@example.com | 2 | 1.0 GB | 50" in said
    assert said.index("bob@") < said.index("ada@")


def test_storage_is_searched_by_e_mail_whatever_its_case(operator: Client) -> None:
    for name in ("ada", "bob"):
        services.store(make_user(f"{name}@example.com"), make_picture())
    said = text_of(operator, "storage", email=" ADA@ex")
    assert "ada@example.com" in said
    assert "bob@example.com" not in said
    assert "2 pictures are kept" in said
    assert "No account with pictures" in text_of(operator, "storage", email="nobody%")


def test_pictures_that_were_removed_because_of_their_age_take_no_storage(
    operator: Client, settings: Any
) -> None:
    settings.RETENTION_MONTHS = 1
    finish(make_runs(make_user("ada@example.com"), models=("tiny",))[0])
    then = timezone.now() - timedelta(days=100)
    Upload.objects.update(created=then)
    Prediction.objects.update(created=then)
    assert retention.sweep() == 1
    said = text_of(operator, "storage")
    assert "0 pictures are kept" in said
    assert "1 was removed because of its age." in said


def test_the_page_asks_as_much_of_the_database_for_many_as_for_few(operator: Client) -> None:
    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            operator.get(PAGE)
        return len(queries)

    failed(*make_runs(make_user(), models=("tiny",)))
    few = asked()
    for _ in range(5):
        owner = make_user()
        failed(*make_runs(owner, pictures=2))
        DataExport.objects.create(owner=owner)
        User.objects.filter(pk=owner.pk).update(deletion_due=timezone.now())
        beat(f"host:{owner.pk}", models={"tiny": "tiny-1"})
    assert asked() == few


# --- exports and deletions ---------------------------------------------------------------------------------


def test_archives_and_accounts_to_be_erased_are_listed(operator: Client) -> None:
    ada, bob = make_user("ada@example.com"), make_user("bob@example.com")
    DataExport.objects.create(owner=ada)
    User.objects.filter(pk=ada.pk).update(deletion_due=timezone.now() + timedelta(days=3))
    said = text_of(operator, "exports")
    assert "waiting: 1. The oldest waits since" in said
    assert "ada@example.com | waiting" in said
    said = text_of(operator, "deletions")
    assert "1 account waits." in said
    assert "should be erased by now" not in said
    User.objects.filter(pk=bob.pk).update(deletion_due=timezone.now() - timedelta(days=1))
    said = text_of(operator, "deletions")
    assert "1 account should be erased by now." in said
    assert said.index("bob@") < said.index("ada@")


# --- words -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("span", "says"),
    [
        (timedelta(seconds=8.9), "8 s"),
        (timedelta(minutes=3, seconds=59), "3 min"),
        (timedelta(hours=2, minutes=5), "2 h 05 min"),
        (timedelta(days=4, hours=1), "4 days"),
        (None, "–"),
    ],
)
def test_times_are_as_exact_as_it_matters(span: timedelta | None, says: str) -> None:
    assert lasting(span) == says


def test_whoever_may_not_see_accounts_or_predictions_reads_neither_addresses_nor_file_names() -> None:
    run = make_runs(make_user("ada@example.com"), models=("tiny",))[0]
    Prediction.objects.filter(pk=run.pk).update(
        status=Job.Status.FAILED, started=timezone.now(), finished=timezone.now(), error_code="engine_failed"
    )
    client = staff("view_heartbeat")
    page = client.get(PAGE, {"email": "ada@"}).content.decode()
    assert "ada@example.com" not in page
    assert run.upload.filename not in page
    assert f"account {run.owner_id}" in page
    assert str(run.pk) in page
