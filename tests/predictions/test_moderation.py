"""What moderators do about pictures, and that a hidden one is gone from every place at the next request."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import exports
from accounts.models import ModerationEntry, User
from predictions import lifecycle, moderation, removal, services, sharing
from predictions.corruption import parse_bars
from predictions.models import Distribution, Label, Prediction, RemovedPicture, Upload
from tests.factories import finish, make_picture, make_runs, make_user
from tests.folders import files
from tests.predictions.moderating import WHY, logged, report_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("small_networks", "no_wake_ups")]


@pytest.fixture
def run(user: User) -> Prediction:
    """One answered run of the tiny network, of a picture with a fingerprint."""
    (made,) = make_runs(user, models=("tiny",))
    Upload.objects.filter(pk=made.upload_id).update(fingerprint="0f" * 8)
    classes = Label.objects.filter(network="tiny").count()
    Distribution.of(finish(made), [1 / classes] * classes).save()
    made.refresh_from_db()
    return made


# --- hidden everywhere, at the next request ----------------------------------------------------------------


def places(run: Prediction, other: Prediction, token: str) -> list[tuple[str, str]]:
    """Method and address of every place where the picture is shown or named."""
    return [
        ("get", f"/predictions/{run.pk}/"),
        ("get", f"/predictions/{run.pk}/status/"),
        ("get", f"/predictions/{run.pk}/input.png"),
        ("get", f"/pictures/{run.upload_id}/"),
        ("get", f"/pictures/{run.upload_id}/?size=thumb"),
        ("get", f"/predict/?upload={run.upload_id}"),
        ("post", f"/predictions/{run.pk}/again/"),
        ("get", f"/compare/?a={run.pk}&b={other.pk}"),
        ("get", f"/api/v1/predictions/{run.pk}/"),
        ("get", f"/api/v1/predictions/{run.pk}/image/"),
        ("get", f"/api/v1/predictions/{run.pk}/probabilities/"),
        ("post", f"/api/v1/predictions/{run.pk}/retry/"),
        ("get", f"/s/{token}/"),
        ("get", f"/s/{token}/preview.png"),
        ("get", f"/s/{token}/pictures/{run.upload_id}/"),
        ("get", f"/s/{token}/report/?picture={run.upload_id}"),
    ]


def test_a_hidden_picture_is_gone_everywhere_at_the_next_request(
    page: Client, user: User, moderator: User, run: Prediction
) -> None:
    other = finish(make_runs(user, models=("small",))[0])
    token = sharing.share(user, run=run).token
    before = {place: getattr(page, place[0])(place[1]) for place in places(run, other, token)}
    assert not [place for place, answer in before.items() if answer.status_code in (404, 500)]
    kept = {place: answer["ETag"] for place, answer in before.items() if answer.has_header("ETag")}
    assert len(kept) >= 5

    moderation.hide(moderator, [run.upload], WHY)

    for method, address in places(run, other, token):
        assert getattr(page, method)(address).status_code == 404, address
    # A browser that still has the picture asks whether it may go on using it.
    for (method, address), etag in kept.items():
        answer = getattr(page, method)(address, headers={"if-none-match": etag})
        assert answer.status_code == 404, address
    live = page.post("/predict/live/", {"draft": str(run.upload_id)})
    assert (live.status_code, live.json()["error"]["code"]) == (404, "picture_gone")
    sent = page.post(
        "/predict/", {"draft": str(run.upload_id), "model": "tiny"}, headers={"accept": "text/html"}
    )
    assert sent.status_code == 422


def test_a_hidden_picture_is_in_no_list(page: Client, user: User, moderator: User) -> None:
    hidden, kept = (finish(made) for made in make_runs(user, 2, models=("tiny",)))
    Upload.objects.filter(pk=hidden.upload_id).update(filename="secret.png")
    batch = hidden.batch_id
    shared = sharing.share(user, batch=batch).token
    lists = [
        "/history/",
        "/history/export.csv",
        "/history/activity/",
        f"/batches/{batch}/",
        f"/batches/{batch}/results.csv",
        f"/batches/{batch}/results.json",
        f"/s/{shared}/",
        "/api/v1/predictions/",
        f"/api/v1/batches/{batch}/results.json",
        "/api/v1/predictions/export.csv",
    ]

    def named(address: str) -> bool:
        answer = page.get(address)
        assert answer.status_code == 200, address
        text = b"".join(answer) if answer.streaming else answer.content
        return any(word.encode() in text for word in (str(hidden.pk), str(hidden.upload_id), "secret.png"))

    assert any(named(address) for address in lists)
    moderation.hide(moderator, [hidden.upload], WHY)
    assert [address for address in lists if named(address)] == []
    assert str(kept.pk) in page.get("/api/v1/predictions/").content.decode()
    assert page.get(f"/s/{shared}/pictures/{hidden.upload_id}/").status_code == 404
    assert page.get(f"/s/{shared}/pictures/{kept.upload_id}/").status_code == 200


def test_hiding_is_neither_purged_nor_undone_nor_counted_twice(
    user: User, moderator: User, run: Prediction, own_media: Path
) -> None:
    assert moderation.hide(moderator, [run.upload], WHY) == 1
    assert moderation.hide(moderator, [run.upload], WHY) == 0
    Prediction.objects.update(deleted=timezone.now() - timezone.timedelta(days=2))
    Upload.objects.update(created=timezone.now() - timezone.timedelta(days=2))
    assert (removal.purge(), removal.sweep_orphans()) == (0, 0)
    Prediction.objects.update(deleted=timezone.now())
    assert lifecycle.undo(user, [run.pk]) == 0
    assert len(files(own_media)) == 1
    assert logged() == [("hide", "moderator@example.com", run.upload_id, WHY)]


def test_shown_again_it_is_where_it_was(page: Client, moderator: User, run: Prediction) -> None:
    moderation.hide(moderator, [run.upload], WHY)
    assert moderation.show(moderator, [run.upload], "A mistake.") == 1
    assert moderation.show(moderator, [run.upload], "A mistake.") == 0
    assert page.get(f"/predictions/{run.pk}/").status_code == 200
    assert str(run.pk) in page.get("/history/").content.decode()
    assert [entry[0] for entry in logged()] == ["hide", "show"]


def test_what_its_owner_had_deleted_does_not_come_back(user: User, moderator: User, own_media: Path) -> None:
    deleted, kept = make_runs(user)
    lifecycle.delete(user, [deleted.pk])
    moderation.hide(moderator, [kept.upload], WHY)
    moderation.show(moderator, [kept.upload], "")
    assert list(Prediction.objects.of(user)) == [kept]
    # Nothing of it left: it is gone as its owner wanted.
    lifecycle.delete(user, [kept.pk])
    moderation.hide(moderator, [kept.upload], WHY)
    assert not Upload.objects.exists()
    assert files(own_media) == []


# --- while others are at it --------------------------------------------------------------------------------


def test_hidden_while_a_worker_computes_it_stays_hidden(moderator: User, user: User) -> None:
    running, waiting = make_runs(user, 2, models=("tiny",))
    claim, claimed = Prediction.objects.claim(1)
    assert claimed == [running]
    moderation.hide(moderator, [running.upload, waiting.upload], WHY)
    fields = {"artifact": "test-1", **Prediction.answer_fields("tiny", [(0, "", 0.9)])}
    assert Prediction.objects.finish_all(claim, {running.pk: fields}) == {running.pk}
    assert not Prediction.objects.of(user).exists()
    assert not Prediction.objects.waiting().exists()
    moderation.show(moderator, [running.upload, waiting.upload], "")
    assert Prediction.objects.of(user).get(status="done") == running
    assert list(Prediction.objects.waiting()) == [waiting]


def test_a_picture_hidden_while_it_is_sent_again_gets_no_new_predictions(
    user: User, moderator: User, run: Prediction
) -> None:
    stale = Upload.objects.get(pk=run.upload_id)
    moderation.hide(moderator, [run.upload], WHY)
    with pytest.raises(services.PictureGone):
        services.submit(user, [stale], ["tiny"])
    assert Prediction.objects.get() == run


def test_removed_while_its_page_is_read_it_is_gone_and_nothing_breaks(
    page: Client, user: User, moderator: User, run: Prediction, own_media: Path
) -> None:
    shown = sharing.find(sharing.share(user, run=run).token)
    assert shown is not None
    upload = shown.upload(run.upload_id)
    moderation.remove(moderator, [run.upload], WHY)
    assert upload is not None
    assert files(own_media) == []
    assert sharing.find(shown.share.token) is None
    with pytest.raises(moderation.NothingToReport):
        moderation.report(shown, upload, reason="minor", text="", reporter=None, reporter_key="x")


def test_the_second_of_two_moderators_is_told_what_the_first_one_decided(
    moderator: User, run: Prediction
) -> None:
    second = make_user("second@example.com", is_staff=True)
    report = report_of(run)
    assert moderation.dismiss(moderator, [report], "Harmless.") == 1
    assert moderation.dismiss(second, [report], "Harmless.") == 0
    with pytest.raises(moderation.AlreadyDecided):
        moderation.hide(second, [run.upload], WHY, report)
    with pytest.raises(moderation.AlreadyDecided):
        moderation.remove(second, [run.upload], WHY, report)
    assert Upload.objects.shown().get() == run.upload
    assert logged() == [("dismiss", "moderator@example.com", run.upload_id, "Harmless.")]


def test_hidden_by_one_and_removed_by_the_next_it_is_removed(moderator: User, run: Prediction) -> None:
    report = report_of(run)
    moderation.hide(moderator, [run.upload], WHY, report)
    assert moderation.dismiss(moderator, [report], "") == 0
    assert moderation.remove(make_user(is_staff=True), [run.upload], WHY, report) == 1
    assert moderation.remove(moderator, [run.upload], WHY, report) == 0
    report.refresh_from_db()
    assert (report.state, report.decided_by, report.upload) == ("upheld", moderator, None)
    assert [entry[0] for entry in logged()] == ["hide", "remove"]


# --- removed for good --------------------------------------------------------------------------------------


def test_removing_takes_rows_and_file_and_remembers_how_it_looked(
    moderator: User, user: User, run: Prediction, own_media: Path
) -> None:
    with_bars = services.submit(user, [run.upload], ["tiny"], parse_bars([[0, 0, 0.5, 0.5]]))
    assert with_bars.runs
    assert moderation.remove(moderator, [run.upload], WHY) == 1
    assert not Upload.objects.exists()
    assert not Prediction.objects.exists()
    assert files(own_media) == []
    assert RemovedPicture.objects.get().fingerprint == "0f" * 8
    assert logged() == [("remove", "moderator@example.com", run.upload_id, WHY)]


def test_a_picture_that_looks_like_nothing_in_particular_is_not_remembered(
    moderator: User, user: User
) -> None:
    first, second = (make_runs(user, models=("tiny",))[0].upload for _ in range(2))
    Upload.objects.update(fingerprint="")
    moderation.remove(moderator, [first], WHY)
    assert not RemovedPicture.objects.exists()
    # The same fingerprint twice is remembered once.
    third = make_runs(user, models=("tiny",))[0].upload
    Upload.objects.update(fingerprint="ab" * 8)
    moderation.remove(moderator, [second], WHY)
    moderation.remove(moderator, [third], WHY)
    assert RemovedPicture.objects.count() == 1


# --- reports and decisions ---------------------------------------------------------------------------------


@pytest.mark.parametrize("verb", ["hide", "remove"])
def test_taking_a_picture_away_upholds_all_its_reports_and_forgets_who_sent_them(
    moderator: User, run: Prediction, verb: str
) -> None:
    first, second = report_of(run, "one"), report_of(run, "two")
    getattr(moderation, verb)(moderator, [run.upload], WHY, first)
    for report in (first, second):
        report.refresh_from_db()
        assert (report.state, report.decided_by, report.reporter_key) == ("upheld", moderator, "")
        assert report.decided is not None
    assert ModerationEntry.objects.get().report == first.pk


def test_showing_a_picture_again_leaves_its_reports(moderator: User, run: Prediction) -> None:
    report = report_of(run)
    moderation.hide(moderator, [run.upload], WHY, report)
    moderation.show(moderator, [run.upload], "")
    report.refresh_from_db()
    assert report.state == "upheld"


@pytest.mark.parametrize("superuser", [False, True])
def test_nobody_decides_about_a_picture_of_their_own(superuser: bool) -> None:
    owner = make_user(is_staff=True, is_superuser=superuser)
    (made,) = make_runs(owner, models=("tiny",))
    theirs = make_runs(make_user(), models=("tiny",))[0].upload
    report = report_of(made)
    for verb in (moderation.hide, moderation.show, moderation.remove, moderation.release):
        with pytest.raises(moderation.OwnPicture):
            verb(owner, [theirs, made.upload], WHY)
    with pytest.raises(moderation.OwnPicture):
        moderation.dismiss(owner, [report], WHY)
    assert Upload.objects.shown().count() == 2
    assert logged() == []


# --- copies that its owner had asked for ---------------------------------------------------------------------


@pytest.mark.parametrize("verb", [moderation.hide, moderation.remove])
def test_an_archive_that_holds_the_picture_is_handed_out_no_more(
    verb: Any, page: Client, user: User, moderator: User, run: Prediction, own_media: Path
) -> None:
    export, _new = exports.ask(user)
    exports.prepare()
    other, _new = exports.ask(make_user())
    exports.prepare()
    address = reverse("accounts:export-file", args=[export.pk])
    assert page.get(address).status_code == 200
    verb(moderator, [run.upload], WHY)
    assert page.get(address).status_code == 410
    exports.sweep()
    other.refresh_from_db()
    assert [path.name for path in files(own_media / "exports")] == [Path(other.file.name).name]
    # A new one may be asked for at once, and does not have the picture.
    again, is_new = exports.ask(user)
    exports.prepare()
    again.refresh_from_db()
    with zipfile.ZipFile(again.file.open("rb")) as archive:
        assert (is_new, archive.namelist()) == (True, ["README.txt", "data.json"])


def test_an_archive_that_is_being_made_meanwhile_is_made_anew_without_the_picture(
    user: User, moderator: User, run: Prediction, own_media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    export, _new = exports.ask(user)
    name_of = exports.export_path

    def hidden_first(*args: Any) -> str:
        # It is written, and about to be handed in; of the second time nothing is left to hide.
        moderation.hide(moderator, [run.upload], WHY)
        return name_of(*args)

    monkeypatch.setattr(exports, "export_path", hidden_first)
    exports.prepare()
    export.refresh_from_db()
    assert export.status == "ready"
    with zipfile.ZipFile(export.file.open("rb")) as archive:
        assert archive.namelist() == ["README.txt", "data.json"]
    assert len(files(own_media / "exports")) == 1


# --- what its owner reads ----------------------------------------------------------------------------------


def test_owners_read_on_their_account_page_what_was_hidden_and_why(
    page: Client, user: User, moderator: User, run: Prediction
) -> None:
    account = reverse("accounts:account")
    assert "moderator" not in page.get(account).content.decode()
    moderation.hide(moderator, [run.upload], WHY)
    waiting = services.store(user, make_picture())
    moderation.hold(waiting)
    shown = page.get(account).content.decode()
    assert run.upload.filename in shown
    assert WHY in shown
    assert "looks like a picture that was removed" in shown
    moderation.remove(moderator, [run.upload], "For good.")
    assert "For good." in page.get(account).content.decode()
    stranger = Client()
    stranger.force_login(make_user())
    assert WHY not in stranger.get(account).content.decode()
