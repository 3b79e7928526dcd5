"""With a second factor a password alone opens nothing: not the site, not the admin, not the API."""

from __future__ import annotations

import json
import re

import pytest
from allauth.mfa.models import Authenticator
from django.core import mail
from django.test import Client
from django.urls import reverse

from accounts import second_factor
from accounts.models import ApiToken
from tests.accounts import totp
from tests.accounts.test_login import is_in, log_in
from tests.factories import PASSWORD, make_user

pytestmark = pytest.mark.django_db

CODE = "mfa_authenticate"


@pytest.fixture
def commits(django_capture_on_commit_callbacks):
    """What waits for the end of a transaction happens at the end of the block."""
    return lambda: django_capture_on_commit_callbacks(execute=True)


def reauthenticate(client, password=PASSWORD):
    return client.post(reverse("account_reauthenticate"), {"password": password})


def set_up_app(client, commits) -> str:
    """The secret that the page showed."""
    reauthenticate(client)
    page = client.get(reverse("mfa_activate_totp"))
    [secret] = re.findall(r'<code class="secret">([A-Z2-7 ]+)</code>', page.content.decode())
    with commits():
        response = client.post(reverse("mfa_activate_totp"), {"code": totp.code(secret)})
    assert response.url == reverse("mfa_view_recovery_codes")
    return secret


@pytest.fixture
def secret(client, user, commits) -> str:
    """Of the app of ``user``, who is logged in as ``client``."""
    client.force_login(user)
    return set_up_app(client, commits)


@pytest.fixture
def newcomer(secret):
    """A browser in which the password was right."""
    browser = Client()
    assert log_in(browser).url == reverse(CODE)
    return browser


def give(client, code):
    return client.post(reverse(CODE), {"code": code})


def codes_of(client) -> list[str]:
    page = client.get(reverse("mfa_view_recovery_codes")).content.decode()
    return re.findall(r"<li><code>(\d+)</code></li>", page)


# --- setting it up -------------------------------------------------------------------------------------------


def test_setting_it_up_asks_for_the_password_again(client, user):
    client.force_login(user)
    for name in ("mfa_activate_totp", "mfa_add_webauthn", "mfa_generate_recovery_codes"):
        assert client.get(reverse(name)).url.startswith(reverse("account_reauthenticate"))
    reauthenticate(client, "wrong")
    assert client.get(reverse("mfa_activate_totp")).status_code == 302


def test_the_page_shows_the_secret_as_a_picture_and_as_text(client, user):
    client.force_login(user)
    reauthenticate(client)
    response = client.get(reverse("mfa_activate_totp"))
    page = response.content.decode()
    assert '<img src="data:image/svg+xml;base64,' in page
    assert "style=" not in page
    assert "otpauth://totp/ada%40example.com" in page
    assert "issuer=Convoscope" in page
    assert "no-store" in response["Cache-Control"] or "private" in response["Cache-Control"]


def test_a_wrong_code_sets_nothing_up(client, user, commits):
    client.force_login(user)
    reauthenticate(client)
    client.get(reverse("mfa_activate_totp"))
    response = client.post(reverse("mfa_activate_totp"), {"code": "000000x"})
    assert "not right" in response.content.decode()
    assert not second_factor.is_set_up(user)


def test_it_comes_with_ten_recovery_codes_and_a_message(client, user, secret):
    assert second_factor.is_set_up(user)
    assert len(set(codes_of(client))) == 10
    download = client.get(reverse("mfa_download_recovery_codes"))
    assert download.content.decode().split() == codes_of(client)
    assert "attachment" in download["Content-Disposition"]
    assert [message.subject for message in mail.outbox] == ["Convoscope: An authenticator app was set up"]
    assert mail.outbox[0].to == [user.email]


def test_sessions_from_before_end_with_the_first_factor(client, user, commits):
    before = Client()
    log_in(before)
    client.force_login(user)
    set_up_app(client, commits)
    assert is_in(client)
    assert not is_in(before)


def test_a_copy_of_the_database_gives_no_secret_away(user, secret):
    plain = secret.replace(" ", "")
    assert plain not in json.dumps(list(Authenticator.objects.values_list("data", flat=True)))


def test_where_addresses_must_be_confirmed_an_unconfirmed_account_sets_up_nothing(client, settings):
    settings.MFA_ALLOW_UNVERIFIED_EMAIL = False
    client.force_login(make_user("new@example.com", verified=False))
    assert client.get(reverse("mfa_activate_totp")).url == reverse("mfa_index")
    assert "Confirm your e-mail address first" in client.get(reverse("mfa_index")).content.decode()


# --- logging in ----------------------------------------------------------------------------------------------


def test_the_password_alone_does_not_let_in(newcomer):
    assert not is_in(newcomer)
    for step in (-3, 3):
        assert give(newcomer, totp.code("AAAAAAAAAAAAAAAA", step)).status_code == 200
    assert not is_in(newcomer)


@pytest.mark.parametrize("steps", [-1, 0, 1])
def test_the_code_lets_in_also_from_a_clock_that_is_half_a_minute_off(newcomer, secret, steps):
    assert give(newcomer, totp.code(secret, steps)).url == reverse("predictions:predict")
    assert is_in(newcomer)


def test_a_code_opens_once(newcomer, secret):
    code = totp.code(secret)
    give(newcomer, code)
    again = Client()
    log_in(again)
    assert "used already" in give(again, code).content.decode()
    assert not is_in(again)


def test_nor_does_a_code_open_again_as_long_as_it_is_taken(newcomer, secret, monkeypatch):
    # allauth remembers it for half a minute, and would take it for a minute longer.
    monkeypatch.setattr("allauth.mfa.totp.internal.auth.TOTP._mark_code_used", lambda self, code: True)
    code = totp.code(secret, 1)
    give(newcomer, code)
    again = Client()
    log_in(again)
    give(again, code)
    assert (is_in(newcomer), is_in(again)) == (True, False)


def test_logging_in_leads_back_to_the_page_that_asked(secret):
    browser = Client()
    log_in(browser, query=f"?next={reverse('accounts:account')}")
    assert give(browser, totp.code(secret)).url == reverse("accounts:account")


def test_a_recovery_code_lets_in_once(client, newcomer):
    code = codes_of(client)[3]
    give(newcomer, code)
    assert is_in(newcomer)
    again = Client()
    log_in(again)
    give(again, code)
    assert not is_in(again)
    assert len(codes_of(client)) == 9


def test_the_step_cannot_be_reached_without_the_password(secret):
    browser = Client()
    assert browser.get(reverse(CODE)).url == reverse("account_login")
    assert give(browser, totp.code(secret)).url == reverse("account_login")
    assert not is_in(browser)


def test_guessing_codes_is_stopped(newcomer, secret, limits):
    for number in range(5):
        give(newcomer, f"{number:06d}")
    assert "Too many" in give(newcomer, totp.code(secret)).content.decode()
    assert not is_in(newcomer)


def test_no_browser_is_trusted_to_go_without(newcomer, secret):
    give(newcomer, totp.code(secret))
    newcomer.post(reverse("account_logout"))
    assert log_in(newcomer).url == reverse(CODE)


@pytest.mark.parametrize(
    "credential",
    ["", "null", "[]", "1", '"x"', "{}", '{"id": 1, "response": {"userHandle": 5}}', "[" * 200_000],
    ids=["nothing", "null", "list", "number", "text", "empty", "wrong", "deep"],
)
def test_nonsense_instead_of_a_passkey_is_refused_at_every_door(client, newcomer, credential):
    anybody = Client()
    assert anybody.post(reverse("mfa_login_webauthn"), {"credential": credential}).status_code == 302
    assert newcomer.post(reverse(CODE), {"credential": credential}).status_code == 200
    assert client.post(reverse("mfa_reauthenticate_webauthn"), {"credential": credential}).status_code == 302
    add = client.post(reverse("mfa_add_webauthn"), {"name": "x", "credential": credential})
    assert add.status_code == 200
    assert not is_in(anybody)
    assert not is_in(newcomer)
    assert not Authenticator.objects.filter(type="webauthn").exists()


# --- turning it off ------------------------------------------------------------------------------------------


def test_removing_the_app_removes_the_codes_and_is_told(client, user, secret, commits):
    with commits():
        client.post(reverse("mfa_deactivate_totp"))
    assert not Authenticator.objects.exists()
    assert mail.outbox[-1].subject == "Convoscope: The authenticator app was removed"
    browser = Client()
    log_in(browser)
    assert is_in(browser)


def test_another_key_of_the_site_opens_no_secret_and_lets_nobody_in(newcomer, secret, settings):
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another" * 10
    assert give(newcomer, totp.code(secret)).status_code == 302
    assert is_in(newcomer)
    settings.SECRET_KEY_FALLBACKS = []
    authenticator = Authenticator.objects.get(type="totp").wrap()
    assert not authenticator.validate_code(totp.code(secret))
    assert not authenticator.validate_code(totp.code(""))


def test_codes_stop_working_when_new_ones_are_made(client, secret, commits):
    before = codes_of(client)
    with commits():
        client.post(reverse("mfa_generate_recovery_codes"))
    assert not set(before) & set(codes_of(client))


# --- the other doors -----------------------------------------------------------------------------------------


@pytest.fixture
def root(commits):
    """An administrator with a second factor, and its secret."""
    made = make_user("root@example.com", is_staff=True, is_superuser=True)
    browser = Client()
    browser.force_login(made)
    return set_up_app(browser, commits)


def log_in_to_admin(client, email="root@example.com", query=""):
    return client.post(reverse("admin:login") + query, {"username": email, "password": PASSWORD})


def test_the_admin_is_no_way_round_it(client, root):
    users = reverse("admin:accounts_user_changelist")
    assert log_in_to_admin(client, query=f"?next={users}").url == reverse(CODE)
    assert client.get(users).status_code == 302
    assert give(client, totp.code(root)).url == users
    assert client.get(users).status_code == 200


def test_a_token_is_not_given_for_the_password_alone(client, user, secret):
    response = Client().post("/api/v1/token/", {"email": user.email, "password": PASSWORD})
    assert response.status_code == 403
    assert response.json()["error"]["code"] == "second_factor"
    assert "account page" in response.json()["error"]["message"]
    assert not ApiToken.objects.exists()
    wrong = Client().post("/api/v1/token/", {"email": user.email, "password": "wrong"})
    assert wrong.json()["error"]["code"] == "wrong_credentials"
    assert client.post(reverse("accounts:make-token"), {"name": "laptop"}).status_code == 200


def test_staff_without_one_are_led_to_set_it_up_when_the_setting_says_so(client, settings, commits):
    root = make_user("root@example.com", is_staff=True, is_superuser=True)
    client.force_login(root)
    assert client.get(reverse("admin:index")).status_code == 200
    settings.STAFF_SECOND_FACTOR = True
    for name in ("admin:index", "admin:accounts_user_changelist"):
        response = client.get(reverse(name), follow=True)
        assert response.redirect_chain[-1][0] == reverse("mfa_index")
        assert "The admin asks for a second factor" in response.content.decode()
    set_up_app(client, commits)
    assert client.get(reverse("admin:accounts_user_changelist")).status_code == 200


def test_the_setting_keeps_nobody_from_the_rest_of_the_site(client, user, settings):
    settings.STAFF_SECOND_FACTOR = True
    client.force_login(user)
    assert is_in(client)
    assert client.get(reverse("admin:index")).status_code == 302


def test_recovery_codes_alone_are_no_second_factor(client, settings):
    root = make_user("root@example.com", is_staff=True, is_superuser=True)
    Authenticator.objects.create(user=root, type="recovery_codes", data={"seed": "x", "used_mask": 0})
    client.force_login(root)
    settings.STAFF_SECOND_FACTOR = True
    assert client.get(reverse("admin:index")).status_code == 302


def test_the_admin_removes_a_factor_but_shows_no_secret(client, user, secret):
    factor = Authenticator.objects.get(type="totp")
    root = Client()
    root.force_login(make_user("root@example.com", is_staff=True, is_superuser=True))
    address = reverse("admin:mfa_authenticator_change", args=[factor.pk])
    page = root.get(address).content.decode()
    assert factor.data["secret"] not in page
    assert root.post(address, {"type": "webauthn"}).status_code == 403
    root.post(reverse("admin:mfa_authenticator_delete", args=[factor.pk]), {"post": "yes"})
    assert not Authenticator.objects.exists()


def test_the_account_page_says_whether_it_is_on(client, user, secret):
    assert "Your account has a second factor." in client.get("/account/").content.decode()
    other = Client()
    other.force_login(make_user("other@example.com"))
    assert "no second factor" in other.get("/account/").content.decode()


def test_browsers_may_use_passkeys_here(client):
    allowed = client.get(reverse("account_login"))["Permissions-Policy"]
    assert "publickey-credentials-get=(self)" in allowed
    assert "publickey-credentials-create=(self)" in allowed
