"""A picture that looks like a removed one: taken in, out of sight, told to its sender, and answered once released."""

from __future__ import annotations

import uuid
from typing import Any

import numpy as np
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from PIL import Image, ImageDraw

from accounts.models import ModerationEntry, User
from predictions import inference, moderation, quotas, removal, samples, services
from predictions.batch_table import table_of
from predictions.fingerprint import fingerprint
from predictions.images import prepare
from predictions.models import Batch, Job, Prediction, RemovedPicture, Upload
from tests import pictures
from tests.factories import make_user

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("small_networks", "no_wake_ups")]

API = "/api/v1/predictions/"
DRAFT = "/predict/draft/"
JSON = {"HTTP_ACCEPT": "application/json"}


def drawing(seed: int) -> Image.Image:
    """Shapes placed by chance, so that every seed is another picture."""
    rng = np.random.default_rng(seed)
    picture = Image.new("RGB", (120, 80), tuple(map(int, rng.integers(0, 256, 3))))
    pen = ImageDraw.Draw(picture)
    for number in range(16):
        left, top = int(rng.integers(0, 110)), int(rng.integers(0, 70))
        box = [left, top, left + int(rng.integers(8, 50)), top + int(rng.integers(8, 50))]
        (pen.ellipse if number % 2 else pen.rectangle)(box, fill=tuple(map(int, rng.integers(0, 256, 3))))
    return picture


def file(picture: Image.Image, name: str = "drawing.png") -> SimpleUploadedFile:
    kind = "JPEG" if name.endswith(".jpg") else "PNG"
    return SimpleUploadedFile(name, pictures.encoded(picture, kind))


def prepared(seed: int, name: str = "drawing.png") -> Any:
    return prepare(pictures.encoded(drawing(seed), "PNG"), name)


@pytest.fixture
def removed() -> str:
    """The fingerprint of drawing 1, which moderators removed."""
    return RemovedPicture.objects.create(fingerprint=fingerprint(drawing(1))).fingerprint


def answer() -> None:
    while inference.drain():
        pass


def test_removing_a_picture_holds_it_when_anybody_sends_it_again(user, moderator):
    first = services.submit(make_user(), [prepared(1)])
    moderation.remove(moderator, [first.runs[0].upload], "Shows a minor")
    again = services.submit(user, [prepared(1, "other-name.png")])
    assert [type(entry) for entry in again.entries] == [services.RejectedPicture]
    assert again.entries[0].code == "held_for_review"
    assert Upload.objects.get().held


def test_what_is_held_is_kept_hidden_not_computed_and_logged(user, removed):
    submission = services.submit(user, [prepared(1)])
    upload = Upload.objects.get()
    assert upload.held
    assert upload.hidden is not None
    runs = Prediction.objects.all()
    assert {run.status for run in runs} == {Job.Status.QUEUED}
    assert all(run.deleted is not None for run in runs)
    assert not Prediction.objects.waiting().exists()
    answer()
    assert not Prediction.objects.exclude(status=Job.Status.QUEUED).exists()
    removal.purge()
    removal.sweep_orphans()
    assert Upload.objects.count() == 1
    assert submission.batch.rejected[0]["upload"] == str(upload.pk)
    entry = ModerationEntry.objects.get()
    assert (entry.actor, entry.account, entry.action, entry.picture) == (None, user, "hold", upload.pk)


def test_once_released_everything_that_was_asked_is_answered(user, moderator, removed):
    bars = services.submit(user, [prepared(2), prepared(1)], ["tiny", "small"])
    assert [type(entry).__name__ for entry in bars.entries] == ["Prediction", "Prediction", "RejectedPicture"]
    held = Upload.objects.get(held=True)
    moderation.release(moderator, [held], "Another picture")
    answer()
    batch = Batch.objects.get()
    assert batch.rejected == []
    assert {run.status for run in batch.predictions.all()} == {Job.Status.DONE}
    table = table_of(user, batch.pk)
    assert [row.filename for row in table.rows] == ["drawing.png", "drawing.png"]
    positions = batch.predictions.visible().order_by("position").values_list("position", "upload")
    assert [place for place, _upload in positions] == [0, 1, 2, 3]
    assert [upload for _place, upload in positions][2:] == [held.pk, held.pk]


def test_with_bars_the_clean_runs_wait_as_well(user, moderator, removed):
    from predictions.corruption import parse_bars

    services.submit(user, [prepared(1)], ["tiny"], parse_bars([[0.1, 0.1, 0.2, 0.2]]))
    assert not Prediction.objects.visible().exists()
    moderation.release(moderator, Upload.objects.all(), "")
    answer()
    covered, clean = Prediction.objects.order_by("-covered")
    assert (covered.status, clean.status, covered.clean_run, clean.asked) == ("done", "done", clean, False)


def test_a_hash_that_collides_costs_a_review_and_nothing_else(user, moderator):
    # Another picture altogether was removed, and has this one's fingerprint.
    RemovedPicture.objects.create(fingerprint=fingerprint(drawing(7)))
    services.submit(user, [prepared(7)], ["tiny"])
    services.submit(user, [prepared(8)], ["tiny"])
    assert Prediction.objects.of(user).count() == 1
    moderation.release(moderator, Upload.objects.filter(held=True), "Looked at")
    assert Prediction.objects.of(user).count() == 2
    assert RemovedPicture.objects.count() == 1


def test_a_picture_without_a_fingerprint_is_never_held(user):
    RemovedPicture.objects.create(fingerprint="")
    flat = prepare(pictures.encoded(Image.new("RGB", (60, 60), (9, 90, 9)), "PNG"), "flat.png")
    assert services.submit(user, [flat], ["tiny"]).runs


# --- how it is told ----------------------------------------------------------------------------------------


def test_a_draft_is_refused_with_the_reason_and_answered_after_its_release(
    page: Client, user, moderator, removed
):
    told = page.post(DRAFT, {"image": file(drawing(1))}, **JSON)
    assert (told.status_code, told.json()["error"]["code"]) == (422, "held_for_review")
    assert "a moderator looks at it first" in told.json()["error"]["message"]
    held = Upload.objects.get()
    assert page.get(reverse("predictions:picture", args=[held.pk])).status_code == 404
    moderation.release(moderator, [held], "")
    answer()
    assert "drawing.png" in page.get(reverse("predictions:history")).content.decode()
    assert page.post(DRAFT, {"image": file(drawing(2))}, **JSON).status_code == 201


def test_the_same_picture_sent_again_while_it_is_held_is_the_same_one(page: Client, user, moderator, removed):
    for _time in range(3):
        assert page.post(DRAFT, {"image": file(drawing(1))}, **JSON).status_code == 422
    sent = {"image": file(drawing(1)), "model": ["tiny"], "key": str(uuid.uuid4())}
    assert page.post(reverse("predictions:predict"), sent).status_code == 422
    held = Upload.objects.get()
    assert ModerationEntry.objects.count() == 1
    # Somebody else's is another one, and each is told.
    assert services.submit(moderator, [prepared(1)]).runs == []
    assert Upload.objects.filter(held=True).count() == 2
    moderation.release(moderator, [held], "")
    assert {batch.pk for batch in Batch.objects.filter(rejected=[])} == set(
        held.predictions.values_list("batch", flat=True)
    )


def test_the_form_says_so_for_one_picture_and_the_batch_for_several(page: Client, user, removed):
    one = page.post(reverse("predictions:predict"), {"image": file(drawing(1)), "model": ["tiny"]})
    assert one.status_code == 422
    assert "a moderator looks at it first" in one.content.decode()
    several = {"image": [file(drawing(1), "kept-back.png"), file(drawing(2))], "model": ["tiny"]}
    answered = page.post(reverse("predictions:predict"), several, follow=True)
    shown = answered.content.decode()
    assert answered.redirect_chain[-1][0].startswith("/batches/")
    assert "kept-back.png" in shown
    assert "a moderator looks at it first" in shown


def test_a_batch_of_which_all_is_held_has_its_page(page: Client, user, removed):
    submission = services.submit(user, [prepared(1, "a.png"), prepared(1, "b.png")])
    address = submission.batch.get_absolute_url()
    shown = page.get(address).content.decode()
    assert all(name in shown for name in ("a.png", "b.png"))
    rows = page.get("/api/v1/batches/").json()["results"]
    assert [row["counts"]["rejected"] for row in rows] == [2]


def test_the_same_submission_again_is_told_the_same(user, moderator, removed):
    key = str(uuid.uuid4())
    first = services.submit(user, [prepared(1), prepared(2)], ["tiny"], key=key)
    again = services.submit(user, [prepared(1), prepared(2)], ["tiny"], key=key)
    assert again.repeated
    assert [type(entry) for entry in again.entries] == [type(entry) for entry in first.entries]
    moderation.release(moderator, Upload.objects.filter(held=True), "")
    released = services.submit(user, [prepared(1), prepared(2)], ["tiny"], key=key)
    assert [run.upload.fingerprint for run in released.runs] == [
        fingerprint(drawing(seed)) for seed in (1, 2)
    ]


def test_the_api_names_it_in_its_place_and_refuses_it_alone(page: Client, user, removed):
    alone = page.post(API, {"image": file(drawing(1))})
    assert (alone.status_code, alone.json()["error"]["code"]) == (422, "held_for_review")
    sent = {"image": [file(drawing(2), "good.png"), file(drawing(1), "held.png")], "model": ["tiny", "small"]}
    both = page.post(API, sent)
    assert both.status_code == 202
    entries = both.json()["results"]
    assert [entry["status"] for entry in entries] == ["queued", "queued", "rejected"]
    assert (entries[2]["id"], entries[2]["model"], entries[2]["filename"]) == (None, None, "held.png")
    assert entries[2]["error"]["code"] == "held_for_review"
    listed = page.get(API, {"batch": both.json()["batch"]}).json()["results"]
    assert {entry["filename"] for entry in listed} == {"good.png"}
    replayed = page.post(API, {"image": file(drawing(1))}, headers={"Idempotency-Key": "k"})
    assert replayed.status_code == 422
    replayed = page.post(API, {"image": file(drawing(1))}, headers={"Idempotency-Key": "k"})
    assert (replayed.status_code, replayed.json()["error"]["code"]) == (422, "held_for_review")


# --- bounds ------------------------------------------------------------------------------------------------


def test_what_waits_for_a_review_has_a_bound(user, removed, monkeypatch):
    monkeypatch.setattr(quotas, "QUOTA_IN_FLIGHT", 3)
    services.submit(user, [prepared(1)])
    with pytest.raises(services.QuotaExceeded, match="wait for a moderator"):
        services.submit(user, [prepared(1)])
    assert Prediction.objects.count() == 2
    assert Upload.objects.count() == 1


def test_the_sites_own_pictures_are_not_held(client: Client, monkeypatch):
    RemovedPicture.objects.create(fingerprint=fingerprint(drawing(1)))
    monkeypatch.setattr(samples, "is_ours", lambda given: True)
    assert client.post(DRAFT, {"image": file(drawing(1))}, **JSON).status_code == 201


def test_a_guests_picture_is_held_too_and_counts(client: Client, removed):
    told = client.post(DRAFT, {"image": file(drawing(1))}, **JSON)
    assert told.json()["error"]["code"] == "held_for_review"
    guest = User.objects.get(is_guest=True)
    assert (guest.trials, guest.uploads.get().held) == (1, True)


def test_one_released_before_it_was_sent_again_is_asked_about_as_any_other(user, moderator, removed):
    services.submit(user, [prepared(1)], ["tiny"])
    stale = Upload.objects.get()
    moderation.release(moderator, [stale], "")
    assert stale.held
    assert services.submit(user, [stale], ["tiny"]).runs


def test_one_hidden_for_good_is_not_asked_about(user, moderator, removed):
    services.submit(user, [prepared(1)], ["tiny"])
    stale = Upload.objects.get()
    moderation.hide(moderator, [stale], "")
    with pytest.raises(services.PictureGone):
        services.submit(user, [stale], ["tiny"])
