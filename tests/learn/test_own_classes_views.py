"""Classes of one's own over HTTP: with and without scripts, for the owner, other people, visitors and guests."""

from __future__ import annotations

import io
import json
import re
from html import unescape
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pytest
from django.test import Client
from django.utils.html import strip_tags
from PIL import Image

from accounts import deletion, throttle
from accounts.models import User
from learn import own_classes, own_network, own_training, own_views
from learn.models import OwnClasses, OwnExample
from predictions import samples
from predictions.samples import OFFERED
from tests.factories import make_guest, make_user
from tests.learn.owning import (
    ADD,
    BLUE,
    JSON,
    LIST,
    RED,
    TRY,
    broken,
    client_of,
    make_seeing,
    own_set,
    picture,
    trained,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("seeing", "no_wake_ups")]


@pytest.fixture
def own(user: User) -> Client:
    return client_of(user)


def words(response: Any, status: int = 200) -> str:
    """The page's text in one line."""
    assert response.status_code == status
    html = response.content.decode()
    return " ".join(unescape(strip_tags(re.sub(r"<(script|style).*?</\1>", "", html, flags=re.S))).split())


def told(client: Client, response: Any) -> str:
    """The page that a plain form leads to."""
    assert response.status_code == 302
    return words(client.get(response["Location"]))


def error(response: Any, status: int) -> dict[str, Any]:
    assert response.status_code == status
    return response.json()["error"]


def address(owned: OwnClasses, rest: str = "") -> str:
    return f"{LIST}{owned.pk}/{rest}"


# --- the list --------------------------------------------------------------------------------------------------


def test_visitors_and_guests_read_what_it_is_and_are_told_to_sign_up(client: Client) -> None:
    for _who in ("visitor", "guest"):
        page = client.get(LIST)
        assert "For this you need an account" in words(page)
        assert "Why so few pictures are enough" in words(page)
        assert 'name="names"' not in page.content.decode()
        made = client.post(LIST, {"title": "Desk", "names": "mug\nkeys"})
        assert made["Location"] == f"/accounts/login/?next={LIST}"
        make_guest(client)
    assert not OwnClasses.objects.exists()
    learn = client.get("/learn/").content.decode()
    assert f'href="{LIST}"' in learn


def test_a_set_is_made_by_a_plain_form(own: Client, user: User) -> None:
    assert "You have none yet." in words(own.get(LIST))
    response = own.post(LIST, {"title": "Desk", "names": " mug \r\n\r\nkeys\r\n"})
    owned = OwnClasses.objects.get(owner=user)
    assert response["Location"] == address(owned)
    assert owned.classes == ["mug", "keys"]
    page = words(own.get(LIST))
    assert "mug, keys" in page
    assert "not trained yet" in page


def test_what_was_typed_stays_when_it_is_refused(own: Client) -> None:
    response = own.post(LIST, {"title": "<b>Desk</b>", "names": "mug\nMug"})
    html = response.content.decode()
    assert "There are two classes called “Mug”." in words(response, 422)
    assert "&lt;b&gt;Desk&lt;/b&gt;" in html
    assert "mug\nMug</textarea>" in html


def test_the_text_says_what_it_is_and_what_it_cannot_do(client: Client) -> None:
    html = client.get(LIST).content.decode()
    found = re.search(r'<h2 id="why">.*?</section>', html, re.S)
    assert found
    text = unescape(strip_tags(found[0]))
    assert 150 <= len(text.split()) <= 280
    assert "Seeing sums a picture up in 12 numbers" in text
    assert "8 × 8 pixels" in text


# --- one set ---------------------------------------------------------------------------------------------------


def test_the_whole_way_without_scripts(own: Client, user: User) -> None:
    owned = own_set(user, each=0)
    page = words(own.get(address(owned)))
    assert "Begin with a few pictures of each class." in page
    for name, colour in (("mug", RED), ("keys", BLUE)):
        sent = {"set": str(owned.pk), "class": name, "pictures": [picture(colour, i) for i in range(4)]}
        assert "4 pictures added." in told(own, own.post(ADD, sent))
    example = OwnExample.objects.order_by("pk")[0]
    png = own.get(address(owned, f"pictures/{example.pk}.png"))
    assert (png["Content-Type"], png["Cache-Control"]) == ("image/png", "private, no-cache")
    assert np.asarray(Image.open(io.BytesIO(png.content))).tobytes() == bytes(example.pixels)
    assert "Waiting for the worker" in told(own, own.post(address(owned, "train/")))
    own_training.drain()
    html = own.get(address(owned)).content.decode()
    assert "100.0%" in html
    assert "dealt into 4 parts" in html
    assert html.count('class="right heat-4"') == 2
    tried = own.post(TRY, {"set": str(owned.pk), "pictures": [picture(BLUE, 99, "new.png"), broken()]})
    text = words(tried)
    assert re.search(r"new\.png keys [> ]*[\d.]+% *mug", text)
    assert "notes.txt: This file is not a picture." in text
    assert 'src="data:image/png;base64,' in tried.content.decode()
    assert OwnExample.objects.count() == 8
    removed = own.post(address(owned, f"pictures/{example.pk}/remove/"))
    assert "What stands here is older than your pictures or names" in told(own, removed)


def test_scripts_are_answered_with_both_parts_of_the_page(own: Client, user: User) -> None:
    owned = own_set(user, each=1)
    sent = {"set": str(owned.pk), "class": "mug", "pictures": [picture(seed=7), broken()]}
    answer = own.post(ADD, sent, headers=JSON).json()
    assert answer["taken"] == 1
    assert [one["filename"] for one in answer["rejected"]] == ["notes.txt"]
    assert answer["board"].count("<img") == 3
    assert answer["final"] is True
    begun = own.post(address(owned, "train/"), headers=JSON).json()
    assert begun["final"] is False
    assert "Waiting for the worker" in begun["html"]
    assert "worker is away" in begun["html"]
    same = own.get(address(owned, "state/"), {"seen": begun["seen"]}, headers=JSON).json()
    assert "html" not in same
    own_training.drain()
    done = own.get(address(owned, "state/"), {"seen": begun["seen"]}, headers=JSON).json()
    assert (done["final"], done["says"]) == (True, "Trained")
    assert "“keys” has one picture only" in unescape(done["html"])
    tried = own.post(TRY, {"set": str(owned.pk), "pictures": [picture(seed=50)]}, headers=JSON).json()
    (one,) = tried["answers"]
    assert one["classes"][0]["name"] == "mug"
    assert sum(row["probability"] for row in one["classes"]) == pytest.approx(1)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"action": "title", "name": "  "}, "Give the set a title."),
        ({"action": "add", "name": "MUG"}, "There are two classes called “MUG”."),
        ({"action": "rename", "class": "cup", "name": "x"}, "There is no class “cup” any more."),
        ({"action": "remove", "class": "mug"}, "A set has at least two classes."),
        ({"action": "explode"}, "says not what to change"),
        ({}, "says not what to change"),
    ],
    ids=str,
)
def test_what_cannot_be_changed_is_said_both_ways(
    own: Client, user: User, fields: dict[str, str], sentence: str
) -> None:
    owned = own_set(user, each=0)
    assert sentence in error(own.post(address(owned, "change/"), fields, headers=JSON), 422)["message"]
    assert sentence in told(own, own.post(address(owned, "change/"), fields))
    owned.refresh_from_db()
    assert (owned.title, owned.classes) == ("Desk", ["mug", "keys"])


def test_names_are_text_wherever_they_stand(own: Client, user: User, client: Client) -> None:
    name = '"><script>alert(1)</script>'
    owned = trained(user, names=(name, "keys"), title=name)
    link = f"{LIST}shared/{own_classes.share(owned)}/"
    tried = {"set": str(owned.pk), "pictures": [picture(name="<i>.png")]}
    pages = [own.get(LIST), own.get(address(owned)), own.post(TRY, tried), client.get(link)]
    for page in pages:
        html = page.content.decode()
        assert "<script>alert" not in html
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html
    exported = own.get(address(owned, "export.json"))
    assert exported["Content-Disposition"] == 'attachment; filename="scriptalert1script.json"'


def test_before_the_training_nothing_is_tried_taken_along_or_shared(own: Client, user: User) -> None:
    owned = own_set(user)
    sent = {"set": str(owned.pk), "pictures": [picture()]}
    for response in (
        own.post(TRY, sent, headers=JSON),
        own.get(address(owned, "export.json"), headers=JSON),
        own.post(address(owned, "share/"), headers=JSON),
    ):
        assert error(response, 409)["code"] == "not_trained"
    assert "These classes are not trained yet." in told(own, own.post(address(owned, "share/")))


def test_a_new_version_answers_only_after_another_training(own: Client, user: User, seeing: Path) -> None:
    owned = trained(user)
    make_seeing(seeing, version="2")
    assert "The network was replaced by a new version since this was trained." in words(
        own.get(address(owned))
    )
    sent = {"set": str(owned.pk), "pictures": [picture()]}
    assert error(own.post(TRY, sent, headers=JSON), 409)["code"] == "other_version"
    # What was trained can still be taken along: the file says for which version it is.
    assert own.get(address(owned, "export.json")).json()["network"]["version"] == "seeing-1"


def test_what_is_tried_is_bounded(own: Client, user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    owned = trained(user)
    monkeypatch.setattr(own_views, "MOST_TRIED", 2)
    sent = {"set": str(owned.pk), "pictures": [picture(seed=i) for i in range(3)]}
    answer = own.post(TRY, sent, headers=JSON).json()
    assert len(answer["answers"]) == 2
    assert answer["rejected"][0]["message"] == "Try at most 2 pictures at once."
    assert error(own.post(TRY, {"set": str(owned.pk)}, headers=JSON), 422)["code"] == "no_picture"
    only_bad = own.post(TRY, {"set": str(owned.pk), "pictures": [broken()]}, headers=JSON).json()
    assert (only_bad["answers"], len(only_bad["rejected"])) == ([], 1)


def test_too_many_requests_are_refused(
    own: Client, user: User, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    owned = own_set(user)
    settings.RATE_LIMITS = True
    monkeypatch.setattr(throttle.time, "time", lambda: 1_000_000.0)
    for _time in range(own_views.TRAININGS_PER_MINUTE):
        assert own.post(address(owned, "train/"), headers=JSON).status_code == 200
    assert error(own.post(address(owned, "train/"), headers=JSON), 429)["code"] == "throttled"


def test_a_deleted_set_is_gone_with_everything(own: Client, user: User) -> None:
    owned = trained(user)
    link = f"{LIST}shared/{own_classes.share(owned)}/"
    assert "“Desk” is deleted, with its pictures." in told(own, own.post(address(owned, "delete/")))
    assert not OwnExample.objects.exists()
    assert own.get(address(owned)).status_code == 404
    assert Client().get(link).status_code == 404


def test_another_user_learns_nothing(user: User) -> None:
    owned, other = trained(user), client_of(make_user())
    for method, rest in (
        ("get", ""),
        ("get", "state/"),
        ("get", "export.json"),
        ("post", "train/"),
        ("post", "delete/"),
    ):
        response = getattr(other, method)(address(owned, rest), headers=JSON)
        missing = getattr(other, method)(f"{LIST}{uuid4()}/{rest}", headers=JSON)
        assert (response.status_code, response.content) == (404, missing.content)
    for path in (ADD, TRY):
        for pk in (owned.pk, "", "odd", uuid4()):
            sent = {"set": str(pk), "class": "mug", "pictures": [picture(seed=77)]}
            assert other.post(path, sent, headers=JSON).status_code == 404
    mine = own_set(make_user(), each=1)
    theirs = OwnExample.objects.filter(owned=owned)[0]
    stranger = client_of(mine.owner)
    assert stranger.get(address(mine, f"pictures/{theirs.pk}.png")).status_code == 404
    assert stranger.post(address(mine, f"pictures/{theirs.pk}/remove/")).status_code == 404


# --- taken along, shown to others ------------------------------------------------------------------------------


def test_the_file_gives_the_same_answers_to_whoever_reads_it(own: Client, user: User) -> None:
    owned = trained(user)
    file = json.loads(own.get(address(owned, "export.json")).content)
    assert file["format"] == "convoscope-own-classes-1"
    assert file["classes"] == ["mug", "keys"]
    assert file["network"] == {
        "name": "seeing",
        "title": "Seeing",
        "version": "seeing-1",
        "precision": "float32",
    }
    assert file["preprocessing"]["size"] == 8
    assert file["accuracy"]["right"] == file["accuracy"]["of"] == 6
    assert file["accuracy"]["confusion"] == [[3, 0], [0, 3]]
    card = own_network.card()
    assert card is not None
    row = own_network.of_pixels(card, np.full((1, 8, 8, 3), BLUE, np.uint8))[0]
    assert len(file["weights"]) == len(row) == file["features"]
    logits = row @ np.array(file["weights"]) + np.array(file["bias"])
    by_hand = np.exp(logits) / np.exp(logits).sum()
    sent = {"set": str(owned.pk), "pictures": [picture(BLUE, 0)]}
    said = own.post(TRY, sent, headers=JSON).json()["answers"][0]["classes"]
    assert said[0]["name"] == "keys"
    assert by_hand[1] == pytest.approx(said[0]["probability"], abs=0.05)


def test_a_link_shows_names_and_numbers_to_anybody_until_it_is_withdrawn(own: Client, user: User) -> None:
    owned = trained(user)
    assert "Shared by a link" in told(own, own.post(address(owned, "share/")))
    owned.refresh_from_db()
    link = f"{LIST}shared/{owned.token}/"
    assert own.post(address(owned, "share/"), headers=JSON).json()["url"].endswith(link)
    stranger = Client()
    page = stranger.get(link)
    text, html = words(page), page.content.decode()
    assert page["X-Robots-Tag"] == "noindex, nofollow"
    assert page["Referrer-Policy"] == "no-referrer"
    for part in ("Desk", "mug", "keys", "100.0%"):
        assert part in text
    assert user.email not in html
    assert "pictures/" not in html
    assert str(owned.pk) not in html
    assert "You shared this." in words(own.get(link))
    assert "The link is withdrawn." in told(own, own.post(address(owned, "withdraw/")))
    assert "shows nothing any more" in words(stranger.get(link), 404)
    assert "withdrawn already" in told(own, own.post(address(owned, "withdraw/")))
    own.post(address(owned, "share/"))
    owned.refresh_from_db()
    assert owned.token not in (None, link.split("/")[-2])


def test_whoever_has_the_link_tries_the_samples(user: User, client: Client, seeing: Path) -> None:
    link = f"{LIST}shared/{own_classes.share(trained(user))}/"
    html = client.get(link).content.decode()
    assert html.count("?sample=") == len(OFFERED)
    for name in OFFERED:
        text = words(client.get(link, {"sample": name}))
        assert re.search(rf"{samples.every()[name].title} (mug|keys) [> ]*[\d.]+% *(mug|keys) [<\d.]", text)
    for odd in ("elephant", "../mug", "x" * 500):
        assert "There is no such sample picture." in words(client.get(link, {"sample": odd}))
    make_seeing(seeing, version="2")
    assert "replaced by a new version" in words(client.get(link, {"sample": "cup"}))
    (seeing / "seeing" / "card.json").unlink()
    assert "There is no network for this" in words(client.get(link, {"sample": "cup"}))


@pytest.mark.parametrize("how", ["suspended", "deleting"])
def test_a_link_of_an_account_that_is_away_shows_nothing(user: User, client: Client, how: str) -> None:
    link = f"{LIST}shared/{own_classes.share(trained(user))}/"
    if how == "deleting":
        deletion.ask(user)
    else:
        User.objects.filter(pk=user.pk).update(is_active=False)
    assert client.get(link).status_code == 404


@pytest.mark.parametrize("token", ["x", "x" * 43, "%00", "x" * 500])
def test_a_link_that_never_was(client: Client, token: str) -> None:
    assert client.get(f"{LIST}shared/{token}/", headers=JSON).status_code == 404


def test_a_form_of_another_site_is_refused(user: User) -> None:
    owned = own_set(user)
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(user)
    assert strict.post(address(owned, "delete/")).status_code == 403
    assert OwnClasses.objects.filter(pk=owned.pk).exists()
