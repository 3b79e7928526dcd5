"""The queue of reports in the admin: two clicks, and exactly the permissions."""

from __future__ import annotations

import re
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import ModerationEntry, User
from predictions import moderation, sharing
from predictions.models import Prediction, Report, Upload
from tests.factories import make_runs, make_user
from tests.predictions.moderating import report_of
from tests.predictions.moderation_console import LOG, QUEUE, UPLOADS, act, make_staff, text_of
from tests.predictions.visitors import logged_in

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("small_networks", "no_wake_ups")]
REASONS = ("person", "minor", "other")


def decide(client: Client, report: Report, verb: str, **values: Any) -> Any:
    named = {f"{name}-{report.pk}": value for name, value in values.items() if name in ("reason", "state")}
    sent = {"back": values.get("back", ""), **named}
    return client.post(f"{QUEUE}{report.pk}/{verb}/decide/", sent, follow=True)


# --- the queue ---------------------------------------------------------------------------------------------


def test_the_queue_shows_open_reports_oldest_first_with_all_one_needs(
    console: Client, run: Prediction
) -> None:
    new = report_of(run, "new", reason="minor", text="<b>My</b> brother")
    old = report_of(make_runs(run.owner, models=("tiny",))[0], "old")
    done = report_of(make_runs(run.owner, models=("tiny",))[0], "done")
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
    first, second, third = (report_of(run, key, reason=why) for key, why in zip("abc", REASONS, strict=True))
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
    report = report_of(run)
    for address in (QUEUE, f"{QUEUE}{report.pk}/change/", UPLOADS, f"{UPLOADS}{run.upload_id}/change/"):
        shown = text_of(console.get(address))
        picture = f"{UPLOADS}{run.upload_id}/picture/?size=thumb"
        box = rf'<label class="blurred"><input type="checkbox"[^>]*><img src="{re.escape(picture)}"'
        assert re.search(box, shown), address
        assert shown.count(picture) == 1
        assert "admin/moderation.css" in shown
        assert " style=" not in shown


def test_reports_are_filtered_and_searched(console: Client, run: Prediction) -> None:
    mine = report_of(run, reason="minor")
    other = report_of(make_runs(make_user("bob@example.com"), models=("tiny",))[0])

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
    report_of(run, "one")
    report_of(run, "two")
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
    report = report_of(run)
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
    decide(console, report_of(run, reason="minor"), "hide", reason="  ")
    assert ModerationEntry.objects.get().reason == "It shows a minor"


def test_the_second_moderator_reads_that_it_was_decided(console: Client, run: Prediction) -> None:
    report = report_of(run)
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
    report = report_of(run)
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
        report_of(run, reason=reason) for run, reason in zip(runs, ("minor", "other", "person"), strict=True)
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
    report, other = report_of(own), report_of(run)
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
    report = report_of(run, f"u{reader.pk}", reporter=reader, text="It is me.")
    report_of(run, "other", reason="minor")
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
    report = report_of(run)
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
    report = report_of(run)
    reader = logged_in(make_staff("view_report"))
    shown = text_of(reader.get(QUEUE))
    assert "ada@example.com" in shown
    assert "formaction" not in shown
    assert decide(reader, report, "hide").status_code == 403


def test_accounts_are_suspended_by_those_who_may(run: Prediction) -> None:
    report = report_of(run)
    client = logged_in(make_staff("moderate"))
    assert f"{report.pk}/suspend/decide/" not in text_of(client.get(QUEUE))
    assert decide(client, report, "suspend").status_code == 403
    act(client, QUEUE, "suspend_accounts", report)
    assert User.objects.get(email="ada@example.com").is_active


def test_nobody_is_suspended_without_a_reason(console: Client, run: Prediction) -> None:
    report = report_of(run)
    assert "Give a reason" in text_of(decide(console, report, "suspend", reason=" "))
    run.owner.refresh_from_db()
    assert run.owner.is_active


def test_an_administrator_is_not_suspended_by_a_moderator(console: Client) -> None:
    root = make_user("root@example.com", is_staff=True, is_superuser=True)
    report = report_of(make_runs(root, models=("tiny",))[0])
    assert f"{report.pk}/suspend/decide/" not in text_of(console.get(QUEUE))
    assert "Only an administrator" in text_of(decide(console, report, "suspend", reason="Spam."))
    root.refresh_from_db()
    assert root.is_active


def test_deciding_takes_the_forms_token(moderator: User, run: Prediction) -> None:
    report = report_of(run)
    client = Client(enforce_csrf_checks=True)
    client.force_login(moderator)
    assert client.post(f"{QUEUE}{report.pk}/hide/decide/").status_code == 403
    assert Report.objects.get().state == "open"


def test_administrators_may_do_it_all(run: Prediction) -> None:
    root = logged_in(make_user("root@example.com", is_staff=True, is_superuser=True))
    report = report_of(run)
    for address in (QUEUE, f"{QUEUE}{report.pk}/change/", "/admin/predictions/removedpicture/", LOG):
        assert root.get(address).status_code == 200
    assert "hidden everywhere" in text_of(decide(root, report, "hide"))
