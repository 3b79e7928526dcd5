"""The explorer of confusions by mouse, finger, keyboard and list, and the table of all classes; narrow and wide."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from ml.labels import CIFAR100
from tests import services
from tests.browser.conftest import BOTH_WIDTHS, Visitor
from tests.evaluations import a_matrix, add_evaluation, an_evaluation
from tests.learn.conftest import write_card

ALPHABETICAL = list(range(100))
NEXT = "bear was called beaver {} times of 50"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[services.LiveStack]:
    """The site, without a worker, and two networks with a hundred classes, each taken for the next in the alphabet."""
    root: Path = tmp_path_factory.mktemp("evaluated")
    for name, title, lost in (("vgg", "Little", 9), ("wideresnet", "Wide", 4)):
        write_card(root, name, title=title, labels=list(CIFAR100))
        matrix = a_matrix(100, lost=lost)
        # One hard class, so that sorting has something to find.
        matrix[CIFAR100.index("otter"), CIFAR100.index("otter")] -= 10
        matrix[CIFAR100.index("otter"), CIFAR100.index("seal")] += 10
        add_evaluation(root, name, an_evaluation(matrix, order=ALPHABETICAL))
    with services.running_stack(workers=0, ready=False, ML_ARTIFACTS_DIR=str(root)) as stack:
        yield stack


@pytest.fixture
def guest(site: services.LiveStack, chromium: Browser) -> Iterator[Visitor]:
    one = Visitor(chromium, site.url)
    yield one
    one.close()


@pytest.fixture
def page(guest: Visitor, width: int) -> Page:
    page = guest.open(width=width, login=False)
    page.goto("/learn/networks/")
    expect(page.locator("[data-pad]").first).to_have_attribute("tabindex", "0")
    return page


def little(page: Page) -> Locator:
    return page.locator("[data-matrix]").filter(has=page.locator("#matrix-vgg-title"))


def wide(page: Page) -> Locator:
    return page.locator("[data-matrix]").filter(has=page.locator("#matrix-wideresnet-title"))


def spot(figure: Locator, truth: str, answer: str) -> tuple[float, float]:
    """The middle of a square in the window's pixels."""
    frame = figure.locator("rect.frame")
    frame.scroll_into_view_if_needed()
    box = frame.bounding_box()
    assert box
    row, column = CIFAR100.index(truth), CIFAR100.index(answer)
    return box["x"] + (column + 0.5) / 100 * box["width"], box["y"] + (row + 0.5) / 100 * box["height"]


@BOTH_WIDTHS
def test_pointing_at_a_square_says_what_was_called_what_by_both_networks(page: Page) -> None:
    page.mouse.move(*spot(little(page), "bear", "beaver"))
    expect(little(page).locator("[data-says]")).to_have_text(NEXT.format(9))
    expect(wide(page).locator("[data-says]")).to_have_text(NEXT.format(4))
    expect(page.locator("[data-pick] select")).to_have_value(str(CIFAR100.index("bear")))
    page.mouse.move(*spot(little(page), "wolf", "wolf"))
    expect(little(page).locator("[data-says]")).to_have_text("wolf was recognised 39 times of 50")
    page.mouse.move(*spot(wide(page), "bear", "train"))
    expect(wide(page).locator("[data-says]")).to_have_text("bear was never called train, of 50")


def test_a_place_beside_a_mistake_means_the_mistake(page: Page) -> None:
    x, y = spot(little(page), "otter", "seal")
    box = little(page).locator("rect.frame").bounding_box()
    assert box
    page.mouse.move(x + box["width"] / 100, y)
    expect(little(page).locator("[data-says]")).to_have_text("otter was called seal 10 times of 50")


def test_choosing_a_class_lists_what_it_was_called(page: Page) -> None:
    page.get_by_label("True class", exact=True).select_option(label="otter")
    expect(little(page).locator("[data-says]")).to_have_text("otter was called seal 10 times of 50")
    calls = little(page).locator("[data-calls]")
    expect(calls.locator(".answer-label")).to_have_text(["otter", "seal", "palm tree", "pear"])
    expect(calls.locator(".answer-value")).to_have_text(["29", "10", "9", "2"])


def test_the_keyboard_walks_from_square_to_square_and_from_mistake_to_mistake(page: Page) -> None:
    says = little(page).locator("[data-says]")
    page.get_by_label("True class", exact=True).select_option(label="bear")
    expect(says).to_have_text(NEXT.format(9))
    page.get_by_role("application", name="What Little takes for what.").focus()
    page.keyboard.press("ArrowRight")
    expect(says).to_have_text("bear was called bed 2 times of 50")
    page.keyboard.press("ArrowRight")
    expect(says).to_have_text("bear was never called bee, of 50")
    page.keyboard.press("Shift+ArrowLeft")
    expect(says).to_have_text("bear was called bed 2 times of 50")
    page.keyboard.press("Shift+ArrowDown")
    expect(says).to_have_text("beaver was called bed 9 times of 50")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Shift+ArrowRight")
    expect(says).to_have_text("bear was called bed 2 times of 50")


def test_the_keyboard_begins_at_the_most_frequent_mistake_and_stays_inside(page: Page) -> None:
    says = little(page).locator("[data-says]")
    page.get_by_role("application", name="What Little takes for what.").focus()
    page.keyboard.press("ArrowDown")
    expect(says).to_have_text("otter was called seal 10 times of 50")
    page.get_by_label("True class", exact=True).select_option(label="apple")
    page.get_by_role("application", name="What Little takes for what.").focus()
    page.keyboard.press("ArrowUp")
    expect(says).to_have_text("apple was called aquarium fish 9 times of 50")


@BOTH_WIDTHS
def test_nothing_is_wider_than_the_screen(page: Page) -> None:
    page.locator(".all-classes summary").click()
    page.mouse.move(*spot(little(page), "bear", "beaver"))
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    box = little(page).locator("svg").first.bounding_box()
    assert box
    assert box["width"] > 300


def test_all_classes_can_be_sorted_and_searched(page: Page) -> None:
    page.locator(".all-classes summary").click()
    table = page.locator(".all-classes table")
    page.get_by_role("button", name="Little, right").click()
    expect(table.locator("tbody th").first).to_have_text("otter")
    expect(table.locator("thead th").nth(1)).to_have_attribute("aria-sort", "ascending")
    page.get_by_role("button", name="Little, right").click()
    expect(table.locator("tbody th").last).to_have_text("otter")
    page.get_by_role("button", name="Class").click()
    expect(table.locator("tbody th").first).to_have_text("apple")
    page.get_by_label("Find a class").fill("Tree")
    expect(table.locator("tbody tr:visible th")).to_have_text(
        ["maple tree", "oak tree", "palm tree", "pine tree", "streetcar", "willow tree"]
    )


def test_a_finger_finds_a_square(guest: Visitor) -> None:
    page = guest.open(width=360, height=740, login=False, has_touch=True, is_mobile=True)
    page.goto("/learn/networks/")
    expect(page.locator("[data-pad]").first).to_have_attribute("tabindex", "0")
    page.touchscreen.tap(*spot(little(page), "bear", "beaver"))
    expect(little(page).locator("[data-says]")).to_have_text(NEXT.format(9))


def test_without_javascript_the_tables_say_it_all(guest: Visitor) -> None:
    page = guest.open(login=False, java_script_enabled=False)
    page.goto("/learn/networks/")
    expect(page.get_by_label("True class", exact=True)).to_be_hidden()
    expect(page.locator("[data-says]").first).to_be_hidden()
    pairs = page.get_by_role("group", name="Pairs that Little confuses most").locator("tbody tr")
    expect(pairs.first).to_contain_text("otter")
    expect(pairs.first).to_contain_text("10")
