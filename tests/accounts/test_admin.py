from __future__ import annotations

import pytest
from django.contrib.admin.models import DELETION, LogEntry
from django.contrib.auth.models import Permission
from django.urls import reverse

from accounts.models import ApiToken, User
from tests.factories import PASSWORD, make_user

pytestmark = pytest.mark.django_db

USERS = "admin:accounts_user_changelist"
TOKENS = "admin:accounts_apitoken_changelist"


@pytest.fixture
def administrator(client):
    made = make_user("root@example.com", is_staff=True, is_superuser=True)
    client.force_login(made)
    return made


@pytest.fixture
def moderator(client):
    made = make_user("moderator@example.com", is_staff=True)
    made.user_permissions.set(Permission.objects.filter(content_type__app_label="accounts"))
    client.force_login(made)
    return made


def log_in(client, email="root@example.com", password=PASSWORD, address="10.0.0.1"):
    data = {"username": email, "password": password}
    return client.post(reverse("admin:login"), data, REMOTE_ADDR=address)


def test_every_page_of_users_and_tokens_loads(client, administrator, user):
    token, _key = ApiToken.objects.issue(user, "laptop")
    for address in (
        reverse("admin:index"),
        reverse(USERS),
        reverse("admin:accounts_user_add"),
        reverse("admin:accounts_user_change", args=[user.pk]),
        reverse("admin:auth_user_password_change", args=[user.pk]),
        reverse("admin:accounts_user_delete", args=[user.pk]),
        reverse("admin:accounts_user_history", args=[user.pk]),
        reverse(TOKENS),
        reverse("admin:accounts_apitoken_change", args=[token.pk]),
    ):
        assert client.get(address).status_code == 200, address


def test_users_are_found_by_address_and_filtered(client, administrator, user):
    found = client.get(reverse(USERS), {"q": "ADA@"}).context["cl"].queryset
    assert list(found) == [user]
    staff = client.get(reverse(USERS), {"is_staff__exact": "1"}).context["cl"].queryset
    assert list(staff) == [administrator]


def test_a_user_is_added_with_address_and_password(client, administrator):
    data = {
        "email": "New@Example.com",
        "usable_password": "true",
        "password1": PASSWORD,
        "password2": PASSWORD,
    }
    assert client.post(reverse("admin:accounts_user_add"), data).status_code == 302
    assert User.objects.get(email="new@example.com").check_password(PASSWORD)
    response = client.post(reverse("admin:accounts_user_add"), data | {"email": "NEW@example.com"})
    assert "already" in response.context["adminform"].form.errors["email"][0]


def test_the_address_of_an_account_is_its_owners_business(client, administrator, user):
    address = reverse("admin:accounts_user_change", args=[user.pk])
    data = {"email": "other@example.com", "time_zone": "UTC", "is_active": ""}
    assert client.post(address, data).status_code == 302
    user.refresh_from_db()
    assert (user.email, user.is_active) == ("ada@example.com", False)


def test_a_moderator_cannot_make_an_administrator(client, moderator):
    address = reverse("admin:accounts_user_change", args=[moderator.pk])
    data = {"time_zone": "UTC", "is_active": "on", "is_staff": "on", "is_superuser": "on"}
    assert client.post(address, data).status_code == 302
    moderator.refresh_from_db()
    assert not moderator.is_superuser


def test_a_moderator_cannot_touch_an_administrator(client, moderator):
    root = make_user("root@example.com", is_staff=True, is_superuser=True)
    password = reverse("admin:auth_user_password_change", args=[root.pk])
    assert client.get(password).status_code == 403
    assert (
        client.post(reverse("admin:accounts_user_change", args=[root.pk]), {"is_active": ""}).status_code
        == 403
    )
    assert (
        client.post(reverse("admin:accounts_user_delete", args=[root.pk]), {"post": "yes"}).status_code == 403
    )
    root.refresh_from_db()
    assert root.is_active
    assert root.check_password(PASSWORD)


def test_the_hash_of_a_token_is_shown_nowhere(client, administrator, user):
    token, _key = ApiToken.objects.issue(user, "laptop")
    for address in (reverse(TOKENS), reverse("admin:accounts_apitoken_change", args=[token.pk])):
        page = client.get(address).content.decode()
        assert token.prefix in page
        assert token.digest not in page


def test_tokens_are_neither_made_nor_changed_here(client, administrator, user):
    token, _key = ApiToken.objects.issue(user, "laptop")
    assert client.get(reverse("admin:accounts_apitoken_add")).status_code == 403
    change = reverse("admin:accounts_apitoken_change", args=[token.pk])
    assert client.post(change, {"name": "other"}).status_code == 403


def test_revoking_is_one_action_and_is_logged(client, administrator, user):
    token, key = ApiToken.objects.issue(user, "laptop")
    kept, _kept_key = ApiToken.objects.issue(user, "desktop")
    client.post(reverse(TOKENS), {"action": "revoke", "_selected_action": [token.pk]})
    assert ApiToken.objects.find(key) is None
    assert list(user.api_tokens.all()) == [kept]
    entry = LogEntry.objects.get(action_flag=DELETION)
    assert (entry.user, entry.object_repr) == (administrator, str(token))


def test_one_logs_in_with_the_address(client):
    make_user("root@example.com", is_staff=True, is_superuser=True)
    assert log_in(client, "Root@Example.com").status_code == 302
    assert client.get(reverse("admin:index")).status_code == 200


def test_others_than_staff_do_not_get_in(client, user):
    log_in(client, "ada@example.com")
    assert client.get(reverse("admin:index")).status_code == 302


def test_guessing_is_stopped_but_does_not_lock_the_owner_out(client, limits):
    make_user("root@example.com", is_staff=True, is_superuser=True)
    for number in range(5):
        log_in(client, password=f"guess {number}")
    assert log_in(client).status_code == 429
    assert log_in(client, "ROOT@example.com").status_code == 429
    assert client.get(reverse("admin:index")).status_code == 302
    assert log_in(client, address="10.0.0.2").status_code == 302
    assert client.get(reverse("admin:index")).status_code == 200
