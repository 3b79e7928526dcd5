"""The page of surgery without scripts: what it shows, what it asks for and what it only looks up."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import numpy as np
import pytest
from django.test import Client

from accounts.models import User
from learn import explanations, stored, subjects, surgery_text
from learn.models import Explanation
from ml import artifact
from ml.artifact import Card
from ml.explain.structure import structure
from predictions.jobs import Job
from tests.factories import finish, make_runs, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_wake_ups")]

PATH = "/learn/laboratory/surgery/"
EDIT = "block1.conv1:5:2:0,0,0,0,1,0,0,0,0"
MUTE = "block4.relu2:3,4"
LOGITS = [float(one) for one in np.linspace(-2, 9, 100)]


@pytest.fixture
def vgg() -> Card:
    return artifact.load_card("vgg")


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every picture has an X-ray with these logits; class 99 is the likeliest."""
    monkeypatch.setattr(stored, "logits", lambda subject, card: {"clean": LOGITS, "covered": LOGITS})


def page(client: Client, **query: str) -> str:
    response = client.get(PATH, {"on": "sample:apple", **query})
    assert response.status_code == 200
    return response.content.decode()


def still(html: str) -> str:
    """What is read without scripts, as text."""
    html = html[html.index("data-laboratory-still") :]
    html = html[html.index("</summary>") : html.index("</details>")]
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", html)).split())


def corrections(html: str) -> list[str]:
    found = re.search(r"data-laboratory-corrections[^>]*>(.*?)</div>", html, re.S)
    assert found
    return [unescape(one) for one in re.findall(r"<p>(.*?)</p>", found[1])]


def answered(row: Explanation, after: list[float]) -> None:
    """Ends an explanation as the worker would, with these logits after the operation."""

    def side(logits: list[float]) -> dict[str, Any]:
        order = np.argsort(-np.array(logits), kind="stable")[:5]
        return {"top": [{"index": int(i)} for i in order], "logits": logits}

    claim, rows = Explanation.objects.filter(pk=row.pk).claim(1)
    result = {"temperature": 1.0, "before": side(LOGITS), "after": side(after)}
    columns = {"result": result, "file": "", "members": [], "bytes": 10}
    assert Explanation.objects.finish_all(claim, {rows[0].pk: columns})


@pytest.mark.usefixtures("known")
def test_it_shows_the_trained_answer_and_the_kernel_that_is_looked_at(client: Client, vgg: Card) -> None:
    found = still(page(client, layer="block2/conv1", channel="17", **{"in": "3"}))
    assert f"{vgg.label(99)} " in found
    kernel = structure("vgg").kernel("block2/conv1", 17)[3]
    for weight in kernel.ravel():
        assert f"{weight:.4f}".replace("-", "−") in found
    assert "Block 2, convolution 1, from channel 3 to channel 17" in found


def test_without_an_x_ray_it_says_what_is_missing(client: Client) -> None:
    assert "The scores of this picture are not computed yet" in still(page(client))


@pytest.mark.usefixtures("known")
def test_looking_at_an_address_asks_for_nothing(client: Client) -> None:
    found = still(page(client, edits=EDIT, mutes=MUTE))
    assert "This was not computed yet: send the form." in found
    assert "Block 1, convolution 1, from channel 2 to channel 5: 0.00 0.00" in found
    assert "Block 4, ReLU 2: channels 3-4 muted" in found
    assert not Explanation.objects.exists()


@pytest.mark.usefixtures("known")
def test_the_form_asks_and_the_answer_stands_there_when_it_is_computed(client: Client, vgg: Card) -> None:
    query = {"kernel": "0 0 0 0 1 0 0 0 0", "channel": "5", "in": "2", "mute": "4, 3", "ask": "1"}
    html = page(client, **query)
    row = Explanation.objects.get()
    assert (row.kind, row.priority, row.network) == ("surgery", Job.Priority.LABORATORY, "vgg")
    operation = surgery_text.read(EDIT, MUTE, vgg, pytest.fail)
    assert row.parameters == operation.parameters("clean")
    assert "away" in still(html)
    again = re.search(r'href="(\?[^"]*)"[^>]*>Look again', html)
    assert again
    answered(row, LOGITS[::-1])
    html = client.get(PATH + unescape(again[1])).content.decode()
    assert Explanation.objects.count() == 1
    found = still(html)
    assert "As trained Changed Points" in found
    powers = np.exp(np.array(LOGITS) - LOGITS[-1])
    best = 100 * powers[-1] / powers.sum()
    assert f"{vgg.label(99)} {best:.1f}% < 0.1% −{best:.1f}" in found
    assert f"{vgg.label(0)} < 0.1% {best:.1f}% +{best:.1f}" in found


@pytest.mark.usefixtures("known")
def test_taking_one_change_back_leaves_the_others(client: Client) -> None:
    html = page(client, edits=EDIT, mutes=MUTE)
    links = [unescape(one) for one in re.findall(r'href="(\?[^"]*)"[^>]*>Take it back', html)]
    assert len(links) == 2
    left = still(client.get(PATH + links[0]).content.decode())
    assert "channels 3-4 muted" in left
    assert "from channel 2 to channel 5: 0.00" not in left


@pytest.mark.usefixtures("known")
def test_what_failed_says_why(client: Client, vgg: Card) -> None:
    page(client, edits=EDIT, ask="1")
    claim, rows = Explanation.objects.all().claim(1)
    Explanation.objects.fail(
        claim, rows[0], "refused", "These numbers grow beyond what the network can hold."
    )
    assert "grow beyond" in still(page(client, edits=EDIT))


@pytest.mark.usefixtures("known")
def test_a_frame_asks_for_nothing(client: Client) -> None:
    query = {"on": "sample:apple", "edits": EDIT, "ask": "1"}
    response = client.get(f"{PATH}embed/", query)
    assert response.status_code == 200
    assert "a frame cannot ask for" in response.content.decode()
    assert not Explanation.objects.exists()


@pytest.mark.usefixtures("known")
def test_asking_too_often_is_refused_with_a_sentence(
    client: Client, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    settings.RATE_LIMITS = True
    monkeypatch.setattr("learn.asking_rate.PER_MINUTE_FROM_AN_ADDRESS", 1)
    page(client, mutes="block1.relu1:1", ask="1")
    found = still(page(client, mutes="block1.relu1:2", ask="1"))
    assert "That was too much at once." in found
    assert Explanation.objects.count() == 1


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ({"layer": "block9/conv9"}, "VGG has no layer “block9/conv9”. Block 1, convolution 1 is shown."),
        (
            {"channel": "64"},
            "Block 1, convolution 1 has no channel “64”: they are numbered 0 to 63. Channel 63 is shown.",
        ),
        (
            {"channel": "nan"},
            "Block 1, convolution 1 has no channel “nan”: they are numbered 0 to 63. Channel 0 is shown.",
        ),
        ({"in": "-1"}, "The picture has no channel “-1”: they are numbered 0 to 2. Channel 0 is shown."),
        ({"relu": "block9/relu9"}, "VGG has no layer “block9/relu9”. Block 4, ReLU 2 is shown."),
        ({"side": "left"}, "“left” is neither clean nor covered. The whole picture is shown."),
        ({"side": "covered", "bars": "[]"}, "There are no bars on this picture. The whole picture is shown."),
        ({"edits": "block1.conv1:0:0:1e30,0,0,0,0,0,0,0,0"}, "1e+30 is too large for a kernel"),
        ({"edits": "block1.conv1:0:0:nan,0,0,0,0,0,0,0,0"}, "“nan” in a kernel of block 1, convolution 1"),
        ({"mutes": "block1.relu1:64"}, "Block 1, ReLU 1 has no channel “64”"),
    ],
)
def test_what_does_not_exist_is_a_sentence_and_the_page_goes_on(
    client: Client, query: dict[str, str], sentence: str
) -> None:
    said = corrections(page(client, **query))
    assert len(said) == 1
    assert sentence in said[0]


def test_the_layer_of_another_figure_is_no_mistake(client: Client) -> None:
    # An X-ray looks at layers of every kind, and the address goes with the picture from figure to figure.
    html = page(client, layer="block2/pool")
    assert corrections(html) == []
    assert "Block 1, convolution 1, from channel 0 to channel 0" in still(html)


def test_somebodys_own_picture_is_asked_about_as_its_owners(client: Client) -> None:
    owner: User = make_user("owner@example.com")
    run = finish(make_runs(owner, models=("vgg",))[0])
    client.force_login(owner)
    html = page(client, on=str(run.pk), edits=EDIT, ask="1")
    row = Explanation.objects.get()
    assert row.owner == owner
    assert "Look again" in html
    subject = subjects.find(owner, str(run.pk))
    operation = surgery_text.read(EDIT, "", subject.card("vgg"), pytest.fail)
    asked = explanations.question(subject, "vgg", "surgery", operation.parameters("clean"))
    assert explanations.stored(subject, asked) == row


def test_every_id_is_there_once(client: Client) -> None:
    ids = re.findall(r'\sid="([^"]+)"', page(client))
    assert len(ids) == len(set(ids))
