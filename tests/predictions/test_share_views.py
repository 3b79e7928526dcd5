"""Pages of what was shared, and the picture that stands for a link."""

from __future__ import annotations

import io
import re
import uuid
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from PIL import Image

from accounts import throttle
from accounts.models import User
from predictions import lifecycle, sharing
from predictions.models import Prediction, Share, Upload
from tests.factories import finish, make_runs
from tests.predictions.shared_pages import JSON, text_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("small_networks", "no_wake_ups")]

BARS = [[0.1, 0.1, 0.4, 0.3]]
GONE = "This link shows nothing any more"


def answered(user: User, **options: Any) -> list[Prediction]:
    """A picture, bars over it, that every network has answered."""
    runs = make_runs(user, **options)
    for run in runs:
        finish(run)
        if run.clean_run:
            finish(run.clean_run, first=2)
    return runs


def own_addresses(text: str, share: Share) -> set[str]:
    """Where the pictures of a page are."""
    found = set(re.findall(r'<img src="([^"]+)"', text))
    assert found
    assert all(address.startswith(share.get_absolute_url()) for address in found)
    return found


# --- what is shown ------------------------------------------------------------------------------------------


def test_a_shared_prediction_shows_picture_bars_answers_and_what_the_bars_changed(
    user: User, stranger: Client
) -> None:
    run = answered(user, bars=BARS)[0]
    Prediction.objects.update(note="my own note")
    share = sharing.share(user, run=run)
    text = text_of(stranger.get(share.get_absolute_url()))
    for words in (
        "What the bars changed",
        "With bars",
        "1 bar covers 12.0% of the picture",
        "60.0%",
        "tiny",
        "small",
    ):
        assert words in text
    assert run.upload.filename in text
    # The picture with its bar, and what each of two networks saw without and with it.
    assert len(own_addresses(text, share)) == 5
    assert text.count("<rect") > text.count("answer-bar")
    for address in own_addresses(text, share):
        assert stranger.get(address).status_code == 200
    # Neither whose it is, nor their notes, nor anything that only they may do.
    for private in (user.email, "my own note", "/again/", "/delete/", "/withdraw/", str(run.batch_id)):
        assert private not in text


def test_a_shared_comparison_shows_both_pictures(user: User, stranger: Client) -> None:
    first, second = answered(user, pictures=2, models=("tiny",))
    share = sharing.share(user, run=first, other=second)
    text = text_of(stranger.get(share.get_absolute_url()))
    assert "What rose, what fell" in text
    addresses = own_addresses(text, share)
    assert {address.split("/")[4] for address in addresses} == {str(first.upload_id), str(second.upload_id)}
    assert str(first.pk) not in text


def test_a_shared_batch_lists_its_pictures_and_each_opens(user: User, stranger: Client) -> None:
    runs = answered(user, pictures=3, bars=BARS)
    batch = runs[0].batch
    batch.truths = {str(runs[0].upload_id): "red"}
    batch.rejected = [{"position": 9, "filename": "secret.png", "code": "held", "message": "m"}]
    batch.save()
    share = sharing.share(user, batch=batch)
    text = text_of(stranger.get(share.get_absolute_url()))
    assert "The networks agree on 3 of 3 pictures" in text
    assert "Against the true labels" in text
    assert "secret.png" not in text
    assert len(own_addresses(text, share)) == 3
    links = re.findall(r'href="(\?picture=[^"]+)"', text)
    assert len(links) == 3
    one = text_of(stranger.get(share.get_absolute_url() + links[0]))
    assert "What the bars changed" in one
    assert f'href="{share.get_absolute_url()}"' in one
    assert "retry" not in text + one


def test_a_shared_batch_is_sorted_by_its_heads(user: User, stranger: Client) -> None:
    runs = make_runs(user, pictures=2, models=("tiny",))
    finish(runs[0], 0.5)
    finish(runs[1], 0.9)
    share = sharing.share(user, batch=runs[0].batch)
    text = text_of(stranger.get(share.get_absolute_url() + "?sort=-confidence:tiny"))
    assert text.index("90.0%</td>") < text.index("50.0%</td>")
    assert 'aria-sort="descending"' in text


def test_a_picture_of_a_batch_that_is_not_in_it_shows_nothing(user: User, stranger: Client) -> None:
    batch = make_runs(user, models=("tiny",))[0].batch
    beside = make_runs(user, models=("tiny",))[0]
    share = sharing.share(user, batch=batch)
    for odd in (str(beside.upload_id), str(uuid.uuid4()), "no-id", "", "%00"):
        response = stranger.get(f"{share.get_absolute_url()}?picture={odd}")
        assert (response.status_code, GONE in response.content.decode()) == (404, True)


@pytest.mark.parametrize("kind", ["prediction", "batch"])
def test_what_waits_says_so_and_the_page_keeps_itself_up_to_date(
    user: User, stranger: Client, kind: str
) -> None:
    run = make_runs(user, models=("tiny",))[0]
    share = sharing.share(user, **({"run": run} if kind == "prediction" else {"batch": run.batch}))
    text = text_of(stranger.get(share.get_absolute_url()))
    assert "ueued" in text
    assert "js/results.js" in text
    assert "Cancel" not in text
    address, seen = re.search(r'data-poll="([^"]+)" data-poll-seen="([^"]+)"', text).groups()  # type: ignore[union-attr]
    unchanged = stranger.get(address, {"seen": seen}, headers=JSON).json()
    assert (unchanged["final"], unchanged["seen"], "html" in unchanged) == (False, seen, False)
    finish(run)
    news = stranger.get(address, {"seen": seen}, headers=JSON)
    assert news["X-Robots-Tag"] == "noindex, nofollow"
    assert news.json()["final"] is True
    assert "60.0%" in news.json()["html"]
    assert run.get_absolute_url() not in news.json()["html"]
    assert "js/results.js" not in text_of(stranger.get(share.get_absolute_url()))


def test_a_comparison_waits_without_asking(user: User, stranger: Client) -> None:
    first, second = make_runs(user, pictures=2, models=("tiny",))
    share = sharing.share(user, run=first, other=second)
    assert "nothing to compare" in text_of(stranger.get(share.get_absolute_url()))
    assert stranger.get(reverse("predictions:shared-status", args=[share.token])).status_code == 404


# --- headers ------------------------------------------------------------------------------------------------


def addresses_of(share: Share, run: Prediction) -> dict[str, str]:
    token = share.token
    return {
        "page": share.get_absolute_url(),
        "picture": reverse("predictions:shared-picture", args=[token, run.upload_id]),
        "thumb": reverse("predictions:shared-picture", args=[token, run.upload_id]) + "?size=thumb",
        "input": reverse("predictions:shared-input", args=[token, run.pk]),
        "preview": reverse("predictions:shared-preview", args=[token]),
        "status": reverse("predictions:shared-status", args=[token]),
    }


def test_nothing_shared_is_indexed_kept_by_others_or_told_to_other_sites(
    user: User, stranger: Client
) -> None:
    run = answered(user)[0]
    share = sharing.share(user, run=run)
    addresses = addresses_of(share, run)
    missing = reverse("predictions:shared", args=["a" * 43])
    for name, address in [*addresses.items(), ("nothing", missing)]:
        response = stranger.get(address)
        assert response.status_code == (404 if name == "nothing" else 200)
        assert response["X-Robots-Tag"] == "noindex, nofollow", name
        assert response["Referrer-Policy"] == "no-referrer", name
        assert response["Cache-Control"] == "private, no-cache", name
        if name in ("picture", "thumb", "input", "preview"):
            assert response["X-Content-Type-Options"] == "nosniff"
            assert response["Content-Security-Policy"] == "default-src 'none'; sandbox"
            assert response["Content-Type"].startswith("image/")
        if name in ("page", "nothing"):
            assert '<meta name="robots" content="noindex, nofollow">' in response.content.decode()


def test_who_is_logged_in_can_still_send_the_forms_of_the_page(user: User, page: Client) -> None:
    # Without a referrer browsers send forms with an Origin of null, which Django refuses.
    share = sharing.share(user, run=make_runs(user)[0])
    response = page.get(share.get_absolute_url())
    assert response["Referrer-Policy"] == "same-origin"
    assert f"/shares/{share.pk}/withdraw/" in text_of(response)


def test_a_shared_page_takes_nothing_but_reading(user: User, stranger: Client) -> None:
    run = make_runs(user)[0]
    for address in addresses_of(sharing.share(user, run=run), run).values():
        assert stranger.post(address).status_code == 405
        assert stranger.head(address).status_code == 200


# --- gone at the next request -------------------------------------------------------------------------------


def withdrawn(share: Share, run: Prediction) -> None:
    sharing.withdraw(share.owner, share.pk)


def deleted(share: Share, run: Prediction) -> None:
    lifecycle.delete(share.owner, [run.pk])


def hidden(share: Share, run: Prediction) -> None:
    Upload.objects.update(hidden=timezone.now())
    Prediction.objects.update(deleted=timezone.now())


def suspended(share: Share, run: Prediction) -> None:
    User.objects.filter(pk=share.owner_id).update(is_active=False, suspended=timezone.now())


def to_be_erased(share: Share, run: Prediction) -> None:
    User.objects.filter(pk=share.owner_id).update(deletion_due=timezone.now())


@pytest.mark.parametrize("end", [withdrawn, deleted, hidden, suspended, to_be_erased])
def test_whoever_has_it_in_their_browser_reads_at_the_next_request_that_it_is_gone(
    user: User, stranger: Client, end: Any
) -> None:
    run = answered(user, models=("tiny",))[0]
    share = sharing.share(user, run=run)
    addresses = addresses_of(share, run)
    kept = {name: stranger.get(address).headers.get("ETag", "") for name, address in addresses.items()}
    assert all(kept[name] for name in ("picture", "thumb", "input", "preview"))
    for name in ("picture", "thumb", "input", "preview"):
        again = stranger.get(addresses[name], headers={"if-none-match": kept[name]})
        assert (again.status_code, again["X-Robots-Tag"]) == (304, "noindex, nofollow")
    end(share, run)
    for name, address in addresses.items():
        response = stranger.get(address, headers={"if-none-match": kept[name]})
        assert response.status_code == 404, name
        assert GONE in response.content.decode()
        assert stranger.get(address, headers=JSON).json()["error"]["code"] == "nothing_shared"


@pytest.mark.parametrize(
    "token", ["a", "a" * 43, "a" * 300, "%C3%A4" * 43, "%00" * 43, "'--", "..%2F" * 10, "%0A"]
)
def test_an_odd_token_is_like_one_that_is_gone(stranger: Client, token: str) -> None:
    for address in (f"/s/{token}/", f"/s/{token}/preview.png", f"/s/{token}/pictures/{uuid.uuid4()}/"):
        assert stranger.get(address).status_code == 404


def test_a_picture_that_is_not_of_the_link_is_not_there(user: User, stranger: Client) -> None:
    run, beside = (make_runs(user, models=("tiny",))[0] for _ in range(2))
    share = sharing.share(user, run=run)
    for address in (
        reverse("predictions:shared-picture", args=[share.token, beside.upload_id]),
        reverse("predictions:shared-input", args=[share.token, beside.pk]),
    ):
        assert stranger.get(address).status_code == 404
    # The link opens no other door.
    assert stranger.get(reverse("predictions:picture", args=[run.upload_id])).status_code == 302


def test_a_picture_whose_file_is_gone_leaves_the_answers(user: User, stranger: Client) -> None:
    run = answered(user, models=("tiny",))[0]
    share = sharing.share(user, run=run)
    run.upload.file.storage.delete(run.upload.file.name)
    assert "60.0%" in text_of(stranger.get(share.get_absolute_url()))
    assert (
        stranger.get(reverse("predictions:shared-picture", args=[share.token, run.upload_id])).status_code
        == 404
    )
    assert stranger.get(reverse("predictions:shared-preview", args=[share.token])).status_code == 200


# --- the preview --------------------------------------------------------------------------------------------


def preview(client: Client, share: Share) -> Image.Image:
    response = client.get(reverse("predictions:shared-preview", args=[share.token]))
    assert response["Content-Type"] == "image/png"
    image = Image.open(io.BytesIO(response.content))
    assert image.size == (1200, 630)
    # What shows links to people takes no large pictures.
    assert len(response.content) < 500_000
    return image.convert("RGB")


def near(pixel: Any, colour: tuple[int, int, int]) -> bool:
    return all(abs(one - other) < 24 for one, other in zip(pixel, colour, strict=True))


def test_the_page_names_its_preview_by_a_whole_address(user: User, stranger: Client) -> None:
    share = sharing.share(user, run=make_runs(user)[0])
    text = text_of(stranger.get(share.get_absolute_url()))
    address = f"http://testserver/s/{share.token}/"
    for name, value in (
        ("og:url", address),
        ("og:image", f"{address}preview.png"),
        ("og:image:width", "1200"),
        ("og:image:height", "630"),
    ):
        assert f'<meta property="{name}" content="{value}">' in text
    assert '<meta name="twitter:card" content="summary_large_image">' in text


def test_the_preview_shows_the_picture_with_its_bars_and_changes_with_the_answer(
    user: User, stranger: Client
) -> None:
    run = make_runs(user, models=("tiny",), bars=[[0, 0, 0.5, 1]])[0]
    share = sharing.share(user, run=run)
    waiting = preview(stranger, share)
    # 90 by 60 in a box of 520 by 510, in the middle of the left half: black where the bar is, red beside it.
    assert near(waiting.getpixel((150, 315)), (0, 0, 0))
    assert near(waiting.getpixel((500, 315)), (200, 30, 30))
    address = reverse("predictions:shared-preview", args=[share.token])
    before = stranger.get(address)["ETag"]
    finish(run)
    assert stranger.get(address, headers={"if-none-match": before}).status_code == 200
    right_half = (640, 60, 1200, 400)
    assert preview(stranger, share).crop(right_half).tobytes() != waiting.crop(right_half).tobytes()


def test_the_previews_of_comparisons_and_batches_show_every_picture(user: User, stranger: Client) -> None:
    runs = answered(user, pictures=8, models=("tiny",))
    compared = preview(stranger, sharing.share(user, run=runs[0], other=runs[1]))
    for x in (320, 880):
        assert near(compared.getpixel((x, 200)), (200, 30, 30))
    batch = preview(stranger, sharing.share(user, batch=runs[0].batch))
    for x, y in ((180, 130), (440, 130), (180, 315), (440, 315), (180, 500), (440, 500)):
        assert near(batch.getpixel((x, y)), (200, 30, 30))


def test_a_preview_is_drawn_so_often_and_no_more(
    user: User, stranger: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    monkeypatch.setattr(throttle, "wait", lambda scope, who, most: asked.append((scope, who, most)) or 7)
    share = sharing.share(user, run=make_runs(user, models=("tiny",))[0])
    response = stranger.get(reverse("predictions:shared-preview", args=[share.token]))
    assert (response.status_code, response["Retry-After"]) == (429, "7")
    assert asked == [("shared-preview", "127.0.0.1", 120)]
