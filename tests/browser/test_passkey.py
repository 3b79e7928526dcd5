"""A passkey is added and logs in, under the site's own policy for scripts."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests import services
from tests.browser.conftest import Visitor
from tests.factories import PASSWORD

AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@pytest.fixture
def by_name(stack: services.LiveStack, chromium: Browser) -> Iterator[Visitor]:
    """Passkeys belong to names; an address of numbers has none."""
    one = Visitor(chromium, stack.url.replace("127.0.0.1", "localhost"))
    yield one
    one.close()


def plug_in(page: Page) -> None:
    devtools = page.context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    devtools.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})


def test_a_passkey_is_added_and_replaces_the_password(by_name: Visitor) -> None:
    page = by_name.open()
    plug_in(page)
    page.goto("/accounts/2fa/webauthn/add/")
    page.fill("[name=password]", PASSWORD)
    page.get_by_role("button", name="Go on").click()
    page.fill("[name=name]", "blue key")
    page.get_by_role("button", name="Add a passkey").click()
    expect(page).to_have_url(re.compile("/accounts/2fa/recovery-codes/$"))

    page.get_by_role("button", name="Log out").click()
    page.goto("/accounts/login/?next=/history/")
    page.get_by_role("button", name="Log in with a passkey").click()
    expect(page).to_have_url(re.compile(r"^[^?]*/history/$"))
    page.goto("/accounts/2fa/webauthn/")
    expect(page.locator(".entries > li")).to_contain_text("blue key Replaces the password")


def test_where_passkeys_cannot_work_the_page_says_so(visitor: Visitor) -> None:
    page = visitor.open(login=False)
    page.goto("/accounts/login/")
    page.get_by_role("button", name="Log in with a passkey").click()
    expect(page.get_by_role("alert")).to_contain_text("open it as localhost")
