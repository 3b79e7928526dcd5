"""The site in another language, for somebody who chooses it in the footer: every page, and nothing in English."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from learn import lessons
from tests.browser.conftest import BOTH_WIDTHS, Visitor, choose, one_colour, send, upload
from tests.browser.laboratory_page import SOON, wait_until_ready
from tests.browser.lesson_page import open_lesson

# Every English sentence has one of these sooner or later, and no German one has any.
ENGLISH = re.compile(
    r"\b(the|of|and|is|are|with|this|that|which|from|not|you|your|its|their|has|have|than|each|of|by|to|for|pictures|layer)\b"
)
# A number as English writes it. One comma says nothing: German has it before decimals.
ENGLISH_NUMBER = re.compile(r"(?<![\w.,/-])\d{1,3}(?:\.(?!\d{3}\b)\d+|(?:,\d{3}){2,})(?![\w.])")
SAID = """() => {
  const found = [];
  const quiet = "[translate=no], code, pre, kbd, samp, script, style, template, noscript, [lang=en]";
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    if (!node.parentElement.closest(quiet) && node.data.trim()) found.push(node.data.replace(/\\s+/g, " ").trim());
  }
  for (const element of document.body.querySelectorAll("[aria-label], [title], [alt], [placeholder]")) {
    if (element.closest(quiet)) continue;
    for (const name of ["aria-label", "title", "alt", "placeholder"]) {
      if (element.getAttribute(name)) found.push(element.getAttribute(name));
    }
  }
  return found;
}"""
FIGURES = [
    *("xray/?network=vgg&layer=block2%2Fconv2&channel=3&on=sample:apple", "xray/?on=sample:apple"),
    *(f"{slug}/?on=sample:apple" for slug in ("arithmetic", "belief", "dose", "looked", "surgery")),
    *(f"{slug}/?on=sample:apple" for slug in ("kernel", "pixels", "cutmix", "training")),
    *("cost/", "family/", "skip/"),
]


def in_german(visitor: Visitor, *, login: bool = True, width: int = 1280) -> Page:
    return visitor.open(login=login, width=width, locale="de-DE")


def is_german(page: Page) -> None:
    assert english(page) == []


def english(page: Page) -> list[str]:
    """What a German page says in English, and that it is too wide where it is."""
    assert page.locator("html").get_attribute("lang") == "de"
    said = [text for text in page.evaluate(SAID) if "Convoscope" not in text]
    assert len(said) > 10
    found = [text for text in said if ENGLISH.search(text) or ENGLISH_NUMBER.search(text)]
    if not page.evaluate("document.documentElement.scrollWidth <= innerWidth"):
        found.append("too wide")
    return found


@BOTH_WIDTHS
def test_a_language_is_chosen_in_the_footer_and_stays(researcher: Visitor, width: int) -> None:
    page = researcher.open(width=width, login=False)
    page.goto("/learn/convolution/?from=here")
    english = page.get_by_role("button", name="English")
    expect(english).to_have_attribute("aria-current", "true")
    german = page.get_by_role("button", name="Deutsch")
    german.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Faltung")
    expect(page).to_have_url(re.compile(r"/learn/convolution/\?from=here$"))
    expect(page.locator("html")).to_have_attribute("lang", "de")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    # On other pages, in the figures' frames, and for a browser that prefers English.
    page.goto("/predict/")
    expect(page.locator("html")).to_have_attribute("lang", "de")
    page.goto("/learn/laboratory/kernel/lesson/?part=all")
    expect(page.locator("html")).to_have_attribute("lang", "de")
    page.goto("/learn/")
    page.get_by_role("button", name="English").click()
    expect(page.locator("html")).to_have_attribute("lang", "en")


def test_the_account_s_language_goes_along_to_another_browser(researcher: Visitor) -> None:
    page = researcher.open()
    page.goto("/account/")
    page.get_by_role("button", name="Deutsch").click()
    expect(page.locator("html")).to_have_attribute("lang", "de")
    cookies = [one for one in page.context.cookies() if "session" in one["name"]]
    other = researcher.open(login=False)
    other.context.add_cookies(cookies)  # type: ignore[arg-type]
    other.goto("/learn/")
    expect(other.locator("html")).to_have_attribute("lang", "de")


def test_every_lesson_is_german(researcher: Visitor) -> None:
    page = in_german(researcher, login=False, width=360)
    left = {}
    for lesson in lessons.every():
        page.goto(f"/learn/{lesson.slug}/")
        if page.locator("[data-lesson]").count():
            open_lesson(page, lesson.slug)
        left[lesson.slug] = english(page)
    assert {slug: said for slug, said in left.items() if said} == {}


def test_every_figure_is_german(researcher: Visitor) -> None:
    page = in_german(researcher, login=False, width=360)
    left = {}
    for address in FIGURES:
        page.goto(f"/learn/laboratory/{address}")
        wait_until_ready(page)
        expect(page.locator("[aria-busy=true]")).to_have_count(0, timeout=SOON)
        left[address] = english(page)
    assert {address: said for address, said in left.items() if said} == {}


def test_the_workshop_is_german_from_the_picture_to_the_history(visitor: Visitor) -> None:
    page = in_german(visitor, width=360)
    for address in (
        "/",
        "/learn/",
        "/learn/own-classes/",
        "/privacy/",
        "/terms/",
        "/account/",
    ):
        page.goto(address)
        is_german(page)
    page.goto("/predict/")
    choose(page, upload("rot.png", one_colour("red")))
    is_german(page)
    send(page)
    is_german(page)
    page.goto("/history/")
    is_german(page)
    page.locator("main a[href^='/predictions/']").first.click()
    is_german(page)
