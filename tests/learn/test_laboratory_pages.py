"""The laboratory's pages: what is looked at, what cannot be, and what an address asks for that does not exist."""

from __future__ import annotations

import json
import re
import uuid
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.conf import settings as site
from django.test import Client
from django.utils import timezone

from accounts.models import User
from learn import laboratory
from ml import artifact
from predictions import lifecycle, moderation
from predictions.models import Prediction, Share, Upload
from tests.factories import finish, make_guest, make_runs, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_wake_ups")]

SLUGS = [figure.slug for figure in laboratory.every()]
ROOT = "/learn/laboratory/"


@pytest.fixture
def owner() -> User:
    return make_user("owner@example.com")


@pytest.fixture
def answered(owner: User) -> Prediction:
    """The run that was asked for, of a picture with a bar over it; that of the whole picture is answered as well."""
    run = make_runs(owner, models=("vgg",), bars=[[0.1, 0.2, 0.3, 0.4]])[0]
    for other in Prediction.objects.filter(upload=run.upload).exclude(pk=run.pk):
        finish(other)
    return finish(run)


@pytest.fixture
def own(owner: User) -> Client:
    client = Client()
    client.force_login(owner)
    return client


def subject_in(html: str) -> dict[str, Any]:
    found = re.search(r'<script id="laboratory-subject" type="application/json">(.*?)</script>', html, re.S)
    assert found
    return json.loads(found[1])


def figure_page(client: Client, slug: str = SLUGS[0], **query: str) -> Any:
    return client.get(f"{ROOT}{slug}/", query, headers={"accept": "text/html"})


def test_the_entrance_offers_every_figure_and_the_samples(client: Client) -> None:
    html = client.get(ROOT).content.decode()
    for figure in laboratory.every():
        assert f'href="{ROOT}{figure.slug}/?on=sample%3Aapple"' in html
        assert str(figure.summary) in unescape(html)
    for name in site.LABORATORY_SAMPLES:
        assert f"on=sample%3A{name}" in html
    assert "Your own" not in html


def test_without_figures_made_beforehand_the_samples_are_offered_all_the_same(
    client: Client, settings: Any
) -> None:
    settings.LABORATORY_SAMPLES = []
    html = client.get(ROOT).content.decode()
    assert "on=sample%3Aapple" in html
    assert figure_page(client, "belief").status_code == 200


def test_the_entrance_offers_ones_own_answered_pictures(own: Client, answered: Prediction) -> None:
    html = own.get(ROOT).content.decode()
    assert "Your own" in html
    assert f"on={answered.pk}" in html
    assert f"on={answered.pk}" not in Client().get(ROOT).content.decode()


def test_what_is_chosen_on_the_entrance_goes_to_the_figures(own: Client, answered: Prediction) -> None:
    html = own.get(ROOT, {"on": str(answered.pk)}).content.decode()
    assert f'href="{ROOT}{SLUGS[0]}/?on={answered.pk}"' in html


@pytest.mark.parametrize("slug", SLUGS)
def test_every_figure_shows_the_first_sample_without_being_told_what(client: Client, slug: str) -> None:
    response = figure_page(client, slug)
    assert response.status_code == 200
    subject = subject_in(response.content.decode())
    assert (subject["on"], subject["kind"], subject["embed"]) == ("sample:apple", "sample", False)
    assert [one["name"] for one in subject["networks"]] == [card.name for card in artifact.cards()]
    barred = next(figure.barred for figure in laboratory.every() if figure.slug == slug)
    assert subject["covered"] is barred
    assert subject["bars"] == ([[0.2, 0.4, 0.5, 0.3]] if barred else [])


def test_a_figure_without_bars_shows_the_whole_picture_and_keeps_them_for_the_others(
    own: Client, answered: Prediction
) -> None:
    for query in ({}, {"on": str(answered.pk)}, {"bars": "[[0,0,1,0.5]]"}):
        response = figure_page(own, "kernel", **query)
        html = response.content.decode()
        assert subject_in(html)["bars"] == []
        assert [row["covered"] for row in response.context["answers"]] == [None] * len(
            response.context["answers"]
        )
        assert not re.search("Without bars|With its own bars|with bars", html)
    assert "bars=%5B%5B0%2C0%2C1%2C0.5%5D%5D" in html
    assert 'name="bars" value="[[0,0,1,0.5]]"' in html


@pytest.mark.parametrize("slug", SLUGS)
def test_no_figure_takes_the_place_of_what_the_page_says_of_the_picture(client: Client, slug: str) -> None:
    said = figure_page(client, slug).context["answers"]
    assert [one["title"] for one in said] == [card.title for card in artifact.cards()]


@pytest.mark.parametrize("slug", SLUGS)
def test_every_figure_says_something_without_scripts(client: Client, slug: str) -> None:
    html = figure_page(client, slug).content.decode()
    still = html[html.index("data-laboratory-still") :]
    still = still[still.index("</summary>") : still.index("</details>")]
    assert len(re.sub(r"<[^>]*>|\s+", " ", still).strip()) > 80


def test_the_data_of_the_page_say_what_the_networks_are(client: Client) -> None:
    card = artifact.load_card("vgg")
    vgg = subject_in(figure_page(client).content.decode())["networks"][0]
    assert vgg["version"] == card.version
    assert vgg["labels"][:2] == ["apple", "aquarium fish"]
    assert vgg["structure"] == f"{ROOT}networks/vgg/structure.json?v={card.version}"
    assert vgg["base"] == f"{ROOT}networks/vgg/"
    assert vgg["temperature"]["clean"] == pytest.approx(card.temperature, rel=0.01)
    # Under bars it is too sure of itself, and its temperature is higher.
    assert vgg["temperature"]["covered"] > vgg["temperature"]["clean"]


def test_somebodys_own_picture_comes_with_its_bars_and_answers(own: Client, answered: Prediction) -> None:
    Prediction.objects.filter(upload=answered.upload).update(artifact=artifact.load_card("vgg").version)
    html = figure_page(own, on=str(answered.pk)).content.decode()
    subject = subject_in(html)
    assert (subject["on"], subject["kind"]) == (str(answered.pk), "prediction")
    assert subject["bars"] == [[0.1, 0.2, 0.3, 0.4]]
    vgg, wide = subject["networks"]
    assert vgg["answers"]["clean"][0]["probability"] == pytest.approx(0.6)
    # It sees the same pixels, so it can be looked into, but nobody asked it.
    assert wide["answers"]["clean"] == []
    assert "has not answered" in html
    assert f'href="/predictions/{answered.pk}/"' in html


def test_other_bars_in_the_address_take_the_place_of_its_own(client: Client) -> None:
    subject = subject_in(figure_page(client, bars="[[0,0,1,0.5]]").content.decode())
    assert subject["bars"] == [[0, 0, 1, 0.5]]
    subject = subject_in(figure_page(client, bars="[]").content.decode())
    assert (subject["bars"], subject["covered"]) == ([], False)
    assert subject["networks"][0]["temperature"]["covered"] is None


def test_bars_that_make_no_sense_are_said_so_and_left_out(client: Client) -> None:
    response = figure_page(client, bars="[[0,0,9,9]]")
    assert response.status_code == 200
    html = response.content.decode()
    assert subject_in(html)["bars"] == [[0.2, 0.4, 0.5, 0.3]]
    assert re.search(r"data-laboratory-corrections[^>]*><p>[^<]+</p>", html)


def test_a_network_that_does_not_exist_is_a_page_that_does_not(client: Client) -> None:
    response = figure_page(client, network="resnet9000")
    assert response.status_code == 404
    html = response.content.decode()
    assert "There is no network of this name" in html
    (first, *_) = re.findall(r'<a href="(\?on=sample[^"]+)"', html)
    assert client.get(response.request["PATH_INFO"] + first.replace("&amp;", "&")).status_code == 200


def test_a_figure_that_does_not_exist_is_a_page_that_does_not(client: Client) -> None:
    response = client.get(f"{ROOT}astrology/?on=sample:clock", headers={"accept": "text/html"})
    assert response.status_code == 404
    html = response.content.decode()
    assert "There is no such figure" in html
    for slug in SLUGS:
        assert f'href="{ROOT}{slug}/?on=sample%3Aclock"' in html
    assert f'href="{ROOT}"' in html


@pytest.mark.parametrize("slug", ["xray", "arithmetic", "surgery"])
def test_a_figure_says_once_how_it_counts(client: Client, slug: str) -> None:
    html = figure_page(client, slug).content.decode()
    assert html.count("Channels are numbered from 0, as in the files.") == 1


def test_the_chosen_network_is_shown(client: Client) -> None:
    html = figure_page(client, network="wideresnet").content.decode()
    assert '<option value="wideresnet" selected>' in html


def test_the_ways_to_the_other_figures_keep_the_whole_address(client: Client) -> None:
    html = figure_page(client, on="sample:clock", network="wideresnet", layer="stem/conv").content.decode()
    for slug in SLUGS:
        assert f'href="{ROOT}{slug}/?on=sample%3Aclock&amp;network=wideresnet&amp;layer=stem%2Fconv"' in html


# --- the ways in --------------------------------------------------------------------------------------------


def test_an_answer_leads_into_the_laboratory(own: Client, answered: Prediction) -> None:
    html = own.get(f"/predictions/{answered.pk}/").content.decode()
    runs = Prediction.objects.filter(upload=answered.upload).values_list("pk", flat=True)
    ways = re.findall(r'href="(/learn/laboratory/[a-z/]*\?on=[^"]*)"', html)
    pictures = {f"{ROOT}?on={pk}" for pk in runs}
    answers = {f"{ROOT}xray/?on={pk}&amp;network=vgg" for pk in runs}
    assert len(ways) == 2
    assert ways[0] in pictures
    assert ways[1] in answers
    for way in ways:
        assert own.get(unescape(way)).status_code == 200


def test_what_is_not_answered_leads_nowhere(own: Client, owner: User) -> None:
    run = make_runs(owner, models=("vgg",))[0]
    assert "laboratory/?on=" not in own.get(f"/predictions/{run.pk}/").content.decode()


def test_a_network_that_cannot_be_looked_into_leads_nowhere(
    own: Client, owner: User, small_networks: list[str]
) -> None:
    run = finish(make_runs(owner, models=("tiny",))[0])
    html = own.get(f"/predictions/{run.pk}/").content.decode()
    assert "answer-list" in html
    assert "laboratory/?on=" not in html
    assert "laboratory/xray" not in html


def test_a_shared_answer_leads_nowhere(answered: Prediction) -> None:
    share = Share.objects.create(owner=answered.owner, kind=Share.Kind.PREDICTION, run=answered)
    html = Client().get(f"/s/{share.token}/").content.decode()
    assert "answer-list" in html
    assert "laboratory/xray" not in html


# --- what cannot be looked at -------------------------------------------------------------------------------


def nothing_there(response: Any, status: int, sentence: str) -> None:
    """A page of the site's own that says why, with the samples to go on with."""
    assert response.status_code == status
    html = response.content.decode()
    assert sentence in unescape(html)
    assert html.count("<h1>") == 1
    for name in site.LABORATORY_SAMPLES:
        assert f"on=sample%3A{name}" in html


GONE = "There is no such picture here"


@pytest.mark.parametrize(
    "on", ["sample:elephant", "sample:", "nonsense", "../../etc", "\x00", str(uuid.UUID(int=7))]
)
def test_what_does_not_exist(client: Client, on: str) -> None:
    nothing_there(figure_page(client, on=on), 404, GONE)


def test_somebody_elses_picture(answered: Prediction) -> None:
    other = Client()
    other.force_login(make_user("other@example.com"))
    for client in (other, Client()):
        nothing_there(figure_page(client, on=str(answered.pk)), 404, GONE)
        nothing_there(client.get(ROOT, {"on": str(answered.pk)}), 404, GONE)


def test_a_deleted_picture(own: Client, owner: User, answered: Prediction) -> None:
    lifecycle.delete(owner, [answered.pk])
    nothing_there(figure_page(own, on=str(answered.pk)), 404, GONE)


def test_a_hidden_picture(own: Client, answered: Prediction) -> None:
    moderation.hide(None, [answered.upload], "spam")
    nothing_there(figure_page(own, on=str(answered.pk)), 404, GONE)


def test_a_picture_that_waits_for_its_answer(own: Client, owner: User) -> None:
    run = make_runs(owner, models=("vgg",))[0]
    response = figure_page(own, on=str(run.pk))
    nothing_there(response, 200, "This picture is not answered yet")
    assert f'href="{ROOT}{SLUGS[0]}/?on={run.pk}"' in response.content.decode()


def test_a_picture_that_was_removed_because_of_its_age(own: Client, answered: Prediction) -> None:
    Upload.objects.filter(pk=answered.upload_id).update(expired=timezone.now() - timedelta(days=1))
    nothing_there(figure_page(own, on=str(answered.pk)), 410, "removed because of its age")


def test_a_guest_looks_into_their_own_picture(owner: User) -> None:
    client = Client()
    run = finish(make_runs(make_guest(client), models=("vgg",))[0])
    assert subject_in(figure_page(client, on=str(run.pk)).content.decode())["on"] == str(run.pk)


# --- in a frame on another site -----------------------------------------------------------------------------


@pytest.mark.parametrize("slug", SLUGS)
def test_any_site_may_frame_the_page_for_frames_and_no_other(client: Client, slug: str) -> None:
    framed = client.get(f"{ROOT}{slug}/embed/")
    assert "frame-ancestors *" in framed["Content-Security-Policy"]
    assert "'none' *" not in framed["Content-Security-Policy"]
    assert "X-Frame-Options" not in framed
    for address in (f"{ROOT}{slug}/", ROOT, "/", "/predict/"):
        response = client.get(address)
        assert "frame-ancestors 'none'" in response["Content-Security-Policy"]
        assert response["X-Frame-Options"] == "DENY"


def test_a_frame_sets_no_cookie_and_has_no_account(own: Client) -> None:
    response = own.get(f"{ROOT}{SLUGS[0]}/embed/", {"on": "sample:clock"})
    assert not response.cookies
    html = response.content.decode()
    assert subject_in(html)["embed"] is True
    for foreign in ("site-header", "Log out", "csrfmiddlewaretoken", "data-account"):
        assert foreign not in html
    assert f'href="http://testserver{ROOT}{SLUGS[0]}/?on=sample%3Aclock"' in html


@pytest.mark.parametrize("query", [{"network": "none"}, {"on": "sample:none"}, {"on": str(uuid.UUID(int=7))}])
def test_nothing_to_show_is_said_inside_the_frame(own: Client, query: dict[str, str]) -> None:
    response = own.get(f"{ROOT}{SLUGS[0]}/embed/", query)
    assert response.status_code == 404
    assert "frame-ancestors *" in response["Content-Security-Policy"]
    assert "X-Frame-Options" not in response


def test_nobodys_own_picture_stands_in_a_frame(own: Client, answered: Prediction) -> None:
    response = own.get(f"{ROOT}{SLUGS[0]}/embed/", {"on": str(answered.pk)})
    nothing_there(response, 404, "A frame shows sample pictures only")


def test_the_page_hands_out_the_frame_for_samples_only(own: Client, answered: Prediction) -> None:
    html = unescape(figure_page(own, on="sample:clock").content.decode())
    assert f'<iframe src="http://testserver{ROOT}{SLUGS[0]}/embed/?on=sample%3Aclock"' in html
    assert "<iframe" not in unescape(figure_page(own, on=str(answered.pk)).content.decode())
