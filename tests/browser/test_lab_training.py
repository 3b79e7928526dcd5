"""Training by mouse and by keys: one epoch for all curves and for the picture's answers, and the confusions."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from ml import artifact
from tests.browser.conftest import BOTH_WIDTHS, Visitor
from tests.browser.laboratory_page import SOON, on_module, open_figure

Open = Callable[..., Page]

KEPT = next(card for card in artifact.cards() if card.snapshots)
WITHOUT = next(card for card in artifact.cards() if not card.snapshots)
LAST = len(KEPT.curves())
WIDTH, HEIGHT, LEFT = 284, 92, 46


@pytest.fixture
def opened(researcher: Visitor, width: int) -> Open:
    def go(query: str = "", **options: Any) -> Page:
        return open_figure(researcher, "training", f"?on=sample:apple{query}", width=width, **options)

    return go


@pytest.fixture
def page(opened: Open) -> Page:
    page = opened()
    expect(page.locator("[data-steps] tr")).to_have_count(len(KEPT.snapshots) + 1, timeout=SOON)
    return page


def slider(page: Page) -> Locator:
    return page.get_by_role("slider", name="Epoch")


def says(page: Page) -> Locator:
    return page.locator("[data-training] [data-twin]")


def panel(page: Page, key: str) -> Locator:
    return page.locator(f"[data-training] [data-panel={key}]")


def marks(page: Page, key: str) -> list[Any]:
    """Where the marks of a panel lie."""
    texts = (
        panel(page, key)
        .locator(".mark")
        .evaluate_all("(all) => all.map((one) => one.getAttribute('transform'))")
    )
    return [tuple(map(float, re.findall(r"[-\d.]+", text))) for text in texts]


def held(epoch: int) -> str:
    return f"{100 * KEPT.curves()[epoch - 1]['val_accuracy']:.1f}%"


@BOTH_WIDTHS
def test_keys_move_all_curves_and_the_answer_at_once(page: Page) -> None:
    expect(says(page)).to_contain_text(f"{KEPT.title} after epoch {LAST} of {LAST}: right on {held(LAST)}")
    slider(page).focus()
    page.keyboard.press("Home")
    expect(says(page)).to_contain_text(f"after epoch 1 of {LAST}: right on {held(1)}")
    size = KEPT.snapshots[0]["size"]
    expect(page.locator("[data-step-says]")).to_contain_text(f"After epoch 1, on {size} × {size} pixels")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    expect(slider(page)).to_have_attribute("aria-valuetext", f"4 of {LAST}")
    row = KEPT.curves()[3]
    # The snapshot of an epoch is the last one that is not later.
    kept = max(one["epoch"] for one in KEPT.snapshots if one["epoch"] <= 4)
    expect(page.locator("[data-step-says]")).to_contain_text(f"After epoch {kept},")
    x = WIDTH * 3 / (LAST - 1)
    assert marks(page, "accuracy") == [
        (pytest.approx(x, abs=0.06), pytest.approx(HEIGHT * (1 - row[key]), abs=0.06))
        for key in ("val_accuracy", "train_accuracy")
    ]
    assert [mark[0] for mark in marks(page, "rate")] == [pytest.approx(x, abs=0.06)]
    expect(panel(page, "size").locator("[data-now]")).to_have_text(str(row["size"]))
    expect(page).to_have_url(re.compile("epoch=4"))
    page.keyboard.press("End")
    expect(page.locator("[data-step-says]")).to_contain_text(f"The finished {KEPT.title} says apple")
    expect(page).not_to_have_url(re.compile("epoch="))
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]


@BOTH_WIDTHS
def test_a_place_on_a_curve_chooses_its_epoch(page: Page) -> None:
    svg = panel(page, "rate").locator("svg")
    svg.scroll_into_view_if_needed()
    box = svg.bounding_box()
    assert box
    scale = box["width"] / 340

    def at(epoch: int) -> tuple[float, float]:
        return box["x"] + scale * (LEFT + WIDTH * (epoch - 1) / (LAST - 1)), box["y"] + box["height"] / 2

    page.mouse.move(*at(5))
    page.mouse.down()
    expect(slider(page)).to_have_value("5")
    page.mouse.move(*at(12), steps=4)
    page.mouse.up()
    expect(slider(page)).to_have_value("12")
    page.mouse.move(*at(20))
    expect(says(page)).to_contain_text(f"after epoch 12 of {LAST}")
    # Beyond the ends lies nothing.
    page.mouse.down()
    page.mouse.move(box["x"] + 1, box["y"] + 20)
    page.mouse.up()
    expect(slider(page)).to_have_value("1")


def test_the_bars_are_those_of_the_snapshot_and_the_picture_is_as_small_as_it_was_then(page: Page) -> None:
    asked = "return (await module.explain('snapshots', argument)).result;"
    result = on_module(page, "jobs", asked, KEPT.name)
    jumps = page.locator("[data-jumps] button")
    expect(jumps).to_have_text([*(str(row["epoch"]) for row in KEPT.snapshots), "finished"])
    for place, step in enumerate(result["steps"]):
        jumps.nth(place).click()
        expect(jumps.nth(place)).to_have_attribute("aria-pressed", "true")
        expect(page.locator("[data-top] .answer-label").first).to_have_text(KEPT.label(step["top"][0][0]))
        shares = [
            float(text.strip("<>% ")) for text in page.locator("[data-top] .answer-value").all_inner_texts()
        ]
        assert shares == pytest.approx([100 * share for _index, share in step["top"]], abs=0.06)
        assert page.locator("[data-seen]").evaluate("(one) => [one.width, one.height]") == [step["size"]] * 2
        expect(page.locator("[data-steps] tr[data-now] th")).to_have_text(str(step["epoch"] or "finished"))
    points = page.locator("[data-laboratory-figure] [data-chart] .snapshot").evaluate_all(
        "(all) => all.map((one) => Number(one.getAttribute('cy')))"
    )
    assert points == pytest.approx(
        [HEIGHT * (1 - step["probabilities"][0]) for step in result["steps"]], abs=0.06
    )


def test_another_class_is_followed_and_back_undoes_it(page: Page) -> None:
    title = page.locator("[data-chart-title]")
    expect(title).to_have_text("Probability of apple")
    options = page.locator("#training-class option")
    other = options.nth(1).inner_text()
    page.locator("#training-class").select_option(label=other)
    expect(title).to_have_text(f"Probability of {other}")
    expect(page.locator("[data-followed]")).to_have_text(other)
    page.go_back()
    expect(title).to_have_text("Probability of apple")


def test_a_class_that_never_came_near_is_said(opened: Open) -> None:
    page = opened(f"&class={KEPT.labels.index('worm')}")
    expect(page.locator("[data-unfollowed]")).to_contain_text(
        "“worm” never came among the first five", timeout=SOON
    )
    expect(page.locator("[data-chart-title]")).to_have_text("Probability of apple")


@BOTH_WIDTHS
def test_the_other_network_has_curves_of_its_own_style_and_no_snapshots(page: Page) -> None:
    page.locator("[data-pick=network]").select_option(WITHOUT.name)
    expect(page.locator("[data-none]")).to_contain_text(f"No snapshots of {WITHOUT.title} were kept")
    expect(page.locator("[data-some]")).to_be_hidden()
    short = len(WITHOUT.curves())
    expect(slider(page)).to_have_attribute("max", str(short))
    expect(says(page)).to_contain_text(f"{WITHOUT.title} after epoch {short} of {short}")
    page.locator("[data-others]").check()
    expect(slider(page)).to_have_attribute("max", str(max(LAST, short)))
    lines = panel(page, "accuracy").locator("polyline:visible")
    expect(lines).to_have_count(4)
    looks = lines.evaluate_all(
        "(all) => all.map((one) => { const { strokeDasharray, strokeWidth } = getComputedStyle(one); return "
        "strokeDasharray + strokeWidth; })"
    )
    assert len(set(looks)) == 4
    expect(page.locator("[data-training] .training-key li:visible")).to_have_count(4)
    slider(page).fill(str(short + 2))
    expect(says(page)).to_contain_text(f"{WITHOUT.title} was finished after epoch {short}.")
    expect(says(page)).to_contain_text(f"{KEPT.title} after epoch {short + 2} of {LAST}")
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]
    page.locator("[data-pick=network]").select_option(KEPT.name)
    expect(page.locator("[data-some]")).to_be_visible()


def test_the_address_restores_epoch_networks_and_square(opened: Open) -> None:
    otter, seal = KEPT.labels.index("otter"), KEPT.labels.index("seal")
    page = opened(f"&network={WITHOUT.name}&others=1&epoch=7&truth={otter}&taken={seal}")
    expect(slider(page)).to_have_value("7")
    expect(page.locator("[data-others]")).to_be_checked()
    count = KEPT.evaluation()["confusion"][otter][seal]
    expect(page.locator("[data-matrix] [data-says]").first).to_have_text(
        f"otter was called seal {count} times of 100"
    )
    expect(page.locator("[data-laboratory-corrections]")).to_be_hidden()


@BOTH_WIDTHS
def test_a_pair_leads_to_its_square_and_a_class_lists_both_directions(page: Page) -> None:
    pair = KEPT.evaluation()["confused_pairs"][0]
    a, b = KEPT.label(pair["a"]), KEPT.label(pair["b"])
    table = page.locator("[data-training]").get_by_role(
        "group", name=f"Pairs that {KEPT.title} confuses most"
    )
    table.get_by_role("link", name=b).first.click()
    figure = page.locator("[data-training] [data-matrix]").first
    expect(figure.locator("[data-says]")).to_have_text(f"{b} was called {a} {pair['b_as_a']} times of 100")
    expect(page).to_have_url(re.compile(f"truth={pair['b']}&taken={pair['a']}"))
    expect(figure.locator("[data-takes] .answer-label").first).to_have_text(a)
    expect(figure.locator("[data-takes] .answer-value").first).to_have_text(str(pair["a_as_b"]))
    page.go_back()
    page.go_forward()
    expect(page).to_have_url(re.compile(f"truth={pair['b']}&taken={pair['a']}"))
    page.get_by_label("True class").first.select_option(label="otter")
    expect(figure.locator("[data-calls] .answer-label").first).to_have_text("otter")
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]


@pytest.mark.parametrize(
    ("query", "sentence", "epoch"),
    [
        ("&epoch=999", f"Epoch {LAST} is shown.", LAST),
        ("&epoch=-3", "Epoch 1 is shown.", 1),
        ("&epoch=x", "no epoch “x”", LAST),
    ],
)
def test_an_epoch_that_is_not_there_is_said_and_the_nearest_is_shown(
    opened: Open, query: str, sentence: str, epoch: int
) -> None:
    page = opened(query)
    expect(page.locator("[data-laboratory-corrections]")).to_contain_text(sentence)
    expect(slider(page)).to_have_value(str(epoch))


def test_in_a_lesson_a_part_stands_alone_and_asks_for_nothing_that_is_not_seen(researcher: Visitor) -> None:
    page = researcher.open(width=360, login=False)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if request.method == "POST" else None)
    for part, seen in (("curves", "#training-curves"), ("confusion", "#training-confusions")):
        page.goto(f"/learn/laboratory/training/lesson/?part={part}")
        expect(page.locator(seen)).to_be_visible()
        expect(page.locator("[data-laboratory-ready]")).to_have_count(1)
        expect(page.locator("[data-training] h2:visible")).to_have_count(1)
        expect(page.locator(".lab-subject")).to_be_hidden()
        expect(slider(page)).to_be_visible(visible=part == "curves")
    assert asked == []
    page.goto("/learn/laboratory/training/lesson/?part=answers")
    expect(page.locator("[data-steps] tr")).to_have_count(len(KEPT.snapshots) + 1, timeout=SOON)
    expect(slider(page)).to_be_visible()
    expect(page.locator("#training-curves")).to_be_hidden()


def test_without_scripts_the_curves_are_drawn_and_the_answers_listed(researcher: Visitor) -> None:
    page = researcher.open(login=False, java_script_enabled=False)
    page.goto("/learn/laboratory/training/?on=sample:apple&epoch=10")
    expect(page.locator("[data-training]")).to_be_hidden()
    still = page.locator(".lab-still-inside")
    expect(still.locator(".training-panels polyline:visible")).to_have_count(6)
    expect(still).to_contain_text(f"{KEPT.title} after epoch 10 of {LAST}: right on {held(10)}")
    expect(still.locator(".snapshot")).to_have_count(len(KEPT.snapshots) + 1)
    still.get_by_label("True class").select_option(label="otter")
    still.get_by_role("button", name="Show").click()
    expect(still.locator(".training-confused").first).to_contain_text("100 test pictures of otter")
