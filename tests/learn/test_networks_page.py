"""The page about the networks shows what their cards say, and says plainly which network is not trained."""

from __future__ import annotations

import pytest
from django.urls import reverse

from tests.learn.conftest import write_card, write_log

pytestmark = pytest.mark.django_db

NOT_TRAINED = "Not trained yet on this site"


@pytest.fixture
def page(client):
    def get() -> str:
        return client.get(reverse("learn:page", args=["networks"])).content.decode()

    return get


def test_it_shows_the_figures_of_the_card(page, artifacts):
    write_card(artifacts, "vgg")
    html = page()
    for text in ("Little network", "vgg-0123abcd", "61.4%", "88.8%", "2.2%", "7,954", "1.2 million", "4,321"):
        assert text in html
    for text in ("openvino, int8", "float32", "37", "91 minutes", "an abacus"):
        assert text in html


def test_it_lists_the_layers_with_weights_and_their_sum(page, artifacts):
    write_card(artifacts, "vgg")
    html = page()
    assert ">Block 1, convolution 2</th>" in html
    assert "2,304" in html
    assert ">Block 1, pooling</th>" not in html
    assert "7,986" in html


def test_it_draws_the_training_only_from_a_log(page, artifacts):
    write_card(artifacts, "vgg")
    assert "How Little network learned" not in page()
    write_log(artifacts, "vgg", 5)
    assert "How Little network learned" in page()


def test_an_untrained_network_is_described_without_figures(page, artifacts):
    html = page()
    assert html.count(NOT_TRAINED) == 2
    assert "First answer right" not in html
    write_card(artifacts, "wideresnet")
    assert page().count(NOT_TRAINED) == 1


def test_only_trained_networks_are_said_to_have_learned(page, artifacts):
    assert "The networks of this project are made for CIFAR-100." in page()
    write_card(artifacts, "vgg")
    assert "The network of this project, Little network, learned from CIFAR-100." in page()
    write_card(artifacts, "wideresnet")
    assert "The networks of this project learned from CIFAR-100." in page()


def test_a_further_network_gets_its_section_without_a_change_of_code(page, artifacts):
    write_card(artifacts, "teacher", title="A teacher’s own")
    html = page()
    assert 'id="network-teacher"' in html
    assert "A teacher’s own" in html


def test_a_damaged_card_does_not_take_the_page_down(page, artifacts):
    (artifacts / "vgg").mkdir()
    (artifacts / "vgg" / "card.json").write_text("{", encoding="utf-8")
    assert page().count(NOT_TRAINED) == 2


def test_it_says_what_the_classes_about_people_mean(page, artifacts):
    html = page()
    for label in ("baby", "boy", "girl", "man", "woman"):
        assert label in html
    assert "withdrew in 2020" in html
    assert "knows nothing about the person" in html
