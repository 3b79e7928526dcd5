"""Pictures that belong to no class, painted by formula."""

from __future__ import annotations

import numpy as np
import pytest

from ml import outliers
from ml.preprocessing import Preprocessing

HOW = Preprocessing(size=32)
KINDS_AND_FAMILIES = [(kind, family) for kind in outliers.KINDS for family in outliers.FAMILIES]


def test_the_kinds_are_those_that_are_reported():
    assert outliers.KINDS == ("textures", "noise", "text", "drawings")


@pytest.mark.parametrize("kind", outliers.KINDS)
def test_what_is_chosen_on_and_what_is_reported_have_no_painter_in_common(kind):
    development, test = (set(outliers.PAINTERS[kind][family]) for family in outliers.FAMILIES)
    assert development
    assert test
    assert not development & test


@pytest.mark.parametrize(("kind", "family"), KINDS_AND_FAMILIES)
def test_every_painter_paints_photograph_sized_pictures_that_differ(kind, family):
    count = len(outliers.PAINTERS[kind][family])
    first = list(outliers.pictures(kind, family, 2 * count))
    for picture in first:
        assert picture.mode == "RGB"
        assert 199 <= min(picture.size) <= 401
    for i in range(count):
        one, other = (np.asarray(first[j].resize((32, 32)), float) for j in (i, i + count))
        assert one.std() > 0
        assert np.abs(one - other).mean() > 1, outliers.PAINTERS[kind][family][i].__name__


@pytest.mark.parametrize(("kind", "family"), KINDS_AND_FAMILIES)
def test_a_seed_gives_the_same_pictures_however_many_are_asked_for(kind, family):
    few = outliers.inputs(kind, family, 2, HOW, seed=5)
    assert few.shape == (2, 32, 32, 3)
    assert few.dtype == np.uint8
    assert np.array_equal(few, outliers.inputs(kind, family, 3, HOW, seed=5)[:2])
    assert not np.array_equal(few, outliers.inputs(kind, family, 2, HOW, seed=6))


@pytest.mark.parametrize(("kind", "family"), [("photographs", "test"), ("noise", "training")])
def test_an_unknown_kind_or_family_is_refused(kind, family):
    with pytest.raises(ValueError, match="kind must be one of"):
        next(outliers.pictures(kind, family, 1))
