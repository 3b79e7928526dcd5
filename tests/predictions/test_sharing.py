"""Links with which results are shown to others: made once, withdrawn for good, and gone with what they show."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts import registry
from accounts.models import User
from predictions import lifecycle, removal, sharing
from predictions.models import Prediction, Share, Upload
from predictions.sharing import AccountNeeded, NothingToShare
from tests.factories import finish, make_guest, make_runs, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("small_networks", "no_wake_ups")]

BARS = [[0.1, 0.1, 0.4, 0.3]]


def found(share: Share) -> sharing.Shown:
    shown = sharing.find(share.token)
    assert shown is not None
    return shown


def test_a_token_says_nothing_and_is_never_the_same(user: User) -> None:
    first = sharing.share(user, run=make_runs(user)[0])
    sharing.withdraw(user, first.pk)
    again = sharing.share(user, run=first.run)
    assert first.token != again.token
    # 256 random bits.
    assert len(again.token) == 43


def test_a_prediction_has_one_link_whichever_of_its_networks_is_named(user: User) -> None:
    runs = make_runs(user, bars=BARS)
    links = [sharing.share(user, run=run) for run in (*runs, runs[0].clean_run, runs[1].pk)]
    assert len({link.pk for link in links}) == 1
    group = found(links[0]).group()
    assert group is not None
    assert [run.pk for run in group.runs] == [run.pk for run in runs]
    assert group.bars == BARS
    assert {run.pk for run in found(links[0]).runs} == {
        pk for run in runs for pk in (run.pk, run.clean_run_id)
    }


def test_a_comparison_is_shared_in_its_order_also_of_different_pictures(user: User) -> None:
    first, second = make_runs(user, pictures=2, models=("tiny",))
    link = sharing.share(user, run=first, other=second)
    assert sharing.share(user, run=first, other=second) == link
    assert sharing.share(user, run=second, other=first) != link
    assert [run.pk for run in found(link).sides()] == [first.pk, second.pk]
    assert set(found(link).uploads) == {first.upload, second.upload}


def test_a_run_and_its_clean_one_can_be_compared(user: User) -> None:
    run = make_runs(user, models=("tiny",), bars=BARS)[0]
    link = sharing.share(user, run=run.clean_run, other=run)
    assert [side.covered for side in found(link).sides()] == [False, True]


def test_a_batch_is_shared_with_the_pictures_that_were_taken_and_no_word_of_others(user: User) -> None:
    runs = make_runs(user, pictures=2)
    batch = runs[0].batch
    batch.rejected = [{"position": 9, "filename": "secret.png", "code": "held_for_review", "message": "m"}]
    batch.save()
    link = sharing.share(user, batch=batch)
    assert sharing.share(user, batch=batch.pk) == link
    table = found(link).table()
    assert table is not None
    assert [row.filename for row in table.rows] == [runs[0].upload.filename] * 2
    assert table.counts["rejected"] == 0


def test_what_waits_can_be_shared_and_shows_its_answer_later(user: User) -> None:
    run = make_runs(user, models=("tiny",))[0]
    link = sharing.share(user, run=run)
    group = found(link).group()
    assert group is not None
    assert not group.final
    finish(run)
    group = found(link).group()
    assert group is not None
    assert group.final


def nothing(user: User) -> list[dict[str, Any]]:
    """What cannot be shared."""
    own = make_runs(user, models=("tiny",))[0]
    gone = make_runs(user, models=("tiny",))[0]
    lifecycle.delete(user, [gone.pk])
    strange = make_runs(make_user(), models=("tiny",))[0]
    return [
        {"run": gone},
        {"run": strange},
        {"run": uuid.uuid4()},
        {"run": own, "other": gone},
        {"run": own, "other": strange},
        {"run": own, "other": own},
        {"batch": gone.batch_id},
        {"batch": strange.batch_id},
        {"batch": uuid.uuid4()},
        {},
    ]


def test_nothing_that_is_deleted_somebody_elses_or_not_there_can_be_shared(user: User) -> None:
    for what in nothing(user):
        with pytest.raises(NothingToShare) as refused:
            sharing.share(user, **what)
        assert str(refused.value).endswith(".")
    assert not Share.objects.exists()


def test_a_batch_of_which_nothing_was_taken_has_nothing_to_share(user: User) -> None:
    run = make_runs(user, models=("tiny",))[0]
    batch = run.batch
    batch.rejected = [{"position": 1, "filename": "a.txt", "code": "not_a_picture", "message": "m"}]
    batch.save()
    Prediction.objects.all().delete()
    with pytest.raises(NothingToShare):
        sharing.share(user, batch=batch)


def test_guests_are_told_that_an_account_is_needed() -> None:
    guest = make_guest(Client())
    with pytest.raises(AccountNeeded, match="account"):
        sharing.share(guest, run=make_runs(guest)[0])


def test_withdrawing_works_once_and_only_for_the_owner(user: User) -> None:
    link = sharing.share(user, run=make_runs(user)[0])
    assert not sharing.withdraw(make_user(), link.pk)
    assert sharing.find(link.token)
    assert sharing.withdraw(user, link.pk)
    assert not sharing.withdraw(user, link.pk)
    assert not sharing.withdraw(user, uuid.uuid4())
    assert sharing.find(link.token) is None


# --- what ends a link ---------------------------------------------------------------------------------------


def links_of(user: User) -> dict[str, Share]:
    """One of each kind, all of them with one and the same picture in it."""
    first, second = make_runs(user, pictures=2, models=("tiny",))
    return {
        "prediction": sharing.share(user, run=first),
        "comparison": sharing.share(user, run=second, other=first),
        "batch": sharing.share(user, batch=first.batch),
    }


def showing(links: dict[str, Share]) -> set[str]:
    return {kind for kind, link in links.items() if sharing.find(link.token)}


def test_what_is_deleted_is_gone_at_once_and_back_with_an_undo(user: User) -> None:
    links = links_of(user)
    first = links["prediction"].run
    assert first is not None
    assert showing(links) == {"prediction", "comparison", "batch"}
    lifecycle.delete(user, [first.pk])
    # The other picture of the batch is still there.
    assert showing(links) == {"batch"}
    assert found(links["batch"]).upload(first.upload_id) is None
    assert found(links["batch"]).run(first.pk) is None
    lifecycle.undo(user, [first.pk])
    assert showing(links) == {"prediction", "comparison", "batch"}
    lifecycle.delete(user, Prediction.objects.values_list("pk", flat=True))
    assert not showing(links)
    removal.remove(Prediction.objects.all())
    assert not Share.objects.exists()


def test_what_moderators_hide_is_gone_at_once_even_where_only_the_picture_says_so(user: User) -> None:
    links = links_of(user)
    run = links["prediction"].run
    assert run is not None
    Upload.objects.filter(pk=run.upload_id).update(hidden=timezone.now())
    assert showing(links) == {"batch"}
    batch = found(links["batch"])
    assert batch.upload(run.upload_id) is None
    assert batch.run(run.pk) is None
    assert run.upload_id not in {upload.pk for upload in batch.uploads}


@pytest.mark.parametrize(
    "change",
    [
        {"is_active": False},
        {"is_active": False, "suspended": timezone.now(), "suspension_reason": "harm"},
        {"deletion_due": timezone.now()},
    ],
)
def test_of_an_account_that_is_away_nothing_is_shown_until_it_is_back(
    user: User, change: dict[str, Any]
) -> None:
    links = links_of(user)
    back = {"is_active": True, "suspended": None, "suspension_reason": "", "deletion_due": None}
    User.objects.filter(pk=user.pk).update(**change)
    assert not showing(links)
    User.objects.filter(pk=user.pk).update(**back)
    assert showing(links) == {"prediction", "comparison", "batch"}


def test_links_go_with_their_account(user: User) -> None:
    links = links_of(user)
    registry.forget(user)
    assert not showing(links)
    assert not Share.objects.exists()


@pytest.mark.parametrize(
    "token",
    ["", "a", "a" * 42, "a" * 44, "ä" * 43, "a" * 42 + "\n", "\0" * 43, "%" * 43, "' OR 1=1 --".ljust(43)],
)
def test_an_odd_token_finds_nothing(user: User, token: str) -> None:
    sharing.share(user, run=make_runs(user)[0])
    assert sharing.find(token) is None


def test_a_link_shows_nothing_beside_what_was_shared(user: User) -> None:
    shared, beside = make_runs(user, pictures=2, models=("tiny",))
    shown = found(sharing.share(user, run=shared))
    assert shown.upload(shared.upload_id) == shared.upload
    assert shown.run(shared.pk) == shared
    for pk in (beside.upload_id, uuid.uuid4(), "no id", None, "\0"):
        assert shown.upload(pk) is None
    assert shown.run(beside.pk) is None
    assert shown.group(beside.upload_id) is None
    draft_of_same_owner = make_runs(user, models=("tiny",))[0]
    assert shown.upload(draft_of_same_owner.upload_id) is None
