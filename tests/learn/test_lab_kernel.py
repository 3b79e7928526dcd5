"""The kernel laboratory without scripts: sums against a plain loop, and addresses that make no sense."""

from __future__ import annotations

import html

import numpy as np
import pytest
from django.urls import reverse

from learn.figures import kernel
from learn.figures.kernel import Settings

pytestmark = pytest.mark.django_db

ADDRESS = reverse("learn:laboratory-figure", args=["kernel"])


def by_hand(values, settings):
    """Every sum by four loops over the padded picture."""
    size, pad = len(values), settings.padding
    padded = np.zeros((size + 2 * pad, size + 2 * pad))
    padded[pad : pad + size, pad : pad + size] = values
    places = range(0, len(padded) - settings.dilation * 2, settings.stride)
    return np.array(
        [
            [
                sum(
                    settings.weights[3 * i + j] * padded[y + i * settings.dilation, x + j * settings.dilation]
                    for i in range(3)
                    for j in range(3)
                )
                for x in places
            ]
            for y in places
        ]
    )


@pytest.mark.parametrize("stride", kernel.STRIDES)
@pytest.mark.parametrize("padding", kernel.PADDINGS)
@pytest.mark.parametrize("dilation", kernel.DILATIONS)
def test_the_sums_are_those_of_a_plain_loop(stride, padding, dilation):
    rng = np.random.default_rng(3)
    values = rng.random((12, 12))
    settings = Settings(tuple(rng.normal(0, 1, 9)), stride, padding, dilation)
    expected = by_hand(values, settings)
    assert settings.rows(12) == len(expected)
    np.testing.assert_allclose(kernel.convolve(values, settings), expected, atol=1e-12)
    last = len(expected) - 1
    products = kernel.patch(values, settings, last, 0).reshape(-1) * settings.weights
    assert products.sum() == pytest.approx(expected[last, 0])


def page(client, query=""):
    answer = client.get(ADDRESS + query)
    assert answer.status_code == 200
    return html.unescape(answer.content.decode())


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("?kernel=1,2,3", "nine numbers"),
        ("?kernel=1,2,3,4,5,6,7,8,nan", "nine numbers"),
        ("?kernel=1,2,3,4,5,6,7,8,inf", "nine numbers"),
        ("?kernel=1,2,3,4,5,6,7,8,1e30", "Weights go from −9 to 9"),
        ("?kernel=a", "nine numbers"),
        ("?stride=0", "cannot be chosen for the stride"),
        ("?stride=1.5", "cannot be chosen for the stride"),
        ("?padding=-1", "cannot be chosen for the padding"),
        ("?dilation=99", "cannot be chosen for the dilation"),
        ("?plane=infrared", "no plane “infrared”"),
        ("?y=99", "rows and columns go from 1 to 32"),
        ("?x=-5", "rows and columns go from 1 to 32"),
        ("?y=middle", "rows and columns go from 1 to 32"),
    ],
)
def test_what_cannot_be_shown_is_said_and_something_near_is_shown(client, query, sentence):
    assert sentence in page(client, query)


def test_the_page_says_the_sum_of_the_place_that_is_asked_for(client):
    text = page(client, "?kernel=0,0,0,0,0,0,0,0,0&y=3&x=4")
    assert "Row 4, column 5 of what comes out" in text
    assert "What comes out, 32 × 32 sums" in text
    assert "What comes out, 15 × 15 sums" in page(client, "?stride=2&padding=0")
