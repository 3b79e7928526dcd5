"""Stars, names and notes: what an owner makes of predictions, with and without a script."""

from __future__ import annotations

import re

import pytest
from django.template.loader import render_to_string
from django.test import Client

from accounts.models import User
from predictions import lifecycle
from predictions.models import Prediction
from tests.factories import make_runs, make_user
from tests.predictions.history_pages import JSON, answered, text

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("small_networks", "no_wake_ups")]


def edit(page: Client, run: Prediction, **values: str):
    return page.post(f"/predictions/{run.pk}/edit/", values, headers=JSON)


# --- stars --------------------------------------------------------------------------------------------------


def test_a_script_stars_one_and_takes_the_star_away(page: Client, user: User) -> None:
    run = answered(user, 0.9)
    answer = page.post("/predictions/star/", {"id": str(run.pk), "starred": "1"}, headers=JSON).json()
    assert answer == {"starred": True, "count": 1, "message": "The prediction is starred."}
    assert 'aria-pressed="true"' in page.get("/history/").content.decode()
    answer = page.post("/predictions/star/", {"id": str(run.pk), "starred": "0"}, headers=JSON).json()
    assert answer == {"starred": False, "count": 1, "message": "The star is gone."}
    assert 'aria-pressed="true"' not in page.get("/history/").content.decode()


def test_many_are_starred_at_once(page: Client, user: User) -> None:
    runs = make_runs(user, pictures=3, models=("tiny",))
    ids = [str(run.pk) for run in runs[:2]]
    answer = page.post("/predictions/star/", {"id": ids, "starred": "1"}, headers=JSON).json()
    assert answer["message"] == "2 predictions are starred."
    assert Prediction.objects.of(user).filter(starred=True).count() == 2


def test_without_a_script_a_star_leads_back_to_where_it_was_given(page: Client, user: User) -> None:
    run = answered(user, 0.9)
    sent = {"id": str(run.pk), "starred": "1"}
    response = page.post("/predictions/star/", {**sent, "query": "model=tiny&page=1"})
    assert response["Location"] == "/history/?model=tiny&page=1"
    assert page.post("/predictions/star/", sent)["Location"] == run.get_absolute_url()
    run.refresh_from_db()
    assert run.starred
    response = page.post("/predictions/star/", {"query": "", "starred": "1"}, follow=True)
    assert "Nothing was selected." in text(response)


@pytest.mark.parametrize(("starred", "form"), [(False, "star-1"), (True, "star-0")])
def test_without_a_script_an_entrys_buttons_send_what_the_forms_of_the_page_say(
    page: Client, user: User, starred: bool, form: str
) -> None:
    run = answered(user, 0.9)
    lifecycle.mark(user, [run.pk], starred=starred)
    html = page.get("/history/?model=tiny").content.decode()
    assert f'form="{form}" name="id" value="{run.pk}"' in html
    assert f'form="delete-one" name="id" value="{run.pk}"' in html
    forms = {
        name: (action, dict(re.findall(r'type="hidden" name="(query|starred)" value="([^"]*)"', inside)))
        for name, action, inside in re.findall(
            r'<form id="([^"]+)" method="post" action="([^"]+)">(.*?)</form>', html
        )
    }
    assert forms == {
        "star-1": ("/predictions/star/", {"query": "model=tiny", "starred": "1"}),
        "star-0": ("/predictions/star/", {"query": "model=tiny", "starred": "0"}),
        "delete-one": ("/predictions/delete/", {"query": "model=tiny"}),
    }
    assert f'href="{run.get_absolute_url()}#marks"' in html
    assert 'id="marks"' in page.get(run.get_absolute_url()).content.decode()


# --- name and note ------------------------------------------------------------------------------------------


def test_a_picture_gets_another_name_in_all_its_predictions(page: Client, user: User) -> None:
    runs = make_runs(user)
    answer = edit(page, runs[0], filename="My fox.png")
    assert answer.json() == {"filename": "My fox.png", "note": "", "message": "Saved."}
    html = text(page.get("/history/?q=FOX"))
    assert html.count("data-run=") == len(runs) > 1
    assert "data-filename>My fox.png<" in html


def test_a_note_is_kept_with_its_lines_and_an_empty_one_removes_it(page: Client, user: User) -> None:
    run = answered(user, 0.9, name="fox.png")
    assert edit(page, run, note="first\r\nsecond  \r\n").json()["note"] == "first\nsecond"
    assert "first\nsecond</p>" in page.get("/history/").content.decode()
    assert edit(page, run, filename="wolf.png").json() == {
        "filename": "wolf.png",
        "note": "first\nsecond",
        "message": "Saved.",
    }
    assert edit(page, run, note="").json()["note"] == ""


@pytest.mark.parametrize(
    ("values", "field", "sentence"),
    [
        ({"filename": "  "}, "filename", "A picture needs a file name. Write one."),
        ({"filename": "..."}, "filename", "A file name needs at least one letter or digit."),
        ({"filename": "x" * 121}, "filename", "at most 120 characters"),
        ({"note": "x" * 501}, "note", "at most 500 characters"),
    ],
)
def test_what_cannot_be_kept_is_refused_and_changes_nothing(
    page: Client, user: User, values: dict[str, str], field: str, sentence: str
) -> None:
    run = answered(user, 0.9, name="fox.png", note="as before")
    response = edit(page, run, **values)
    assert response.status_code == 422
    error = response.json()["error"]
    assert sentence in error["message"]
    assert sentence in error["fields"][field][0]
    run = Prediction.objects.select_related("upload").get(pk=run.pk)
    assert (run.upload.filename, run.note) == ("fox.png", "as before")


def test_500_characters_on_many_lines_are_not_too_many(page: Client, user: User) -> None:
    run = answered(user, 0.9)
    assert edit(page, run, note="x\r\n" * 249 + "xx").status_code == 200


def test_without_a_script_saving_leads_back_and_says_so(page: Client, user: User) -> None:
    run = answered(user, 0.9, name="fox.png")
    address = f"/predictions/{run.pk}/edit/"
    response = page.post(address, {"filename": "wolf.png", "note": "hm", "query": "sort=oldest"}, follow=True)
    assert response.redirect_chain == [("/history/?sort=oldest", 302)]
    assert "Saved." in text(response)
    assert page.post(address, {"note": "hm"})["Location"] == run.get_absolute_url()
    response = page.post(address, {"filename": "", "query": ""}, follow=True)
    assert "A picture needs a file name. Write one." in text(response)


def test_what_was_written_is_text_and_nothing_else(page: Client, user: User) -> None:
    answered(user, 0.9, name="<b>x</b>.png", note="<script>alert(1)</script>")
    html = page.get("/history/").content.decode()
    assert "<script>alert(1)" not in html
    assert "<b>x</b>" not in html


def test_the_marks_stand_on_any_page_that_has_a_run(user: User, rf) -> None:
    run = answered(user, 0.9, name="fox.png", note="hm")
    html = render_to_string("predictions/_marks.html", {"run": run}, rf.get("/"))
    assert 'name="query"' not in html
    assert html.count("csrfmiddlewaretoken") == 2
    labels = re.findall(r'<label for="([^"]+)"', html)
    assert len(labels) == 2
    assert all(f'id="{name}"' in html for name in labels)


# --- whose --------------------------------------------------------------------------------------------------


def test_a_predictions_own_page_marks_the_run_of_its_address(page: Client, user: User) -> None:
    for run in make_runs(user):
        html = page.get(f"/predictions/{run.pk}/").content.decode()
        assert f'action="/predictions/{run.pk}/edit/"' in html
        assert html.count("data-star") == 1


def test_strangers_are_told_to_log_in(client: Client, user: User) -> None:
    run = answered(user, 0.9)
    assert client.post("/predictions/star/", {"id": str(run.pk)}, headers=JSON).status_code == 401
    assert client.post(f"/predictions/{run.pk}/edit/", {"note": "x"}, headers=JSON).status_code == 401


def test_nobody_marks_somebody_elses(page: Client) -> None:
    run = answered(make_user(), 0.9, name="fox.png")
    assert page.post("/predictions/star/", {"id": str(run.pk)}, headers=JSON).json()["count"] == 0
    assert edit(page, run, filename="wolf.png", note="mine").status_code == 404
    run = Prediction.objects.select_related("upload").get(pk=run.pk)
    assert (run.starred, run.upload.filename, run.note) == (False, "fox.png", "")


def test_what_is_deleted_cannot_be_marked(page: Client, user: User) -> None:
    run = answered(user, 0.9)
    page.post("/predictions/delete/", {"id": str(run.pk)})
    assert page.post("/predictions/star/", {"id": str(run.pk)}, headers=JSON).json()["count"] == 0
    assert edit(page, run, note="x").status_code == 404
