"""Reporting a picture that somebody was shown: by whom, what is refused, and what the reporter reads."""

from __future__ import annotations

import re
import uuid
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from predictions import moderation, sharing
from predictions.models import Prediction, Report, Share, Upload
from tests.factories import finish, make_runs, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("small_networks", "no_wake_ups")]


@pytest.fixture
def run(user: User) -> Prediction:
    return finish(make_runs(user, models=("tiny",))[0])


@pytest.fixture
def share(run: Prediction) -> Share:
    return sharing.share(run.owner, run=run)


@pytest.fixture
def visitor() -> Client:
    return Client()


def address(share: Share) -> str:
    return f"/s/{share.token}/report/"


def send(client: Client, share: Share, upload: Any = None, **values: Any) -> Any:
    sent = {"reason": "person", **values}
    if upload is not None:
        sent["picture"] = str(upload.pk)
    where = {key: sent.pop(key) for key in ("REMOTE_ADDR",) if key in sent}
    return client.post(address(share), sent, headers={"accept": "text/html"}, **where)


def text_of(response: Any) -> str:
    return re.sub(r"\s+", " ", response.content.decode())


def test_of_a_picture_removed_because_of_its_age_no_broken_one_is_shown(
    visitor: Client, share: Share, run: Prediction
) -> None:
    assert "<img" in text_of(visitor.get(address(share))).partition("<main")[2]
    Upload.objects.filter(pk=run.upload_id).update(expired=timezone.now(), file="")
    shown = visitor.get(address(share))
    assert shown.status_code == 200
    assert "<img" not in text_of(shown).partition("<main")[2]


# --- a report ----------------------------------------------------------------------------------------------


def test_a_visitor_reports_a_picture_and_is_told_that_it_arrived(
    visitor: Client, share: Share, run: Prediction, user: User
) -> None:
    form = visitor.get(address(share), {"picture": run.upload_id})
    assert form.status_code == 200
    assert form["X-Robots-Tag"].startswith("noindex")
    # Without a referrer the browser would send the form from nowhere, and it would be refused.
    assert form["Referrer-Policy"] == "same-origin"
    assert f"/s/{share.token}/pictures/{run.upload_id}/" in text_of(form)
    for _code, words in Report.Reason.choices:
        assert str(words) in text_of(form)

    answer = send(visitor, share, run.upload, reason="minor", text="  My little brother. ")
    report = Report.objects.get()
    assert answer["Location"] == f"/reports/{report.pk}/"
    assert (report.upload, report.share, report.account) == (run.upload, share, user)
    assert (report.reason, report.text, report.reporter, report.state) == (
        "minor",
        "My little brother.",
        None,
        "open",
    )
    status = visitor.get(answer["Location"])
    assert status["X-Robots-Tag"].startswith("noindex")
    assert "Your report has arrived." in text_of(status)
    assert "No e-mail is sent." in text_of(status)


def test_a_page_of_one_picture_needs_not_be_told_which(
    visitor: Client, share: Share, run: Prediction
) -> None:
    assert send(visitor, share).status_code == 302
    assert Report.objects.get().upload == run.upload


def test_no_address_is_kept_of_a_visitor(visitor: Client, share: Share, run: Prediction) -> None:
    send(visitor, share, run.upload, REMOTE_ADDR="198.51.100.7")
    report = Report.objects.get()
    assert re.fullmatch("[0-9a-f]{64}", report.reporter_key)
    assert "198.51.100.7" not in repr(Report.objects.values().get())


def test_who_is_logged_in_reports_as_their_account(share: Share, run: Prediction) -> None:
    reader = make_user()
    client = Client()
    client.force_login(reader)
    send(client, share, run.upload)
    report = Report.objects.get()
    assert (report.reporter, report.reporter_key) == (reader, f"u{reader.pk}")


# --- the same again ----------------------------------------------------------------------------------------


def test_the_same_report_a_hundred_times_is_one_report(
    visitor: Client, share: Share, run: Prediction
) -> None:
    first = send(visitor, share, run.upload)["Location"]
    shown = sharing.find(share.token)
    assert shown is not None
    key = Report.objects.get().reporter_key
    for _ in range(98):
        moderation.report(shown, run.upload, reason="minor", text="", reporter=None, reporter_key=key)
    assert send(visitor, share, run.upload)["Location"] == first
    report = Report.objects.get()
    assert first == f"/reports/{report.pk}/"
    assert (report.repeated, report.reason) == (99, "person")
    assert "99 more times" in text_of(visitor.get(f"/reports/{report.pk}/"))


def test_others_and_other_pictures_have_reports_of_their_own(visitor: Client, user: User) -> None:
    first, second = (finish(made) for made in make_runs(user, 2, models=("tiny",)))
    share = sharing.share(user, batch=first.batch)
    send(visitor, share, first.upload, REMOTE_ADDR="198.51.100.7")
    send(visitor, share, first.upload, REMOTE_ADDR="198.51.100.8")
    send(visitor, share, second.upload, REMOTE_ADDR="198.51.100.7")
    assert Report.objects.count() == 3
    assert not Report.objects.exclude(repeated=0).exists()


def test_after_a_decision_the_same_account_is_shown_it_again_unless_something_else_is_wrong(
    share: Share, run: Prediction, moderator: User
) -> None:
    client = Client()
    client.force_login(make_user())
    send(client, share, run.upload, reason="copyright")
    report = Report.objects.get()
    moderation.dismiss(moderator, [report], "It is theirs.")
    assert send(client, share, run.upload, reason="copyright")["Location"] == f"/reports/{report.pk}/"
    assert send(client, share, run.upload, reason="minor")["Location"] != f"/reports/{report.pk}/"
    assert Report.objects.count() == 2


def test_after_some_reports_one_has_to_wait(visitor: Client, share: Share, run: Prediction) -> None:
    answers = [send(visitor, share, run.upload) for _ in range(6)]
    assert [answer.status_code for answer in answers] == [302] * 5 + [429]
    assert int(answers[-1]["Retry-After"]) <= 60
    # Somebody else is not held up by it, and reading is free.
    assert send(visitor, share, run.upload, REMOTE_ADDR="198.51.100.8").status_code == 302
    assert visitor.get(address(share)).status_code == 200


def test_there_is_a_limit_for_a_day_as_well(
    visitor: Client, share: Share, run: Prediction, monkeypatch: pytest.MonkeyPatch
) -> None:
    from predictions import report_views

    monkeypatch.setattr(report_views, "PER_DAY", 2)
    codes = [send(visitor, share, run.upload).status_code for _ in range(3)]
    assert codes == [302, 302, 429]


# --- what is refused ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"reason": ""}, "Choose what is wrong with the picture."),
        ({"reason": "boring"}, "Choose one of the reasons that are listed."),
        ({"reason": "other"}, "Say what is wrong with the picture."),
        ({"reason": "other", "text": "  \n "}, "Say what is wrong with the picture."),
        ({"text": "x" * 1001}, "Say it in at most 1000 characters; there are 1001."),
    ],
)
def test_a_report_without_a_reason_is_asked_for_one(
    visitor: Client, share: Share, run: Prediction, values: dict[str, str], says: str
) -> None:
    answer = send(visitor, share, run.upload, **values)
    assert answer.status_code == 422
    assert says in text_of(answer)
    assert not Report.objects.exists()


def test_a_reason_of_their_own_is_taken_with_words(visitor: Client, share: Share, run: Prediction) -> None:
    send(visitor, share, run.upload, reason="other", text="<script>alert(1)</script>")
    assert Report.objects.get().text == "<script>alert(1)</script>"


def test_there_is_nothing_to_report_where_nothing_is_shown(
    visitor: Client, user: User, run: Prediction, settings: Any
) -> None:
    settings.RATE_LIMITS = False
    share = sharing.share(user, run=run)
    foreign = make_runs(make_user(), models=("tiny",))[0]
    own = make_runs(user, models=("tiny",))[0]
    for picture in (str(foreign.upload_id), str(own.upload_id), str(uuid.uuid4()), "nothing", "\0"):
        for ask in (visitor.get, visitor.post):
            answer = ask(
                address(share), {"picture": picture, "reason": "minor"}, headers={"accept": "text/html"}
            )
            assert answer.status_code == 404, picture
            assert "not on the shared page" in text_of(answer)
    for token in ("x", "x" * 43):
        assert visitor.get(f"/s/{token}/report/").status_code == 404
    sharing.withdraw(user, share.pk)
    gone = send(visitor, share, run.upload)
    assert gone.status_code == 404
    assert "This link shows nothing any more" in text_of(gone)
    assert not Report.objects.exists()


def test_on_a_page_of_several_one_has_to_choose(visitor: Client, user: User) -> None:
    first, _second = make_runs(user, 2, models=("tiny",))
    share = sharing.share(user, batch=first.batch)
    answer = visitor.get(address(share))
    assert answer.status_code == 404
    assert "Choose on the shared page" in text_of(answer)


def test_ones_own_picture_is_deleted_rather_than_reported(
    page: Client, share: Share, run: Prediction
) -> None:
    for answer, status in ((page.get(address(share)), 200), (send(page, share, run.upload), 422)):
        assert answer.status_code == status
        assert "a picture of your own" in text_of(answer)
    assert not Report.objects.exists()


def test_a_picture_hidden_while_it_is_reported_leaves_no_open_report(
    share: Share, run: Prediction, moderator: User
) -> None:
    shown = sharing.find(share.token)
    assert shown is not None
    upload = shown.upload(run.upload_id)
    assert upload is not None
    moderation.hide(moderator, [run.upload], "")
    with pytest.raises(moderation.NothingToReport):
        moderation.report(shown, upload, reason="minor", text="", reporter=None, reporter_key="x")
    assert not Report.objects.exists()


# --- what came of it ---------------------------------------------------------------------------------------


def test_the_reporter_reads_what_came_of_it(
    visitor: Client, share: Share, run: Prediction, moderator: User
) -> None:
    where = send(visitor, share, run.upload)["Location"]

    def says() -> str:
        return text_of(visitor.get(where))

    moderation.dismiss(moderator, Report.objects.all(), "")
    assert "left it as it is" in says()
    moderation.hide(moderator, [run.upload], "")
    assert "no longer shown to anybody" in says()
    moderation.show(moderator, [run.upload], "")
    where = send(visitor, share, run.upload, REMOTE_ADDR="198.51.100.8")["Location"]
    moderation.hide(moderator, [run.upload], "")
    assert "took the picture away: nobody is shown it" in says()
    moderation.show(moderator, [run.upload], "")
    assert "after another look showed it again" in says()
    moderation.remove(moderator, [run.upload], "")
    assert "took the picture away: nobody is shown it" in says()
    assert moderator.email not in says()
    assert run.owner.email not in says()


def test_a_picture_that_its_owner_deleted_is_no_longer_there(
    visitor: Client, share: Share, run: Prediction
) -> None:
    where = send(visitor, share, run.upload)["Location"]
    Upload.objects.all().delete()
    assert "no longer shown to anybody" in text_of(visitor.get(where))
    assert Report.objects.get().state == "open"


def test_there_is_no_page_of_a_report_that_was_never_made(visitor: Client) -> None:
    assert visitor.get(f"/reports/{uuid.uuid4()}/").status_code == 404
