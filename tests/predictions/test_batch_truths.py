"""True labels of a batch: how they come in, what is said about those that match nothing, and what is counted."""

from __future__ import annotations

import csv
import io
import re
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import translation

from accounts.models import User
from predictions import services, truths
from predictions.accuracy import Share, confusion
from predictions.models import Batch, Prediction
from tests import pictures
from tests.factories import finish, make_picture

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("small_networks", "no_wake_ups")]

JSON = {"accept": "application/json"}


def text(response: Any) -> str:
    html = re.sub(r"\s+", " ", response.content.decode())
    return html.replace("\N{NO-BREAK SPACE}", " ")


def send(user: User, *names: str, models: tuple[str, ...] = ()) -> list[Prediction]:
    return services.submit(user, [make_picture()._replace(filename=name) for name in names], models).runs


def give(page: Client, batch: Batch, given: str | bytes, **more: Any) -> Any:
    values = {"file": io.BytesIO(given)} if isinstance(given, bytes) else {"text": given}
    return page.post(f"/batches/{batch.pk}/truths/", values | more)


def labels(batch: Batch) -> list[str]:
    """The true labels in the order of the pictures; empty where there is none."""
    batch.refresh_from_db()
    uploads = batch.predictions.order_by("position").values_list("upload", flat=True)
    return [batch.truths.get(str(pk), "") for pk in dict.fromkeys(uploads)]


REFUSED = services.RejectedPicture("IMG.jpg", "not_an_image", "This file is not a picture.")


def with_a_refused_one(user: User) -> list[Prediction]:
    """IMG.jpg three times, of which the first is no picture."""
    two = [make_picture()._replace(filename="IMG.jpg") for _ in range(2)]
    return services.submit(user, [REFUSED, *two], ["tiny"]).runs


@pytest.mark.parametrize("form", ["?form=labels&model=tiny", ""])
def test_a_downloaded_table_gives_each_label_to_its_picture_beside_refused_ones(
    page: Client, user: User, form: str
) -> None:
    runs = with_a_refused_one(user)
    for place, run in enumerate(runs):
        finish(run, first=place)
    batch = runs[0].batch
    table = b"".join(page.get(f"/batches/{batch.pk}/results.csv{form}").streaming_content).decode("utf-8-sig")
    if not form:
        rows = list(csv.reader(io.StringIO(table)))
        at = rows[0].index("true label")
        for row, label in zip(rows[1:], ["", "red", "green"], strict=True):
            row[at] = label
        table = "\n".join(f"{row[0]},{row[at]}" for row in rows)
    assert "IMG (2).jpg,red" in table
    give(page, batch, table)
    assert labels(batch) == ["red", "green"]


def test_a_row_for_each_file_sent_skips_the_refused_one_and_a_row_for_each_taken_does_not(
    page: Client, user: User
) -> None:
    batch = with_a_refused_one(user)[0].batch
    give(page, batch, "IMG.jpg,blue\nIMG.jpg,red\nIMG.jpg,green\n")
    assert labels(batch) == ["red", "green"]
    give(page, batch, "IMG.jpg,green\nIMG.jpg,red\n")
    assert labels(batch) == ["green", "red"]


def test_a_row_for_a_refused_picture_names_no_picture(page: Client, user: User) -> None:
    other = services.RejectedPicture("other.jpg", "not_an_image", "This file is not a picture.")
    runs = services.submit(user, [other, make_picture()._replace(filename="a.png")], ["tiny"]).runs
    said = text(give(page, runs[0].batch, "other.jpg,blue\na.png,red\n"))
    assert "1 row names no picture of this batch: “other.jpg”." in said
    assert labels(runs[0].batch) == ["red"]


# --- coming in ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "given",
    [
        "a.png,red\nb.png,sea_green\n",
        "file name,label\r\na.png,red\r\nb.png,sea_green\r\n",
        b"\xef\xbb\xbfa.png;red\nb.png;sea green\n",
        "\ufeffa.png;red\nb.png;sea green\n".encode("utf-16-le"),
        "Datei;Klasse\na.png;red\nb.png;sea green\n",
        "label\tname\nred\ta.png\nSea-Green\tb.png",
        '"a.png","red"\n"B.PNG"," SEA  GREEN "\n\n',
        "photos/a.png,red\nC:\\photos\\b.png,sea_green",
        "file name,status,true label,tiny label 1\na.png,taken,red,blue\nb.png,taken,sea_green,blue\n",
    ],
)
def test_tables_of_many_kinds_are_understood(page: Client, user: User, given: str | bytes) -> None:
    batch = send(user, "a.png", "b.png")[0].batch
    response = give(page, batch, given)
    assert response.status_code == 302
    assert labels(batch) == ["red", "sea_green"]
    assert "2 pictures have their true label." in text(page.get(batch.get_absolute_url()))


def test_a_comma_in_a_file_name_does_not_mislead(page: Client, user: User) -> None:
    batch = send(user, "red, blue.png", "b.png")[0].batch
    give(page, batch, "red, blue.png;red\nb.png;blue")
    assert labels(batch) == ["red", "blue"]
    give(page, batch, '"red, blue.png",green')
    assert labels(batch) == ["green", "blue"]


def test_classes_are_matched_in_the_readers_language_too(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(truths, "_", lambda name: {"sea green": "Seegrün"}.get(name, name))
    with translation.override("de"):
        classes = truths.classes_of(["tiny"])
    assert classes[truths.folded("seegrün")] == "sea_green"
    assert classes[truths.folded("Sea Green")] == "sea_green"


def test_what_matches_is_kept_and_the_rest_is_told_with_examples(page: Client, user: User) -> None:
    batch = send(user, "a.png", "b.png", "c.png")[0].batch
    response = give(page, batch, "a.png,red\nz.png,blue\nb.png,purple\n")
    assert response.status_code == 422
    html = text(response)
    assert labels(batch) == ["red", "", ""]
    assert "1 picture has its true label." in html
    assert "1 row names no picture of this batch: “z.png”." in html
    assert "1 row names no class of these networks: “purple”." in html
    # What is left to be corrected stands in the field.
    assert re.search(r"<textarea[^>]*>b.png,purple z.png,blue</textarea>", html)


def test_a_later_word_adds_to_what_is_there(page: Client, user: User) -> None:
    batch = send(user, "a.png", "b.png")[0].batch
    give(page, batch, "a.png,red")
    give(page, batch, "b.png,blue")
    give(page, batch, "a.png,green")
    assert labels(batch) == ["green", "blue"]
    give(page, batch, "", clear="1")
    assert labels(batch) == ["", ""]


def test_one_row_for_several_pictures_of_one_name_is_refused(page: Client, user: User) -> None:
    batch = send(user, "a.png", "a.png", "b.png")[0].batch
    html = text(give(page, batch, "a.png,red\nb.png,blue"))
    assert labels(batch) == ["", "", "blue"]
    assert "1 row names several pictures at once: “a.png”." in html
    assert ">a.png,red</textarea>" in html


def test_lines_that_are_no_rows_are_told(page: Client, user: User) -> None:
    batch = send(user, "a.png", "b.png")[0].batch
    html = text(give(page, batch, "a.png,red\nb.png;blue\nb.png"))
    assert labels(batch) == ["red", ""]
    assert "2 lines have no file name and label: “b.png;blue”, “b.png”." in html


def test_labels_that_were_removed_stand_there_to_be_used_again(page: Client, user: User) -> None:
    batch = send(user, "a.png", "a.png", "b.png")[0].batch
    give(page, batch, "a.png,green\na.png,blue")
    give(page, batch, "", clear="1")
    assert labels(batch) == ["", "", ""]
    address = batch.get_absolute_url()
    assert ">a.png,green a (2).png,blue</textarea>" in text(page.get(address))
    assert "a.png,green" not in text(page.get(address))
    give(page, batch, "a.png,green\na (2).png,blue")
    assert labels(batch) == ["green", "blue", ""]


def test_equal_file_names_get_their_labels_in_order(page: Client, user: User) -> None:
    batch = send(user, "a.png", "a.png", "b.png")[0].batch
    give(page, batch, "a.png,green\na.png,blue")
    assert labels(batch) == ["green", "blue", ""]
    give(page, batch, "a (2).png,white")
    assert labels(batch) == ["green", "white", ""]
    assert "names no picture" in text(give(page, batch, "a.png,red\na.png,red\na.png,red"))


@pytest.mark.parametrize("given", ["", "nothing of use", "\0\0", b"\x89PNG\r\n\x1a\n" * 9, ",\n,\n", '"'])
def test_what_is_no_table_is_refused_with_a_sentence(page: Client, user: User, given: str | bytes) -> None:
    batch = send(user, "a.png", "b.png")[0].batch
    response = give(page, batch, given)
    assert response.status_code == 422
    assert "There are no file names with labels in this." in text(response)
    assert page.post(f"/batches/{batch.pk}/truths/", headers=JSON).status_code == 422


def test_too_long_a_table_is_refused(page: Client, user: User) -> None:
    batch = send(user, "a.png", "b.png")[0].batch
    assert "at most 1 MB" in text(give(page, batch, b"a.png,red\n" * 110_000))
    assert labels(batch) == ["", ""]


def test_the_labels_of_a_whole_data_set_may_be_given(page: Client, user: User) -> None:
    batch = send(user, "a.png", "b.png")[0].batch
    lines = "".join(f"{n}.png\tblue\n" for n in range(20_000))
    response = give(page, batch, f"{lines}a.png\tred\nb.png\twhyte\n")
    assert labels(batch) == ["red", ""]
    assert "20000 rows name no picture of this batch" in text(response)
    # What can be corrected comes first, and the field stays small enough to be read.
    assert ">b.png,whyte 0.png,blue" in text(response)
    assert len(response.content) < 60_000


def test_a_scripts_answer_is_json(page: Client, user: User) -> None:
    batch = send(user, "a.png", "b.png")[0].batch
    address = f"/batches/{batch.pk}/truths/"
    assert "1 picture" in page.post(address, {"text": "a.png,red"}, headers=JSON).json()["message"]
    answer = page.post(address, {"text": "a.png,redd"}, headers=JSON)
    assert answer.json()["error"]["code"] == "truths_unmatched"


# --- folders ------------------------------------------------------------------------------------------------


def test_folders_that_are_called_like_classes_give_the_labels(page: Client) -> None:
    drafts = []
    for name in ("1.jpg", "2.jpg", "3.jpg"):
        file = SimpleUploadedFile(name, pictures.jpeg())
        drafts.append(page.post("/predict/draft/", {"image": file}, headers=JSON).json()["id"])
    folders = ["photos/red", "photos\\Sea Green/", "photos/holidays"]
    values = {"draft": drafts, "folder": folders, "model": ["tiny"]}
    answer = page.post("/predict/", values, headers=JSON).json()
    assert labels(Batch.objects.get(pk=answer["batch"])) == ["red", "sea_green", ""]


def test_without_folders_nothing_is_claimed(user: User) -> None:
    runs = send(user, "1.jpg", "2.jpg", models=("tiny",))
    uploads = [run.upload for run in runs]
    assert truths.truths_from_folders(runs[0].batch, uploads, []) == 0
    assert truths.truths_from_folders(runs[0].batch, uploads, ["", "/"]) == 0
    assert labels(runs[0].batch) == ["", ""]


# --- counting -----------------------------------------------------------------------------------------------


def test_each_network_has_its_accuracy_with_an_interval(page: Client, user: User) -> None:
    runs = send(user, *(f"{n}.png" for n in range(4)))
    # Classes in their order: red green blue white black; the top five begin with the first given.
    for run, first in zip(runs, [0, 1, 0, 0, 1, 2, 1, 2], strict=True):
        finish(run, first=first)
    batch = runs[0].batch
    give(page, batch, "0.png,red\n1.png,red\n2.png,green\n3.png,blue")
    html = text(page.get(batch.get_absolute_url()))
    shares = re.findall(r"data-top[15]> ([\d.]+%) <span[^>]*>\(([\d.]+%) to ([\d.]+%)\), (\d) of (\d)<", html)
    assert shares == [
        ("75.0%", "30.1%", "95.4%", "3", "4"),
        ("100.0%", "51.0%", "100.0%", "4", "4"),
        ("50.0%", "15.0%", "85.0%", "2", "4"),
        ("50.0%", "15.0%", "85.0%", "2", "4"),
    ]
    assert (html.count(">right<"), html.count(">wrong<")) == (5, 3)


def test_the_matrix_counts_what_was_called_what(page: Client, user: User) -> None:
    runs = send(user, "0.png", "1.png", "2.png", models=("tiny",))
    for run, first in zip(runs, [0, 1, 1], strict=True):
        finish(run, first=first)
    give(page, runs[0].batch, "0.png,red\n1.png,red\n2.png,green")
    html = text(page.get(runs[0].batch.get_absolute_url()))
    matrix = html[html.index('class="confusion"') :].split("</table>")[0]
    assert re.findall(r'<th scope="row">(\w+)</th>', matrix) == ["green", "red"]
    cells = re.findall(r'<td(?: class="([\w -]+)")?>(\d*)</td>', matrix)
    assert cells == [
        ("", ""),
        ("right heat-4", "1"),
        ("", ""),
        ("total", "1"),
        ("wrong heat-3", "1"),
        ("right heat-3", "1"),
        ("total", "2"),
    ]


def test_a_large_matrix_shows_the_twenty_most_frequent_classes() -> None:
    pairs = [(f"class {n:02}", f"class {n:02}") for n in range(30) for _ in range(40 - n)]
    matrix = confusion(pairs)
    assert matrix.classes == [f"class {n:02}" for n in range(20)]
    assert (matrix.all_classes, matrix.left_out) == (30, sum(40 - n for n in range(20, 30)))


def test_a_picture_without_a_label_or_an_answer_is_not_counted(page: Client, user: User) -> None:
    runs = send(user, "0.png", "1.png", "2.png", models=("tiny",))
    finish(runs[0], first=0)
    finish(runs[1], first=0)
    give(page, runs[0].batch, "0.png,red\n2.png,red")
    html = text(page.get(runs[0].batch.get_absolute_url()))
    assert "2 of 3 pictures have a true label." in html
    assert "1 of 1" in html
    assert (html.count(">right<"), html.count(">wrong<")) == (1, 0)


def test_labels_before_any_answer_say_that_nothing_can_be_counted_yet(page: Client, user: User) -> None:
    runs = send(user, "0.png", "1.png", models=("tiny",))
    give(page, runs[0].batch, "0.png,red")
    assert "No picture that has a true label is answered yet" in text(
        page.get(runs[0].batch.get_absolute_url())
    )


@pytest.mark.parametrize(
    ("right", "n", "low", "high"),
    [(0, 10, 0.0, 0.2775), (10, 10, 0.7225, 1.0), (1, 1, 0.2065, 1.0), (81, 263, 0.2553, 0.3662)],
)
def test_the_interval_is_wilsons(right: int, n: int, low: float, high: float) -> None:
    share = Share(right, n)
    assert (share.low, share.high) == pytest.approx((low, high), abs=5e-5)
