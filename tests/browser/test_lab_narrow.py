"""What has little room on a phone: numbers in cells, the ends of a scale, tables of many columns; in both languages."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from learn import lessons
from tests.browser.conftest import BOTH_WIDTHS, Visitor, eventually
from tests.browser.laboratory_page import SOON, open_figure, wait_until_ready
from tests.browser.lesson_page import open_lesson

BOTH_LANGUAGES = pytest.mark.parametrize("locale", ["en-GB", "de-DE"])
# Of a phone, a figure in a lesson gets the width without the margins of the lesson.
IN_A_LESSON = 328
# What is written on canvases: which canvas it is, and the share of its width that the text takes.
WRITES = """() => {
  window.written = [];
  const { fillText } = CanvasRenderingContext2D.prototype;
  CanvasRenderingContext2D.prototype.fillText = function (text, ...place) {
    window.written.push([Object.keys(this.canvas.dataset)[0], this.measureText(text).width / this.canvas.width]);
    return fillText.call(this, text, ...place);
  };
}"""
GAPS = """(all) => all.flatMap((one) => {
  const boxes = [...one.children].map((end) => end.getBoundingClientRect()).filter((box) => box.width);
  return boxes.slice(1).map((box, i) => box.left - boxes[i].right);
})"""
TOO_WIDE = """() => [...document.querySelectorAll(".table-wrap")]
  .filter((one) => one.checkVisibility() && one.scrollWidth > one.clientWidth + 1)
  .map((one) => one.textContent.replace(/\\s+/g, " ").trim().slice(0, 80))"""


@pytest.mark.parametrize("width", [IN_A_LESSON, 1280])
@pytest.mark.parametrize(
    ("query", "canvases", "across"),
    [
        ("network=vgg&layer=head/pool", ["poolValues"], 4),
        ("network=vgg&layer=block1/conv2&y=1&x=1", ["values", "weights", "products"], 3),
    ],
)
def test_numbers_stay_in_their_cells_and_those_of_a_scale_apart(
    researcher: Visitor, query: str, canvases: list[str], across: int, width: int
) -> None:
    page = researcher.open(login=False, width=width)
    page.add_init_script(f"({WRITES})()")
    page.goto(f"/learn/laboratory/arithmetic/?on=sample:apple&{query}")
    wait_until_ready(page)
    for canvas in canvases:
        eventually(page, "(canvas) => window.written.some(([name]) => name === canvas)", canvas)
        shares = [share for name, share in page.evaluate("window.written") if name == canvas]
        assert max(shares) < 0.97 / across
    gaps = page.locator(".legend-ends:visible").evaluate_all(GAPS)
    assert len(gaps) >= 2
    assert min(gaps) >= 5


@BOTH_WIDTHS
@BOTH_LANGUAGES
def test_all_columns_of_a_lesson_are_seen_at_once(researcher: Visitor, locale: str, width: int) -> None:
    page = researcher.open(login=False, width=width, locale=locale)
    found = {}
    for lesson in lessons.every():
        if lesson.kind == "lesson":
            open_lesson(page, lesson.slug)
            found[lesson.slug] = page.evaluate(TOO_WIDE)
    assert len(found) == 11
    assert {slug: tables for slug, tables in found.items() if tables} == {}


@BOTH_LANGUAGES
@pytest.mark.parametrize(
    ("slug", "query"),
    [
        *((slug, "") for slug in ("belief", "cost", "dose", "kernel", "skip", "training")),
        ("xray", "&network=vgg&layer=block1/relu2"),
    ],
)
def test_all_columns_of_a_figure_in_a_lesson_are_seen_at_once(
    researcher: Visitor, slug: str, query: str, locale: str
) -> None:
    page = open_figure(researcher, slug, f"lesson/?on=sample:apple{query}", width=IN_A_LESSON, locale=locale)
    expect(page.locator("[aria-busy=true]")).to_have_count(0, timeout=SOON)
    assert page.locator("table:visible").count()
    assert page.evaluate(TOO_WIDE) == []


@BOTH_LANGUAGES
def test_a_row_s_name_above_its_numbers_is_still_its_header(researcher: Visitor, locale: str) -> None:
    page = open_figure(researcher, "skip", width=360, locale=locale)
    table = page.locator("[data-skip] table")
    rows = table.get_by_role("row")
    # The heads, and both kinds of network at every depth.
    names = table.get_by_role("rowheader").all_inner_texts()
    assert len(names) == len(set(names)) == rows.count() - 1
    for row in rows.all()[1:]:
        name = row.get_by_role("rowheader").bounding_box()
        cells = [cell.bounding_box() for cell in row.get_by_role("cell").all()]
        assert name
        assert len(cells) == 4
        assert all(cell and cell["y"] >= name["y"] + name["height"] - 1 for cell in cells)
    lefts = {round(row.get_by_role("rowheader").bounding_box()["x"]) for row in rows.all()[1:]}  # type: ignore[index]
    assert len(lefts) == 1
