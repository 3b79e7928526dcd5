"""Numbers as the pages print them."""

from __future__ import annotations

import pytest
from django.template.loader import render_to_string
from django.utils import translation

from learn.templatetags import learn_format


@pytest.mark.parametrize(
    ("probability", "text"),
    [
        (0, "0.0%"),
        (0.0001, "< 0.1%"),
        (0.0004, "< 0.1%"),
        (0.0006, "0.1%"),
        (0.87251, "87.3%"),
        (0.99999, "> 99.9%"),
        (1, "100.0%"),
    ],
)
def test_a_percentage_is_never_a_false_zero_or_hundred(probability, text):
    assert learn_format.percent(probability) == text


@pytest.mark.parametrize(
    ("value", "width"), [(0.5, "50.00"), (-1, "0.00"), (7, "100.00"), (0.12345, "12.35")]
)
def test_a_bar_stays_inside_its_track(value, width):
    assert learn_format.bar_width(value) == width


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (999, "999"),
        (7954, "7,954"),
        (60_000, "60 thousand"),
        (4_738_596, "4.7 million"),
        (5_240_000_000, "5.2 billion"),
    ],
)
def test_large_numbers_are_rounded_to_words(number, text):
    assert learn_format.rounded(number) == text


@pytest.mark.parametrize(
    ("share", "text"), [(0.3, "30%"), (0.125, "12.5%"), (1 - 0.998, "0.2%"), (0.0001, "< 0.1%"), (1, "100%")]
)
def test_a_share_that_was_chosen_has_no_digits_that_say_nothing(share, text):
    assert learn_format.chosen_percent(share) == text


def test_the_cores_of_a_computer_are_said_in_the_readers_language(monkeypatch):
    assert learn_format.machine("AMD EPYC, 2 cores, AVX-512 VNNI") == "AMD EPYC, 2 cores, AVX-512 VNNI"
    assert learn_format.machine("x86_64, 1 core") == "x86_64, 1 core"
    monkeypatch.setattr(learn_format, "ngettext", lambda one, many, count: "%(count)s Kerne")
    assert learn_format.machine("AMD EPYC, 2 cores, AVX-512 VNNI") == "AMD EPYC, 2 Kerne, AVX-512 VNNI"


def test_small_and_negative_numbers_are_written_as_printers_do():
    assert learn_format.signed(-1.0) == "\N{MINUS SIGN}1.0"
    assert learn_format.grouped(36536884) == "36,536,884"


def test_answers_are_rows_of_name_bar_and_percentage():
    answers = [{"label": "sea", "probability": 0.5}, {"label": "plain", "probability": 0.25}]
    with translation.override("de"):
        html = render_to_string("partials/answers.html", {"answers": answers})
    assert html.count("<li>") == 2
    assert 'width="50.00"' in html
    assert "50,0" in html
