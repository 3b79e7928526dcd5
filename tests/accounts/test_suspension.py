"""A suspended account: what ends, who is told why, and where it is done."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Permission
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse

from accounts import guests, suspension
from accounts.models import ApiToken, ModerationEntry, User
from predictions import services
from predictions.quotas import QuotaExceeded
from tests.factories import PASSWORD, make_guest, make_picture, make_runs, make_user

pytestmark = pytest.mark.django_db

REASON = "Pictures of other people, after two warnings."
LOGIN = "account_login"
HTML = {"HTTP_ACCEPT": "text/html,application/xhtml+xml,*/*;q=0.8"}
JSON = {"HTTP_ACCEPT": "application/json"}


@pytest.fixture
def moderator() -> User:
    made = make_user("moderator@example.com", is_staff=True)
    names = ["view_user", "suspend_user"]
    made.user_permissions.set(Permission.objects.filter(codename__in=names))
    return made


def log_in(client: Client, password: str = PASSWORD, email: str = "ada@example.com"):
    return client.post(reverse(LOGIN), {"login": email, "password": password})


# --- the verbs ---------------------------------------------------------------------------------------------


def test_suspending_is_logged_once_and_lifting_it_undoes_it(user, moderator):
    assert suspension.suspend(moderator, user, f"  {REASON}\0 ")
    assert (user.is_active, user.suspension_reason) == (False, REASON)
    assert user.suspended is not None
    assert not suspension.suspend(moderator, user, "Once more")
    assert user.suspension_reason == REASON
    assert suspension.lift(moderator, user, "A mistake")
    assert not suspension.lift(moderator, user, "A mistake")
    assert (user.is_active, user.suspended, user.suspension_reason) == (True, None, "")
    logged = ModerationEntry.objects.order_by("pk").values_list("actor", "account", "action", "reason")
    assert list(logged) == [
        (moderator.pk, user.pk, "suspend", REASON),
        (moderator.pk, user.pk, "lift", "A mistake"),
    ]


def test_nobody_suspends_themselves_and_only_administrators_suspend_administrators(moderator):
    root = make_user("root@example.com", is_staff=True, is_superuser=True)
    for actor, account in ((moderator, moderator), (root, root), (moderator, root)):
        with pytest.raises(suspension.MayNotSuspend):
            suspension.suspend(actor, account, REASON)
    assert User.objects.filter(suspended__isnull=False).count() == ModerationEntry.objects.count() == 0
    assert suspension.suspend(root, make_user(is_superuser=True), REASON)


def test_an_account_that_is_closed_already_is_not_opened_by_lifting_a_suspension(user, moderator):
    User.objects.filter(pk=user.pk).update(is_active=False)
    with pytest.raises(suspension.MayNotSuspend, match="deactivated already"):
        suspension.suspend(moderator, user, REASON)
    assert not suspension.lift(moderator, user, "A mistake")
    assert not User.objects.get(pk=user.pk).is_active
    assert not ModerationEntry.objects.exists()


def test_a_reason_is_needed(user, moderator):
    with pytest.raises(suspension.ReasonMissing):
        suspension.suspend(moderator, user, " \0\n")
    assert User.objects.get(pk=user.pk).is_active


# --- every door --------------------------------------------------------------------------------------------


def test_every_browser_is_signed_out_and_told_why_at_its_next_page(page, user, moderator, settings):
    settings.OPERATOR_EMAIL = "people@example.org"
    others = [Client() for _ in range(2)]
    for other in others:
        other.force_login(user)
    suspension.suspend(moderator, user, REASON)
    assert all("_auth_user_id" not in one.get_decoded() for one in Session.objects.all())
    for browser in (page, *others):
        # What the open page asks for by itself does not use the notice up.
        asked = browser.get(reverse("predictions:history"), **JSON)
        assert (asked.status_code, asked.json()["error"]["code"]) == (403, "account_suspended")
        assert REASON in asked.json()["error"]["message"]
        assert browser.get("/api/v1/predictions/").json()["error"]["code"] == "account_suspended"
        browser.get(reverse("predictions:history"), HTTP_ACCEPT="image/avif,image/webp,*/*;q=0.8")
        told = browser.get(reverse("predictions:history"), **HTML)
        assert told.status_code == 403
        assert REASON in told.content.decode()
        assert "mailto:people@example.org" in told.content.decode()
        assert "no-store" in told["Cache-Control"]
        # From then on the browser is a visitor's.
        assert browser.get(reverse("predictions:history"), **HTML).status_code == 302
        assert browser.get(reverse(LOGIN), **HTML).status_code == 200


def test_a_session_that_nobody_had_noted_is_told_as_well(page, user, moderator):
    from allauth.usersessions.models import UserSession

    UserSession.objects.all().delete()
    suspension.suspend(moderator, user, REASON)
    assert REASON in page.get(reverse("accounts:account"), **HTML).content.decode()
    assert page.get(reverse("accounts:account"), **HTML).status_code == 302


def test_what_nobody_needs_an_account_for_stays_open(page, user, moderator):
    suspension.suspend(moderator, user, REASON)
    assert page.get(reverse("javascript-catalog"), HTTP_ACCEPT="*/*").status_code == 200
    assert page.get("/healthz").status_code == 200


def test_the_reason_is_told_at_the_login_with_the_right_password_only(client, user, moderator):
    nobody = log_in(client, "wrong", "nobody@example.com").context["form"].errors
    suspension.suspend(moderator, user, REASON)
    wrong = log_in(client, "wrong")
    assert REASON not in wrong.content.decode()
    assert wrong.status_code == 200
    assert wrong.context["form"].errors == nobody
    told = log_in(client)
    assert (told.status_code, told.templates[0].name) == (403, "account/account_inactive.html")
    assert REASON in told.content.decode()
    assert "_auth_user_id" not in client.session
    suspension.lift(moderator, user, "")
    assert log_in(client).status_code == 302
    assert client.session["_auth_user_id"] == str(user.pk)


def test_the_page_of_an_account_deactivated_by_hand_gives_no_reason(client, user):
    User.objects.filter(pk=user.pk).update(is_active=False)
    response = client.post(reverse(LOGIN), {"login": user.email, "password": PASSWORD}, follow=True)
    assert "This account is closed" in response.content.decode()


def test_tokens_are_refused_with_the_reason_and_work_again_afterwards(client, user, moderator):
    _token, key = ApiToken.objects.issue(user, "laptop")
    suspension.suspend(moderator, user, REASON)
    response = client.get("/api/v1/predictions/", headers={"Authorization": f"Token {key}"})
    assert (response.status_code, response.json()["error"]["code"]) == (401, "account_suspended")
    assert REASON in response.json()["error"]["message"]
    suspension.lift(moderator, user, "")
    response = client.get("/api/v1/predictions/", headers={"Authorization": f"Token {key}"})
    assert response.status_code == 200


def test_no_new_token_is_given_and_only_the_right_password_learns_why(client, user, moderator):
    suspension.suspend(moderator, user, REASON)
    # What another door notes of a right password is not for this one.
    client.post(reverse("admin:login"), {"username": user.email, "password": PASSWORD})
    for password, status, code in (
        ("wrong", 400, "wrong_credentials"),
        (PASSWORD, 403, "account_suspended"),
        ("wrong", 400, "wrong_credentials"),
    ):
        sent = {"email": user.email, "password": password}
        response = client.post("/api/v1/token/", sent, content_type="application/json")
        assert (response.status_code, response.json()["error"]["code"]) == (status, code)
        assert (REASON in response.json()["error"]["message"]) == (password == PASSWORD)
    assert not ApiToken.objects.exists()


def test_what_waits_is_not_computed_and_nothing_more_is_taken(
    user, moderator, small_networks, no_wake_ups, settings
):
    settings.RATE_LIMITS = True
    waiting = make_runs(user)
    suspension.suspend(moderator, user, REASON)
    assert {run.status for run in user.predictions.all()} == {"cancelled"}
    assert len(waiting) == 2
    # A request that had passed the login before.
    with pytest.raises(QuotaExceeded):
        services.submit(user, [make_picture((1, 2, 3))])
    suspension.lift(moderator, user, "")
    assert {run.status for run in user.predictions.all()} == {"cancelled"}
    assert make_runs(user)


def test_a_guest_can_be_suspended_and_is_told(client, moderator):
    guest = make_guest(client)
    suspension.suspend(moderator, guest, REASON)
    assert guests.living().count() == 0
    assert REASON in client.get(reverse("predictions:predict"), **HTML).content.decode()
    assert client.get(reverse("predictions:predict"), **HTML).status_code == 200


# --- in the admin ------------------------------------------------------------------------------------------

USERS = "admin:accounts_user_changelist"


def act(client: Client, action: str, *users: User, **more: str):
    return client.post(
        reverse(USERS), {"action": action, "_selected_action": [one.pk for one in users], **more}
    )


def test_the_list_of_users_suspends_after_asking_for_a_reason(client, user, moderator):
    client.force_login(moderator)
    asked = act(client, "suspend", user)
    assert asked.templates[0].name == "admin/accounts/user/ask_reason.html"
    assert user.email in asked.content.decode()
    assert not act(client, "suspend", user, confirmed="1", reason=" ").context["form"].is_valid()
    assert User.objects.get(pk=user.pk).is_active
    done = client.post(
        reverse(USERS),
        {"action": "suspend", "_selected_action": [user.pk], "confirmed": "1", "reason": REASON},
        follow=True,
    )
    assert "1 account is suspended." in done.content.decode()
    user.refresh_from_db()
    assert (user.is_active, user.suspension_reason) == (False, REASON)
    assert act(client, "lift", user).status_code == 200
    act(client, "lift", user, confirmed="1", reason="Talked to")
    user.refresh_from_db()
    assert user.is_active
    assert ModerationEntry.objects.filter(account=user, actor=moderator).count() == 2


def test_own_account_and_administrators_are_refused_one_by_one(client, user, moderator):
    root = make_user("root@example.com", is_staff=True, is_superuser=True)
    client.force_login(moderator)
    done = client.post(
        reverse(USERS),
        {
            "action": "suspend",
            "_selected_action": [user.pk, root.pk, moderator.pk],
            "confirmed": "1",
            "reason": REASON,
        },
        follow=True,
    )
    said = [str(message) for message in done.context["messages"]]
    assert "moderator@example.com: You cannot suspend your own account." in said
    assert "root@example.com: Only an administrator can suspend an administrator." in said
    assert list(User.objects.filter(suspended__isnull=False)) == [user]


def test_staff_without_the_permission_neither_see_the_actions_nor_can_send_them(client, user):
    staff = make_user("staff@example.com", is_staff=True)
    staff.user_permissions.set(Permission.objects.filter(codename__in=["view_user", "change_user"]))
    client.force_login(staff)
    assert 'value="suspend"' not in client.get(reverse(USERS)).content.decode()
    act(client, "suspend", user, confirmed="1", reason=REASON)
    assert User.objects.get(pk=user.pk).suspended is None


def test_a_suspension_cannot_be_undone_by_ticking_a_box(client, user, moderator):
    suspension.suspend(moderator, user, REASON)
    root = make_user("root@example.com", is_staff=True, is_superuser=True)
    client.force_login(root)
    address = reverse("admin:accounts_user_change", args=[user.pk])
    assert REASON in client.get(address).content.decode()
    assert client.post(address, {"time_zone": "UTC", "is_active": "on"}).status_code == 302
    user.refresh_from_db()
    assert (user.is_active, user.suspension_reason) == (False, REASON)


def test_accounts_are_filtered_by_their_state(client, user, moderator):
    from django.utils import timezone

    closed = make_user("closed@example.com", is_active=False)
    leaving = make_user("leaving@example.com", deletion_due=timezone.now())
    suspension.suspend(moderator, user, REASON)
    client.force_login(moderator)
    for state, expected in (
        ("active", {moderator}),
        ("suspended", {user}),
        ("inactive", {closed}),
        ("deletion", {leaving}),
    ):
        response = client.get(reverse(USERS), {"state": state})
        assert set(response.context["cl"].queryset) == {*expected}, state
    assert "suspended on" in client.get(reverse(USERS), {"q": "ADA@"}).content.decode()
