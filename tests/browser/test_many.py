"""Many pictures at once: folders, each with its own progress and reason, more of them later, and after a reload."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from tests import pictures
from tests.browser.conftest import Visitor, one_colour, upload
from tests.browser.test_journey import fits

DRAFT = "**/predict/draft/"


def opened(visitor: Visitor, **options: Any) -> Page:
    page = visitor.open(**options)
    page.goto("/predict/")
    return page


def rows(page: Page) -> Any:
    return page.locator(".several li")


def states(page: Page, *expected: str) -> None:
    expect(page.locator(".several .state")).to_have_text([re.compile(one) for one in expected])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Pictures in folders that are called like classes, and what else lies in folders."""
    root = tmp_path / "test set"
    for name in ("blue/1.png", "blue/10.png", "red/2.png"):
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(one_colour(file.parent.name, (60, 60)))
    (root / "red" / "notes.txt").write_text("no picture")
    (root / "blue" / ".hidden.png").write_bytes(one_colour("green"))
    (root / "Thumbs.db").write_bytes(b"nothing")
    (root / "loose.png").write_bytes(one_colour("green", (60, 60)))
    return root


def test_a_chosen_folder_gives_its_pictures_and_their_folders_as_labels(
    visitor: Visitor, folder: Path
) -> None:
    page = opened(visitor)
    page.set_input_files("#id_folder", folder)
    names = page.locator(".several .filename")
    expect(names).to_have_text(["blue / 1.png", "blue / 10.png", "test set / loose.png", "red / 2.png"])
    expect(page.locator("[data-many-sum]")).to_have_text("4 of 4 ready")
    with page.expect_request("**/predict/") as request:
        page.click("[data-send]")
    sent = re.findall(r'name="(draft|folder)"\r\n\r\n(.*?)\r\n', request.value.post_data or "")
    assert [value for name, value in sent if name == "folder"] == ["blue", "blue", "test set", "red"]
    assert len([value for name, value in sent if name == "draft"]) == 4
    page.wait_for_url("**/batches/**")


def test_a_dropped_folder_is_searched_to_its_bottom(visitor: Visitor, folder: Path) -> None:
    page = opened(visitor)
    place = page.locator("[data-stage]").bounding_box()
    assert place
    spot = {"x": place["x"] + 40, "y": place["y"] + 40}
    data = {"items": [], "files": [str(folder)], "dragOperationsMask": 1}
    devtools = page.context.new_cdp_session(page)
    for kind in ("dragEnter", "dragOver", "drop"):
        devtools.send("Input.dispatchDragEvent", {"type": kind, **spot, "data": data})
    names = page.locator(".several .filename")
    expect(names).to_have_text(["blue / 1.png", "blue / 10.png", "test set / loose.png", "red / 2.png"])
    expect(page.locator("[data-many-sum]")).to_have_text("4 of 4 ready")


def test_a_folder_without_pictures_says_so(visitor: Visitor, tmp_path: Path) -> None:
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "letter.txt").write_text("Dear reader")
    page = opened(visitor)
    page.set_input_files("#id_folder", tmp_path / "letters")
    expect(page.locator("[data-picture-error]")).to_contain_text("There is no picture in it.")


def test_failures_stand_beside_successes_and_each_has_its_picture(visitor: Visitor) -> None:
    visitor.expect("status of 422")
    page = opened(visitor, width=360)
    heic = next(name for name in pictures.ACCEPTED if name.endswith(".heic"))
    files = [
        upload("red.png", one_colour("red")),
        upload("fake.jpg", b"nonsense"),
        upload("tiny.png", one_colour("blue", (10, 10))),
        upload(heic, pictures.ACCEPTED[heic]()),
    ]
    page.set_input_files("#id_image", files)
    states(page, "^ready$", "This file is not a picture", "only 10 × 10 pixels", "^ready$")
    expect(rows(page).nth(0).locator("canvas")).to_be_visible()
    # Chromium cannot draw it; the site's own small picture stands there as soon as there is one.
    shown = rows(page).nth(3).locator("img")
    shown.scroll_into_view_if_needed()
    expect(shown).to_be_visible()
    assert shown.evaluate("image => image.decode().then(() => image.naturalWidth)") > 0
    expect(page.locator("[data-many-sum]")).to_have_text("3 of 4 ready, 1 refused")
    expect(page.locator("[data-many-says]")).to_have_text("3 of 4 ready, 1 refused")
    expect(rows(page).nth(1).get_by_role("button")).to_have_text(["Remove"])
    assert fits(page)


def test_a_problem_that_passes_is_tried_again_by_itself_and_by_hand(visitor: Visitor) -> None:
    visitor.expect("status of 503", "status of 403")
    page = opened(visitor)
    answers = [503, 403, 200, 200]

    def answer(route: Route) -> None:
        status = answers.pop(0) if answers else 200
        if status == 200:
            route.continue_()
        else:
            error = {"code": "bad_moment", "message": f"A bad moment ({status})."}
            route.fulfill(status=status, json={"error": error})

    page.route(DRAFT, answer)
    page.set_input_files("#id_image", [upload(f"{c}.png", one_colour(c)) for c in ("red", "blue")])
    states(page, "^ready$|403", "^ready$|403")
    page.get_by_role("button", name=re.compile("^Try .* again$")).click()
    states(page, "^ready$", "^ready$")
    expect(page.locator("[data-many-sum]")).to_have_text("2 of 2 ready")


def next_of(page: Page, held: list[Route]) -> Route:
    """The request that is held back, as soon as the page has made it."""
    while not held:
        page.evaluate("() => new Promise(requestAnimationFrame)")
    return held.pop(0)


def test_every_picture_shows_how_far_it_is(visitor: Visitor) -> None:
    page = opened(visitor)
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route(DRAFT, hold)
    page.set_input_files("#id_image", [upload(f"{c}.png", one_colour(c)) for c in ("red", "blue")])
    states(page, "^being (sent|read)", "^waiting$")
    expect(rows(page).nth(0).get_by_role("progressbar")).to_be_visible()
    expect(page.locator("[data-many-sum]")).to_have_text("0 of 2 ready")
    next_of(page, held).continue_()
    states(page, "^ready$", "^being (sent|read)")
    next_of(page, held).continue_()
    states(page, "^ready$", "^ready$")


def test_more_pictures_join_the_list_and_the_last_one_removed_ends_it(visitor: Visitor) -> None:
    page = opened(visitor)
    page.set_input_files("#id_image", [upload(f"{c}.png", one_colour(c)) for c in ("red", "blue")])
    expect(page.locator("label[for=id_image]")).to_have_text("Add more pictures")
    page.set_input_files("#id_image", upload("green.png", one_colour("green")))
    states(page, "^ready$", "^ready$", "^ready$")
    for _ in range(3):
        rows(page).first.get_by_role("button", name="Remove").click()
    expect(page.locator("[data-many]")).to_be_hidden()
    expect(page.locator("label[for=id_image]")).to_have_text("Choose pictures")
    expect(page.locator("[data-sample]").first).to_be_visible()


def test_a_reload_brings_back_what_was_sent_and_tells_what_was_not(visitor: Visitor) -> None:
    visitor.expect("status of 422")
    page = opened(visitor)
    hold: list[Route] = []

    def answer(route: Route) -> None:
        hold.append(route) if b"last.png" in (route.request.post_data_buffer or b"") else route.continue_()

    page.route(DRAFT, answer)
    files = [upload("red.png", one_colour("red")), upload("fake.jpg", b"nonsense")]
    page.set_input_files("#id_image", [*files, upload("last.png", one_colour("blue"))])
    states(page, "^ready$", "This file is not a picture", "^being")
    page.reload()
    states(page, "^ready$", "This file is not a picture")
    expect(page.locator("[data-picture-error]")).to_have_text(
        "1 picture had not been sent yet; choose it again."
    )
    shown = rows(page).first.locator("img")
    assert shown.evaluate("image => image.decode().then(() => image.naturalWidth)") > 0
    page.unroute(DRAFT)
    page.set_input_files("#id_image", upload("last.png", one_colour("blue")))
    states(page, "^ready$", "This file is not a picture", "^ready$")
    page.click("[data-send]")
    page.wait_for_url("**/batches/**")
    expect(page.locator("main")).to_contain_text("red.png")
    expect(page.locator("main")).to_contain_text("last.png")
    page.goto("/predict/")
    expect(page.locator("[data-many]")).to_be_hidden()


def test_what_was_removed_elsewhere_meanwhile_is_named_and_the_rest_is_asked_about(visitor: Visitor) -> None:
    visitor.expect("status of 422", "status of 404")
    page = opened(visitor)
    page.set_input_files("#id_image", [upload(f"{c}.png", one_colour(c)) for c in ("red", "blue", "green")])
    states(page, "^ready$", "^ready$", "^ready$")
    page.reload()
    states(page, "^ready$", "^ready$", "^ready$")
    page.route(
        "**/pictures/**", lambda route: route.fulfill(status=404) if gone(route) else route.continue_()
    )
    page.route("**/predict/", refuse_once())
    page.click("[data-send]")
    page.wait_for_url("**/batches/**")
    expect(page.locator("main")).to_contain_text("red.png")
    expect(page.locator("main")).to_contain_text("This picture is no longer there. Choose it again.")


def gone(route: Route) -> bool:
    """The first picture that is looked for."""
    gone.first = getattr(gone, "first", route.request.url.split("?")[0])  # type: ignore[attr-defined]
    return bool(route.request.url.split("?")[0] == gone.first)  # type: ignore[attr-defined]


def refuse_once() -> Any:
    refused: list[Route] = []

    def answer(route: Route) -> None:
        if route.request.method != "POST" or refused:
            return route.continue_()
        refused.append(route)
        error = {"code": "picture_gone", "message": "A picture is no longer there. Choose it again."}
        return route.fulfill(status=422, json={"error": error})

    return answer


def test_two_hundred_are_taken_and_the_rest_is_told(visitor: Visitor) -> None:
    page = opened(visitor)
    page.route(DRAFT, lambda route: None)
    many = [upload(f"{i}.png", one_colour("red", (8, 8))) for i in range(203)]
    page.set_input_files("#id_image", many)
    expect(rows(page)).to_have_count(200)
    expect(page.locator("[data-picture-error]")).to_contain_text("At most 200 pictures go at a time")
    expect(page.locator("[data-many-sum]")).to_have_text("0 of 200 ready")
    page.click("[data-many-clear]")
    expect(rows(page)).to_have_count(0)
    expect(page.locator("#id_image")).to_be_focused()
