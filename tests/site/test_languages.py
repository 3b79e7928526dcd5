"""Languages: complete catalogues, nothing on a page that is in none, the same page in each, a choice that stays."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polib
import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone, translation
from django.utils.dates import MONTHS, MONTHS_3, MONTHS_AP, WEEKDAYS, WEEKDAYS_ABBR
from django.utils.formats import date_format

from accounts.models import ApiToken, User
from learn import lessons as course
from ml.labels import CIFAR100, display
from tests.factories import make_user
from tests.languages import CATALOGUES, MARKED, SAID, Page, spoken
from tests.site.access import TABLE, Things
from tests.site.test_access import things_of

OTHERS = [code for code, _name in settings.LANGUAGES if code != settings.LANGUAGE_CODE]
DOMAINS = ("django", "djangojs")
HOLDERS = re.compile(r"%\(\w+\)[sd]|%[sd]|%%|\{\w*\}|</?[a-zA-Z][^>]*>")

GETS = [
    (name, case)
    for name, cases in TABLE.items()
    for case in cases
    if case.method == "get" and "accept" in case.headers
]


def entries(language: str, domain: str) -> list[polib.POEntry]:
    return list(polib.pofile(str(CATALOGUES / language / "LC_MESSAGES" / f"{domain}.po")))


@pytest.mark.parametrize("domain", DOMAINS)
@pytest.mark.parametrize("language", OTHERS)
def test_every_text_is_translated_and_holds_what_the_source_holds(language: str, domain: str) -> None:
    found = {(entry.msgctxt, entry.msgid): entry for entry in entries(language, domain)}
    wrong = []
    for source in entries(settings.LANGUAGE_CODE, domain):
        entry = found.get((source.msgctxt, source.msgid))
        if entry is None or entry.fuzzy:
            wrong.append(f"missing: {source.msgid}")
            continue
        pairs = [(source.msgid, entry.msgstr)]
        if source.msgid_plural:
            pairs = [(source.msgid_plural, text) for text in list(entry.msgstr_plural.values())[1:]]
        for text, translated in pairs:
            if not translated:
                wrong.append(f"empty: {text}")
            elif sorted(HOLDERS.findall(text)) != sorted(HOLDERS.findall(translated)):
                wrong.append(f"other placeholders or tags: {text}")
    assert wrong == []


@pytest.mark.parametrize("language", OTHERS)
def test_every_class_has_a_name_of_its_own(language: str) -> None:
    with translation.override(language):
        names = {translation.gettext(display(label)) for label in CIFAR100}
    assert len(names) == len(CIFAR100)
    assert len(names - {display(label) for label in CIFAR100}) > 70


# --- what pages say ------------------------------------------------------------------------------------------


@pytest.fixture
def owner(db: None) -> Any:
    return make_user("owner@example.com")


@pytest.fixture
def things(owner: User) -> Things:
    token, _key = ApiToken.objects.issue(owner, "first")
    return things_of(owner, token)


@pytest.fixture
def browser(owner: User) -> Client:
    client = Client()
    client.force_login(owner)
    return client


@pytest.fixture
def marked_language(tmp_path: Path) -> Iterator[None]:
    with spoken(tmp_path / "marked"):
        yield


def in_language(client: Client, language: str) -> Client:
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = language
    return client


def html_of(response: Any) -> str:
    return response.content.decode() if "text/html" in response.headers.get("Content-Type", "") else ""


def names() -> set[str]:
    """What the people and the networks of these tests are called, and the words of Django's own for dates."""
    with translation.override(MARKED):
        months = {
            str(month)
            for table in (MONTHS, MONTHS_AP, MONTHS_3, WEEKDAYS, WEEKDAYS_ABBR)
            for month in table.values()
        }
        shown = date_format(timezone.now(), "DATETIME_FORMAT")
    words = set(re.findall(r"[^\W\d_]{2,}", shown))
    return (
        words
        | months
        | {month[:3].capitalize() for month in months}
        | {*("Desk", "cup", "key", "first", "Tiny", "Small", "black", "white", "sea green")}
    )


def lessons() -> list[str]:
    return [f"/learn/{lesson.slug}/" for lesson in course.every()]


@pytest.mark.usefixtures("marked_language")
def test_no_lesson_says_what_is_in_no_catalogue(browser: Client) -> None:
    in_language(browser, MARKED)
    left = {
        address: said
        for address in ["/", "/learn/", "/learn/laboratory/", *lessons()]
        if (said := Page(html_of(browser.get(address))).untranslated)
    }
    assert left == {}, json.dumps(left, indent=1, ensure_ascii=False)


@pytest.mark.usefixtures("small_networks", "no_wake_ups", "marked_language")
def test_no_page_says_what_is_in_no_catalogue(browser: Client, things: Things) -> None:
    in_language(browser, MARKED)
    left, seen = {}, 0
    for name, case in GETS:
        html = html_of(case.ask(browser, things))
        seen += bool(html)
        if said := Page(html, names()).untranslated:
            left[name] = said
    assert seen > 20
    assert left == {}, json.dumps(left, indent=1, ensure_ascii=False)


# In an attribute that scripts put on the page later.
SENTENCE = re.compile(r"[^\W\d_]{3,}:? [^\W\d_]{3,}")


def skeleton(html: str) -> list[tuple[str, tuple[tuple[str, str | None], ...]]]:
    """The tags with what is the same in every language: numbers in attributes keep their point."""
    volatile = re.compile(r"nonce|csrf|lang|aria-current|content|data-zone")
    found = []
    for tag, attributes in Page(html).tags:
        numeric = tag in {"meter", "progress"} or dict(attributes).get("type") in {"number", "range"}
        left_out = SAID | {"href", "src"} | (set() if numeric else {"value"})
        kept = tuple(
            (n, v)
            for n, v in attributes
            if n not in left_out and not volatile.search(n) and not SENTENCE.search(v or "")
        )
        if re.fullmatch(r"span|em|strong|a|cite|q|abbr|br|wbr|option", tag):
            continue
        found.append((tag, kept))
    return found


@pytest.mark.parametrize("language", OTHERS)
def test_a_page_is_drawn_the_same_in_each_language(browser: Client, language: str) -> None:
    different = {}
    for address in ["/", "/learn/", *lessons()]:
        shown, other = (
            Counter(skeleton(html_of(in_language(browser, code).get(address)))) for code in ("en", language)
        )
        if shown != other:
            different[address] = [str(one) for one in [*(shown - other), *(other - shown)]][:6]
    assert different == {}, json.dumps(different, indent=1, ensure_ascii=False)


# --- choosing one --------------------------------------------------------------------------------------------


def choose(client: Client, language: str, **more: Any) -> Any:
    headers = more.pop("headers", {})
    return client.post("/language/", {"language": language, "next": "/learn/?a=b", **more}, headers=headers)


def language_of(client: Client, **headers: str) -> str:
    found = re.search(r'<html lang="([^"]+)"', client.get("/learn/", headers=headers).content.decode())
    assert found
    return found[1]


@pytest.mark.django_db
def test_what_is_chosen_stays_for_a_year_and_leads_back_to_the_page() -> None:
    client = Client()
    assert language_of(client) == "en"
    answer = choose(client, "de")
    assert (answer.status_code, answer["Location"]) == (302, "/learn/?a=b")
    assert answer.cookies[settings.LANGUAGE_COOKIE_NAME]["max-age"] == 365 * 24 * 3600
    assert language_of(client) == "de"
    assert language_of(client, **{"accept-language": "en"}) == "de"


@pytest.mark.django_db
def test_without_a_choice_the_browser_s_own_language_counts_and_else_english() -> None:
    assert language_of(Client(), **{"accept-language": "de-CH,de;q=0.9,en;q=0.5"}) == "de"
    assert language_of(Client(), **{"accept-language": "fr,it"}) == "en"


def test_an_account_s_language_goes_along_and_this_browser_s_choice_is_stronger(
    owner: User, browser: Client
) -> None:
    choose(browser, "de")
    elsewhere = Client()
    elsewhere.force_login(owner)
    assert language_of(elsewhere) == "de"
    elsewhere.cookies[settings.LANGUAGE_COOKIE_NAME] = "en"
    assert language_of(elsewhere) == "en"


def test_a_language_that_is_no_longer_offered_counts_as_none(owner: User, browser: Client) -> None:
    User.objects.filter(pk=owner.pk).update(language="xx")
    browser.cookies[settings.LANGUAGE_COOKIE_NAME] = "yy"
    assert language_of(browser) == "en"


def test_a_language_that_does_not_exist_changes_nothing_and_is_said(owner: User, browser: Client) -> None:
    choose(browser, "de")
    for strange in ("xx", "", "../de", "d" * 1000):
        assert settings.LANGUAGE_COOKIE_NAME not in choose(browser, strange).cookies
    assert "Diese Sprache gibt es hier nicht." in browser.get("/learn/").content.decode()
    owner.refresh_from_db()
    assert owner.language == "de"


@pytest.mark.django_db
@pytest.mark.parametrize(
    "address", ["https://elsewhere.example/", "//elsewhere.example/", "javascript:alert(1)", ""]
)
def test_it_leads_to_no_other_site(address: str) -> None:
    assert choose(Client(), "de", next=address)["Location"] == "/"


def test_another_site_cannot_change_it(owner: User, browser: Client) -> None:
    answer = choose(browser, "de", headers={"sec-fetch-site": "cross-site"})
    assert answer.status_code == 302
    assert language_of(browser) == "en"
    owner.refresh_from_db()
    assert owner.language == ""


@pytest.mark.django_db
def test_an_address_alone_changes_nothing() -> None:
    client = Client()
    assert client.get("/language/?language=de").status_code == 405
    assert language_of(client) == "en"


@pytest.mark.django_db
def test_a_new_account_keeps_the_language_that_its_browser_had() -> None:
    client = Client()
    choose(client, "de")
    values = {
        "email": "neu@example.com",
        "password1": "ein-langes-passwort-7",
        "password2": "ein-langes-passwort-7",
    }
    assert client.post("/accounts/signup/", values).status_code == 302
    assert User.objects.get(email="neu@example.com").language == "de"
