"""What files other than programs say to people is in the catalogues only if predictions/words.py has it too."""

from __future__ import annotations

import json

from django.conf import settings

from ml.labels import CIFAR100, display
from predictions import words


def test_every_class_name_is_among_the_texts_to_translate() -> None:
    assert list(words.CLASSES) == [display(label) for label in CIFAR100]


def test_every_text_of_a_sample_is_among_the_texts_to_translate() -> None:
    samples = json.loads((settings.BASE_DIR / "samples" / "samples.json").read_text(encoding="utf-8"))
    assert set(words.SAMPLES) == {one[key] for one in samples for key in ("title", "alt")}
