"""The queue of reports and the pictures in the admin: two clicks, exactly the permissions, and quick lists."""

from __future__ import annotations

import re
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import ModerationEntry, User
from predictions import moderation, sharing
from predictions.models import Prediction, RemovedPicture, Report, Upload
from tests.factories import finish, make_runs, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("small_networks", "no_wake_ups")]

QUEUE = "/admin/predictions/report/"
UPLOADS = "/admin/predictions/upload/"
LOG = "/admin/accounts/moderationentry/"
REASONS = ("person", "minor", "other")
MODERATOR = ("moderate", "suspend_user", "view_report", "view_upload", "view_moderationentry")


def make_staff(*permissions: str, **values: Any) -> User:
    staff = make_user(is_staff=True, **values)
    staff.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    return staff


def logged_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def moderator() -> User:
    return make_staff(*MODERATOR, email="moderator@example.com")


@pytest.fixture
def console(moderator: User) -> Client:
    return logged_in(moderator)


@pytest.fixture
def run() -> Prediction:
    return finish(make_runs(make_user("ada@example.com"), models=("tiny",))[0])


def make_report(run: Prediction, key: str = "one", **values: Any) -> Report:
    shown = sharing.Shown(sharing.share(run.owner, run=run))
    asked = {"reason": "person", "text": "", "reporter": None, "reporter_key": key, **values}
    return moderation.report(shown, run.upload, **asked)


def decide(client: Client, report: Report, verb: str, **values: Any) -> Any:
    named = {f"{name}-{report.pk}": value for name, value in values.items() if name in ("reason", "state")}
    sent = {"back": values.get("back", ""), **named}
    return client.post(f"{QUEUE}{report.pk}/{verb}/decide/", sent, follow=True)


def act(client: Client, address: str, action: str, *rows: Any, **values: Any) -> Any:
    sent = {"action": action, "_selected_action": [str(row.pk) for row in rows], **values}
    return client.post(address, sent, follow=True)


def text_of(response: Any) -> str:
    return re.sub(r"\s+", " ", response.content.decode())


# --- the queue ---------------------------------------------------------------------------------------------


def test_the_queue_shows_open_reports_oldest_first_with_all_one_needs(
    console: Client, run: Prediction
) -> None:
    new = make_report(run, "new", reason="minor", text="<b>My</b> brother")
    old = make_report(make_runs(run.owner, models=("tiny",))[0], "old")
    done = make_report(make_runs(run.owner, models=("tiny",))[0], "done")
    Report.objects.filter(pk=old.pk).update(created=timezone.now() - timedelta(days=3), repeated=2)
    Report.objects.filter(pk=done.pk).update(state="dismissed", decided=timezone.now())
    page = console.get(QUEUE)
    assert [report.pk for report in page.context["cl"].result_list] == [old.pk, new.pk]
    shown = text_of(page)
    assert "ada@example.com" in shown
    assert "It shows a minor" in shown
    assert "&lt;b&gt;My&lt;/b&gt; brother" in shown
    assert "reported 3 times" in shown
    assert "3 days ago" in shown
    # The reason stands in the field already, and every button says what it does.
    assert f'name="reason-{new.pk}" value="It shows a minor"' in shown
    for verb in ("hide", "remove", "dismiss", "suspend"):
        assert f'formaction="{QUEUE}{new.pk}/{verb}/decide/"' in shown


def test_a_picture_that_many_report_stands_in_the_queue_once_and_is_decided_once(
    console: Client, run: Prediction
) -> None:
    first, second, third = (
        make_report(run, key, reason=why) for key, why in zip("abc", REASONS, strict=True)
    )
    page = console.get(QUEUE)
    assert [report.pk for report in page.context["cl"].result_list] == [first.pk]
    assert "reported 3 times" in text_of(page)
    assert "Others say: It shows a minor (1), Something else (1)" in text_of(page)
    # Who looks for a reason finds the report that names it.
    minors = console.get(QUEUE, {"reason__exact": "minor"})
    assert [report.pk for report in minors.context["cl"].result_list] == [second.pk]
    assert "All reports of this picture are dismissed." in text_of(decide(console, second, "dismiss"))
    assert set(Report.objects.values_list("state", flat=True)) == {"dismissed"}
    assert "was decided already" in text_of(decide(console, third, "dismiss"))


def test_pictures_are_blurred_without_a_script_and_reached_by_the_keyboard(
    console: Client, run: Prediction
) -> None:
    report = make_report(run)
    for address in (QUEUE, f"{QUEUE}{report.pk}/change/", UPLOADS, f"{UPLOADS}{run.upload_id}/change/"):
        shown = text_of(console.get(address))
        picture = f"{UPLOADS}{run.upload_id}/picture/?size=thumb"
        box = rf'<label class="blurred"><input type="checkbox"[^>]*><img src="{re.escape(picture)}"'
        assert re.search(box, shown), address
        assert shown.count(picture) == 1
        assert "admin/moderation.css" in shown
        assert " style=" not in shown


def test_reports_are_filtered_and_searched(console: Client, run: Prediction) -> None:
    mine = make_report(run, reason="minor")
    other = make_report(make_runs(make_user("bob@example.com"), models=("tiny",))[0])

    def found(**query: str) -> set[Any]:
        return {report.pk for report in console.get(QUEUE, query).context["cl"].result_list}

    assert found() == {mine.pk, other.pk}
    assert found(q="ADA@example") == {mine.pk}
    assert found(q=run.upload.filename) == {mine.pk, other.pk}
    assert found(reason__exact="minor") == {mine.pk}
    assert found(created__gte="2000-01-01 00:00:00+00:00") == {mine.pk, other.pk}
    moderation.dismiss(None, [other], "")
    assert found() == {mine.pk}
    assert found(state="dismissed") == {other.pk}
    assert found(state="upheld") == set()
    assert found(state="all") == {mine.pk, other.pk}


def test_the_start_page_says_what_waits(console: Client, run: Prediction) -> None:
    make_report(run, "one")
    make_report(run, "two")
    moderation.hold(make_runs(run.owner, models=("tiny",))[0].upload)
    shown = text_of(console.get("/admin/"))
    assert "2 reports are open" in shown
    assert "1 picture is held for review" in shown
    others = logged_in(make_staff("view_prediction"))
    assert "reports are open" not in text_of(others.get("/admin/"))


# --- two clicks --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("verb", "says", "state", "action"),
    [
        ("hide", "The picture is hidden everywhere.", "upheld", "hide"),
        ("remove", "The picture is removed for good.", "upheld", "remove"),
        ("dismiss", "The report is dismissed.", "dismissed", "dismiss"),
        ("suspend", "The account is suspended.", "open", "suspend"),
    ],
)
def test_one_button_decides(
    console: Client, run: Prediction, moderator: User, verb: str, says: str, state: str, action: str
) -> None:
    report = make_report(run)
    page = decide(console, report, verb, reason="Somebody asked for it.", back="?q=ada")
    assert says in text_of(page)
    assert page.redirect_chain[-1][0].startswith(QUEUE)
    assert page.redirect_chain[-1][0].endswith("?q=ada")
    report.refresh_from_db()
    assert report.state == state
    entry = ModerationEntry.objects.get()
    assert (entry.action, entry.actor, entry.reason) == (action, moderator, "Somebody asked for it.")
    assert entry.account == run.owner
    hidden = Upload.objects.filter(hidden__isnull=False).exists()
    assert hidden == (verb == "hide")
    assert Upload.objects.exists() == (verb != "remove")
    owner = User.objects.get(email="ada@example.com")
    assert owner.is_active == (verb != "suspend")


def test_without_a_reason_of_its_own_a_decision_has_the_reports(console: Client, run: Prediction) -> None:
    decide(console, make_report(run, reason="minor"), "hide", reason="  ")
    assert ModerationEntry.objects.get().reason == "It shows a minor"


def test_the_second_moderator_reads_that_it_was_decided(console: Client, run: Prediction) -> None:
    report = make_report(run)
    moderation.dismiss(None, [report], "")
    for verb in ("hide", "remove"):
        assert "dismissed this report meanwhile" in text_of(decide(console, report, verb, state="open"))
    assert "was decided already" in text_of(decide(console, report, "dismiss", state="open"))
    assert not Upload.objects.filter(hidden__isnull=False).exists()
    # On the page that says so they can still do something about the picture.
    page = decide(console, report, "hide", state="dismissed", back="report")
    assert "The picture is hidden everywhere." in text_of(page)
    assert page.redirect_chain[-1][0] == f"{QUEUE}{report.pk}/change/"
    assert "The picture is shown again." in text_of(decide(console, report, "show", state="dismissed"))


def test_what_is_gone_can_only_be_dismissed(console: Client, run: Prediction) -> None:
    report = make_report(run)
    moderation.remove(None, [run.upload], "")
    Report.objects.update(state="open", decided=None)
    shown = text_of(console.get(QUEUE))
    assert f"{report.pk}/dismiss/decide/" in shown
    assert f"{report.pk}/hide/decide/" not in shown
    assert "gone already" in text_of(decide(console, report, "hide"))
    assert decide(console, report, "dismiss").status_code == 200
    assert Report.objects.get().state == "dismissed"
    assert console.get(f"{QUEUE}{report.pk}/change/").status_code == 200


def test_many_are_decided_at_once_each_with_its_reason(console: Client) -> None:
    runs = [make_runs(make_user(), models=("tiny",))[0] for _ in range(3)]
    reports = [
        make_report(run, reason=reason)
        for run, reason in zip(runs, ("minor", "other", "person"), strict=True)
    ]
    page = act(console, QUEUE, "hide_pictures", *reports[:2])
    assert "Hide everywhere: 2 reports." in text_of(page)
    assert Upload.objects.shown().get() == runs[2].upload
    assert set(ModerationEntry.objects.values_list("reason", flat=True)) == {
        "It shows a minor",
        "Something else",
    }
    act(console, QUEUE, "dismiss_reports", reports[2], reason="Nothing to see.")
    assert ModerationEntry.objects.get(action="dismiss").reason == "Nothing to see."


def test_nobody_decides_about_their_own_picture(console: Client, moderator: User, run: Prediction) -> None:
    own = make_runs(moderator, models=("tiny",))[0]
    report, other = make_report(own), make_report(run)
    page = console.get(QUEUE)
    assert f"{report.pk}/hide/decide/" not in text_of(page)
    assert "another moderator decides" in text_of(page)
    for verb in ("hide", "remove", "dismiss", "suspend"):
        assert "Another moderator has to decide" in text_of(decide(console, report, verb)), verb
    # Selected together with others, these are decided.
    page = act(console, QUEUE, "hide_pictures", report, other)
    assert "Another moderator has to decide" in text_of(page)
    assert Upload.objects.shown().get() == own.upload
    page = act(console, UPLOADS, "remove_pictures", own.upload, reason="Mine.")
    assert "Another moderator has to decide" in text_of(page)
    assert Upload.objects.filter(pk=own.upload_id).exists()
    assert not ModerationEntry.objects.filter(account=moderator).exists()


# --- one report --------------------------------------------------------------------------------------------


def test_the_page_of_a_report_shows_the_context_and_the_accounts_history(
    console: Client, run: Prediction
) -> None:
    reader = make_user("reader@example.com")
    report = make_report(run, f"u{reader.pk}", reporter=reader, text="It is me.")
    make_report(run, "other", reason="minor")
    earlier = make_runs(run.owner, models=("tiny",))[0]
    moderation.hide(None, [earlier.upload], "An earlier decision.")
    shown = text_of(console.get(f"{QUEUE}{report.pk}/change/"))
    for words in (
        "It is me.",
        "reader@example.com",
        "ada@example.com",
        "An earlier decision.",
        "It shows a minor",
    ):
        assert words in shown
    assert "1 of them hidden" in shown
    share = report.share
    assert share is not None
    assert share.get_absolute_url() in shown
    sharing.withdraw(run.owner, share.pk)
    assert share.get_absolute_url() not in text_of(console.get(f"{QUEUE}{report.pk}/change/"))
    # It is read here and changed nowhere.
    assert console.post(f"{QUEUE}{report.pk}/change/", {"state": "dismissed"}).status_code == 403
    assert console.get(f"{QUEUE}add/").status_code == 403
    assert console.post(f"{QUEUE}{report.pk}/delete/", {"post": "yes"}).status_code == 403


def test_there_is_no_page_of_a_report_that_is_not_there(console: Client) -> None:
    assert console.get(f"{QUEUE}{uuid.uuid4()}/change/").status_code == 302
    assert console.post(f"{QUEUE}{uuid.uuid4()}/hide/decide/").status_code == 404
    assert console.get(f"{QUEUE}{uuid.uuid4()}/hide/decide/").status_code == 405


# --- who may -----------------------------------------------------------------------------------------------


def test_staff_without_the_permission_see_and_decide_nothing(run: Prediction) -> None:
    report = make_report(run)
    staff = logged_in(make_staff("view_upload", "view_prediction", "delete_upload"))
    assert staff.get(QUEUE).status_code == 403
    assert staff.get(f"{QUEUE}{report.pk}/change/").status_code == 403
    assert staff.get(LOG).status_code == 403
    for verb in ("hide", "remove", "dismiss", "suspend", "show"):
        assert decide(staff, report, verb).status_code == 403
    for action in ("hide_pictures", "remove_pictures", "show_pictures", "release_pictures"):
        act(staff, UPLOADS, action, run.upload)
    assert Upload.objects.shown().get() == run.upload
    assert not ModerationEntry.objects.exists()
    moderation.hide(None, [run.upload], "")
    assert staff.get(f"{UPLOADS}{run.upload_id}/picture/").status_code == 404
    assert Client().post(f"{QUEUE}{report.pk}/hide/decide/").status_code == 302
    assert decide(logged_in(make_user()), report, "hide").redirect_chain


def test_staff_without_the_permission_do_not_even_read_the_name_of_what_is_hidden(
    run: Prediction, console: Client
) -> None:
    Upload.objects.filter(pk=run.upload_id).update(filename="of-a-child.png")
    staff = logged_in(make_staff("view_upload", "view_prediction"))
    lists = (UPLOADS, "/admin/predictions/prediction/")
    pages = [*lists, f"{UPLOADS}{run.upload_id}/change/", f"{lists[1]}{run.pk}/change/"]
    assert ["of-a-child.png" in text_of(staff.get(page)) for page in pages] == [True] * 4
    moderation.hide(None, [run.upload], "")
    assert ["of-a-child.png" in text_of(staff.get(page)) for page in lists] == [False, False]
    assert [staff.get(page).status_code for page in pages] == [200, 200, 302, 302]
    assert "of-a-child.png" in text_of(console.get(UPLOADS))


def test_who_may_read_reports_need_not_be_able_to_decide(run: Prediction) -> None:
    report = make_report(run)
    reader = logged_in(make_staff("view_report"))
    shown = text_of(reader.get(QUEUE))
    assert "ada@example.com" in shown
    assert "formaction" not in shown
    assert decide(reader, report, "hide").status_code == 403


def test_accounts_are_suspended_by_those_who_may(run: Prediction) -> None:
    report = make_report(run)
    client = logged_in(make_staff("moderate"))
    assert f"{report.pk}/suspend/decide/" not in text_of(client.get(QUEUE))
    assert decide(client, report, "suspend").status_code == 403
    act(client, QUEUE, "suspend_accounts", report)
    assert User.objects.get(email="ada@example.com").is_active


def test_nobody_is_suspended_without_a_reason(console: Client, run: Prediction) -> None:
    report = make_report(run)
    assert "Give a reason" in text_of(decide(console, report, "suspend", reason=" "))
    run.owner.refresh_from_db()
    assert run.owner.is_active


def test_an_administrator_is_not_suspended_by_a_moderator(console: Client) -> None:
    root = make_user("root@example.com", is_staff=True, is_superuser=True)
    report = make_report(make_runs(root, models=("tiny",))[0])
    assert f"{report.pk}/suspend/decide/" not in text_of(console.get(QUEUE))
    assert "Only an administrator" in text_of(decide(console, report, "suspend", reason="Spam."))
    root.refresh_from_db()
    assert root.is_active


def test_deciding_takes_the_forms_token(moderator: User, run: Prediction) -> None:
    report = make_report(run)
    client = Client(enforce_csrf_checks=True)
    client.force_login(moderator)
    assert client.post(f"{QUEUE}{report.pk}/hide/decide/").status_code == 403
    assert Report.objects.get().state == "open"


def test_administrators_may_do_it_all(run: Prediction) -> None:
    root = logged_in(make_user("root@example.com", is_staff=True, is_superuser=True))
    report = make_report(run)
    for address in (QUEUE, f"{QUEUE}{report.pk}/change/", "/admin/predictions/removedpicture/", LOG):
        assert root.get(address).status_code == 200
    assert "hidden everywhere" in text_of(decide(root, report, "hide"))


# --- pictures ----------------------------------------------------------------------------------------------


def test_pictures_are_hidden_shown_and_removed_from_their_list(
    console: Client, moderator: User, run: Prediction
) -> None:
    other = make_runs(run.owner, models=("tiny",))[0]
    assert "Write a reason first" in text_of(act(console, UPLOADS, "hide_pictures", run.upload, reason=" "))
    assert not Upload.objects.filter(hidden__isnull=False).exists()
    page = act(console, UPLOADS, "hide_pictures", run.upload, other.upload, reason="Both of them.")
    assert "2 pictures are hidden everywhere." in text_of(page)
    assert set(ModerationEntry.objects.values_list("reason", flat=True)) == {"Both of them."}
    assert console.get(f"{UPLOADS}{run.upload_id}/picture/").status_code == 200
    assert "hidden already" in text_of(act(console, UPLOADS, "hide_pictures", run.upload, reason="Again."))
    assert "1 picture is shown again." in text_of(act(console, UPLOADS, "show_pictures", run.upload))
    states = {
        state: console.get(UPLOADS, {"state": state}).context["cl"].result_list
        for state in ("shown", "hidden")
    }
    assert [[row.pk for row in rows] for rows in states.values()] == [[run.upload_id], [other.upload_id]]
    assert "1 picture was removed." in text_of(
        act(console, UPLOADS, "remove_pictures", other.upload, reason="It is.")
    )
    assert Upload.objects.get() == run.upload


def test_what_is_held_has_a_queue_that_says_what_it_looks_like(console: Client, run: Prediction) -> None:
    marks = ("00" * 8, "07" + "00" * 7, "ff" * 8)
    runs = make_runs(run.owner, 3, models=("tiny",))
    for one, mark in zip(runs, marks, strict=True):
        Upload.objects.filter(pk=one.upload_id).update(fingerprint=mark)
        moderation.hold(one.upload)
    removed = RemovedPicture.objects.create(fingerprint="00" * 8)
    page = console.get(UPLOADS, {"state": "held"})
    like = {row.fingerprint: row.like for row in page.context["cl"].result_list}
    # The same, one that differs in three bits, and one that looks like nothing removed any more.
    assert like == {marks[0]: removed, marks[1]: removed, marks[2]: None}
    assert text_of(page).count(f"/admin/predictions/removedpicture/{removed.pk}/change/") == 2
    assert "looks like a picture removed on" in text_of(console.get(f"{UPLOADS}{runs[0].upload_id}/change/"))
    act(console, UPLOADS, "release_pictures", runs[0].upload, run.upload)
    assert not Upload.objects.get(pk=runs[0].upload_id).held
    # A collision is forgotten, so that it holds up nobody again.
    console.post(f"/admin/predictions/removedpicture/{removed.pk}/delete/", {"post": "yes"})
    assert not RemovedPicture.objects.exists()


def test_a_picture_whose_file_is_gone_is_said_to_be(console: Client, run: Prediction) -> None:
    Upload.objects.update(expired=timezone.now(), file="")
    assert "file removed" in text_of(console.get(UPLOADS, {"state": "expired"}))
    assert console.get(f"{UPLOADS}{run.upload_id}/change/").status_code == 200
    assert console.get(f"{UPLOADS}{run.upload_id}/picture/").status_code == 404


def test_the_page_of_a_picture_tells_its_reports_and_what_was_decided(
    console: Client, run: Prediction
) -> None:
    report = make_report(run)
    moderation.hide(None, [run.upload], "Because of that.", report)
    shown = text_of(console.get(f"{UPLOADS}{run.upload_id}/change/"))
    assert "Because of that." in shown
    assert f"{QUEUE}{report.pk}/change/" in shown


# --- the log -----------------------------------------------------------------------------------------------


def test_the_log_is_read_and_searched_and_changed_by_nobody(console: Client, run: Prediction) -> None:
    moderation.hide(None, [run.upload], "Because of that.")
    entry = ModerationEntry.objects.get()
    make_runs(make_user("bob@example.com"), models=("tiny",))

    def found(**query: str) -> list[Any]:
        return [row.pk for row in console.get(LOG, query).context["cl"].result_list]

    for query in ({}, {"q": "ada@"}, {"q": str(run.upload_id)}, {"action__exact": "hide"}, {"by": "site"}):
        assert found(**query) == [entry.pk], query
    for query in ({"q": "bob@"}, {"q": str(uuid.uuid4())}, {"action__exact": "remove"}, {"by": "people"}):
        assert found(**query) == [], query
    root = logged_in(make_user("root@example.com", is_staff=True, is_superuser=True))
    for client in (console, root):
        assert client.get(f"{LOG}{entry.pk}/change/").status_code == 200
        assert client.post(f"{LOG}{entry.pk}/change/", {"reason": "Another."}).status_code == 403
        assert client.get(f"{LOG}add/").status_code == 403
        assert client.post(f"{LOG}{entry.pk}/delete/", {"post": "yes"}).status_code == 403
        act(client, LOG, "delete_selected", entry, post="yes")
    assert ModerationEntry.objects.get().reason == "Because of that."


# --- quick -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("address", [QUEUE, f"{QUEUE}?state=all", UPLOADS, f"{UPLOADS}?state=held", LOG])
def test_a_list_asks_as_much_of_many_rows_as_of_few(console: Client, address: str) -> None:
    RemovedPicture.objects.create(fingerprint="00" * 8)

    def fill(number: int) -> None:
        for i in range(number):
            run, second = make_runs(make_user(), 2, models=("tiny",))
            make_report(run, f"{i}")
            Upload.objects.filter(pk=second.upload_id).update(fingerprint="00" * 8)
            moderation.hold(second.upload)

    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as asked:
            assert console.get(address).status_code == 200
        return len(asked)

    fill(1)
    few = queries()
    fill(4)
    assert queries() == few
    assert few <= 16


def test_no_list_counts_all_rows_for_what_it_does_not_show(console: Client, run: Prediction) -> None:
    make_report(run)
    for address in (QUEUE, UPLOADS, LOG):
        with CaptureQueriesContext(connection) as asked:
            console.get(address, {"q": "ada@example.com"})
        counts = [query["sql"] for query in asked if "COUNT(*)" in query["sql"]]
        assert counts
        assert [sql for sql in counts if "WHERE" not in sql] == []
