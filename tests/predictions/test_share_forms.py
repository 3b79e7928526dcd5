"""The buttons and forms that share and withdraw, and the list of links on the account page."""

from __future__ import annotations

import uuid

import pytest
from django.test import Client

from accounts.models import User
from predictions import lifecycle, sharing
from predictions.models import Batch, Prediction, Share, Upload
from tests.factories import make_guest, make_runs, make_user
from tests.predictions.shared_pages import JSON, text_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("small_networks", "no_wake_ups")]


# --- sharing and withdrawing --------------------------------------------------------------------------------


def test_the_button_on_the_prediction_makes_a_link_and_shows_it(user: User, page: Client) -> None:
    run = make_runs(user)[1]
    address = run.get_absolute_url()
    form = f"{address}share/"
    before = text_of(page.get(address))
    assert f'action="{form}"' in before
    assert "data-copy-link" not in before
    response = page.post(form)
    assert (response.status_code, response["Location"]) == (302, f"{address}#share")
    share = Share.objects.get()
    after = text_of(page.get(address))
    assert f'value="http://testserver/s/{share.token}/" readonly' in after
    assert f'action="/shares/{share.pk}/withdraw/"' in after
    assert f'action="{form}"' not in after
    # The other network's prediction stands on the same page.
    assert f"/s/{share.token}/" in text_of(page.get(make_address(run, user)))


def make_address(run: Prediction, user: User) -> str:
    beside = Prediction.objects.of(user).filter(batch=run.batch).exclude(pk=run.pk).first()
    assert beside is not None
    return beside.get_absolute_url()


def test_the_buttons_on_the_batch_and_the_comparison_do_the_same(user: User, page: Client) -> None:
    first, second = make_runs(user, pictures=2, models=("tiny",))
    batch = first.batch.get_absolute_url()
    assert page.post(f"{batch}share/")["Location"] == f"{batch}#share"
    compare = f"/compare/?a={first.pk}&b={second.pk}"
    assert f'name="a" value="{first.pk}"' in text_of(page.get(compare))
    response = page.post("/compare/share/", {"a": str(first.pk), "b": str(second.pk)})
    assert response["Location"] == f"{compare}#share"
    for address, kind in ((batch, "batch"), (compare, "comparison")):
        assert Share.objects.get(kind=kind).get_absolute_url() in text_of(page.get(address))


def test_there_is_no_button_where_there_is_nothing_to_share(user: User, page: Client) -> None:
    run = make_runs(user, models=("tiny",))[0]
    assert "/share/" not in text_of(page.get(f"/compare/?a={run.pk}&b={run.pk}"))
    assert "/share/" not in text_of(page.get("/compare/"))
    rejected = [{"position": 0, "filename": "a.txt", "code": "not_a_picture", "message": "No picture."}]
    batch = Batch.objects.create(owner=user, rejected=rejected)
    assert "/share/" not in text_of(page.get(batch.get_absolute_url()))


def test_scripts_are_told_the_address(user: User, page: Client) -> None:
    run = make_runs(user)[0]
    answer = page.post(f"{run.get_absolute_url()}share/", headers=JSON).json()
    share = Share.objects.get()
    assert answer == {"id": str(share.pk), "url": f"http://testserver/s/{share.token}/"}


def test_withdrawing_leads_back_and_twice_is_no_error(user: User, page: Client, stranger: Client) -> None:
    run = make_runs(user)[0]
    share = sharing.share(user, run=run)
    address = f"/shares/{share.pk}/withdraw/"
    response = page.post(address, {"next": run.get_absolute_url()}, follow=True)
    assert response.redirect_chain == [(run.get_absolute_url(), 302)]
    assert "The link is withdrawn" in text_of(response)
    assert stranger.get(share.get_absolute_url()).status_code == 404
    response = page.post(address, {"next": "https://elsewhere.example/"}, follow=True)
    assert response.redirect_chain == [("/account/#links", 302)]
    assert "was withdrawn already" in text_of(response)


def test_nobody_withdraws_or_shares_what_is_anothers(user: User, stranger: Client) -> None:
    run, second = make_runs(user, pictures=2, models=("tiny",))
    share = sharing.share(user, run=run)
    stranger.force_login(make_user())
    for address in (
        f"/shares/{share.pk}/withdraw/",
        f"{run.get_absolute_url()}share/",
        f"{run.batch.get_absolute_url()}share/",
    ):
        assert stranger.post(address).status_code == 404
    assert stranger.post("/compare/share/", {"a": str(run.pk), "b": str(second.pk)}).status_code == 404
    assert Share.objects.live().count() == 1


@pytest.mark.parametrize(
    "data",
    [{}, {"a": "x", "b": "y"}, {"a": str(uuid.UUID(int=1))}, dict.fromkeys("ab", str(uuid.UUID(int=1)))],
)
def test_a_comparison_needs_two(page: Client, data: dict[str, str]) -> None:
    assert "Two predictions are needed" in text_of(page.post("/compare/share/", data, follow=True))
    assert page.post("/compare/share/", data, headers=JSON).status_code == 422


def test_deleted_predictions_cannot_be_shared(user: User, page: Client) -> None:
    run = make_runs(user, models=("tiny",))[0]
    lifecycle.delete(user, [run.pk])
    assert page.post(f"{run.get_absolute_url()}share/").status_code == 404
    assert page.post(f"{run.batch.get_absolute_url()}share/").status_code == 404


def test_guests_are_told_why_they_cannot_share() -> None:
    client = Client()
    run = make_runs(make_guest(client))[0]
    address = run.get_absolute_url()
    text = text_of(client.get(address))
    assert "To share this by a link" in text
    assert f"{address}share/" not in text
    assert "make an account" in text_of(client.post(f"{address}share/", follow=True))
    refused = client.post(f"{address}share/", headers=JSON)
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "account_needed")
    assert not Share.objects.exists()


# --- the account page ---------------------------------------------------------------------------------------


def test_the_account_page_lists_ones_links(user: User, page: Client) -> None:
    assert "Shared links" not in text_of(page.get("/account/"))
    first, second, third = make_runs(user, pictures=3, models=("tiny",))
    links = [
        sharing.share(user, run=first),
        sharing.share(user, run=first, other=second),
        sharing.share(user, batch=first.batch),
        sharing.share(user, run=third),
    ]
    sharing.share(other := make_user(), run=make_runs(other)[0])
    Upload.objects.filter(pk=first.upload_id).update(filename="fox.png")
    lifecycle.delete(user, [second.pk])
    sharing.withdraw(user, links[3].pk)
    text = text_of(page.get("/account/"))
    shown = [f"/shares/{link.pk}/withdraw/" in text for link in links]
    assert shown == [True, True, True, False]
    assert f'<a href="{links[0].get_absolute_url()}">fox.png</a>' in text
    assert f'<a href="{links[2].get_absolute_url()}">2 pictures</a>' in text
    # It can be withdrawn, though what it shows was deleted just now.
    assert links[1].get_absolute_url() not in text
    assert text.count("shows nothing now") == 1
    assert text.count("/withdraw/") == 3


def test_many_links_are_listed_page_by_page(user: User, page: Client) -> None:
    for run in make_runs(user, pictures=22, models=("tiny",)):
        sharing.share(user, run=run)
    first, second = (text_of(page.get(f"/account/?links={number}")) for number in (1, 2))
    assert (first.count("/withdraw/"), second.count("/withdraw/")) == (20, 2)
    assert "?links=2#links" in first
    assert "?links=1#links" in second
    assert text_of(page.get("/account/?links=none")).count("/withdraw/") == 20
