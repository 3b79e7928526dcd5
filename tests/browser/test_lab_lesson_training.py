"""Lesson 11: every task the right way and two wrong ways, with the shipped networks."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from playwright.sync_api import FrameLocator, Locator, Page, expect

from learn.figures.training import log_of
from ml import artifact
from ml.artifact import Card
from tests.browser.conftest import BOTH_WIDTHS, Visitor
from tests.browser.laboratory_page import SOON
from tests.browser.lesson_page import figure, is_missed, is_solved, open_lesson

CARDS = artifact.cards()
KEPT = next(card for card in CARDS if card.snapshots)
WITHOUT = next(card for card in CARDS if not card.snapshots)
EACH_NETWORK = pytest.mark.parametrize("card", CARDS, ids=lambda card: card.name)


@pytest.fixture
def page(researcher: Visitor, width: int) -> Page:
    return open_lesson(researcher.open(width=width, login=False), "training")


def slider(frame: FrameLocator) -> Locator:
    return frame.get_by_role("slider", name="Epoch")


def choose(frame: FrameLocator, card: Card) -> None:
    frame.locator("[data-pick=network]").select_option(card.name)
    expect(frame.locator("[data-training] [data-twin]")).to_contain_text(f"{card.title} after epoch")


@EACH_NETWORK
@BOTH_WIDTHS
def test_the_largest_steps(page: Page, card: Card) -> None:
    frame = figure(page, "curves")
    choose(frame, card)
    is_missed(page, "steps", "In another one it was higher")
    slider(frame).fill("1")
    is_missed(page, "steps", "After this epoch the rate was")
    rates = [row["rate"] for row in card.curves()]
    slider(frame).fill(str(1 + rates.index(max(rates))))
    is_solved(page, "steps")


@EACH_NETWORK
def test_a_leap_without_learning(page: Page, card: Card) -> None:
    frame = figure(page, "curves")
    choose(frame, card)
    slider(frame).fill("1")
    is_missed(page, "leap", "there is nothing before it")
    pairs = list(pairwise(card.curves()))
    slider(frame).fill(str(next(row["epoch"] for before, row in pairs if row["size"] != before["size"])))
    is_missed(page, "leap", "the pictures have another size")
    slider(frame).fill("3")
    is_missed(page, "leap", "In another epoch training leaps further")
    # What the eye finds is what the recipe says.
    leaps = {row["epoch"]: row["train_accuracy"] - before["train_accuracy"] for before, row in pairs}
    largest = max(leaps, key=lambda epoch: leaps[epoch])
    assert largest in log_of(card, 0).unmixed
    slider(frame).fill(str(largest))
    is_solved(page, "leap")


def answers(page: Page) -> FrameLocator:
    frame = figure(page, "answers")
    expect(frame.locator("[data-steps] tr")).to_have_count(len(KEPT.snapshots) + 1, timeout=SOON)
    return frame


def shares(frame: FrameLocator) -> list[float]:
    """The probability of the finished network's first answer at every snapshot, as the table has it."""
    texts = frame.locator("[data-steps] td:last-child").all_text_contents()
    return [float(re.sub(r"[^\d.]", "", text)) for text in texts]


def test_half_as_sure(page: Page) -> None:
    frame = answers(page)
    found = shares(frame)
    first = next(place for place, share in enumerate(found) if 2 * share >= found[-1])
    jumps = frame.locator("[data-jumps] button")
    assert 0 < first < len(found) - 1
    is_missed(page, "sure", "An earlier snapshot gave apple that much already")
    jumps.nth(first - 1).click()
    is_missed(page, "sure", "and half of that is more")
    frame.locator("[data-pick=network]").select_option(WITHOUT.name)
    is_missed(page, "sure", f"There are no snapshots of {WITHOUT.title}")
    frame.locator("[data-pick=network]").select_option(KEPT.name)
    jumps.nth(first).click()
    is_solved(page, "sure")


def test_one_way_more_than_the_other(page: Page) -> None:
    frame = figure(page, "confusion")
    is_missed(page, "oneway", "No square is shown")
    labels = [[card.label(index) for index in range(len(card.labels))] for card in CARDS]
    matrices = [card.evaluation()["confusion"] for card in CARDS]
    frame.get_by_label("True class").first.select_option(label="apple")
    # The most frequent mistake of an easy class is too seldom.
    is_missed(page, "oneway", "It takes at least 10")
    number = range(len(labels[0]))
    truth = next(
        a
        for a in number
        for b in [max((c for c in number if c != a), key=lambda c: matrices[0][a][c])]
        if matrices[0][a][b] >= max(10, 2 * matrices[0][b][a])
    )
    frame.get_by_label("True class").first.select_option(label=labels[0][truth])
    is_solved(page, "oneway")


def test_a_right_answer_is_no_confusion(page: Page) -> None:
    frame = figure(page, "confusion")
    place = KEPT.labels.index("road")
    confuse = """(explorer, detail) => explorer.dispatchEvent(new CustomEvent("confuse", { detail }))"""
    frame.locator("[data-confusion]").evaluate(confuse, {"truth": place, "answer": place})
    is_missed(page, "oneway", "lies on the diagonal")


def test_the_guesses_hide_the_curves(researcher: Visitor) -> None:
    page = open_lesson(researcher.open(login=False), "training", guess=False)
    expect(page.locator("[data-figure=curves]")).to_be_hidden()
    for key in ("steps", "one", "ahead"):
        guess = page.locator(f"[data-predict={key}]")
        right = guess.get_attribute("data-right")
        guess.locator(f"input[value={right}]").check()
        guess.get_by_role("button", name="That is my guess").click()
        expect(guess.locator("[data-verdict]")).to_contain_text("and so it is")
    expect(page.locator("[data-figure=curves]")).to_be_visible()
