"""Rows for tests, made the way the site makes them."""

from __future__ import annotations

import io
from datetime import timedelta
from itertools import count
from typing import Any

from allauth.account.models import EmailAddress
from django.conf import settings
from django.test import Client, RequestFactory
from django.utils import timezone
from PIL import Image

from accounts import guests
from accounts.models import User
from predictions import services
from predictions.corruption import parse_bars
from predictions.images import PreparedImage
from predictions.models import Prediction

PASSWORD = "correct horse battery staple"

_numbers = count(1)


def make_user(
    email: str | None = None, password: str = PASSWORD, *, verified: bool = True, **kw: Any
) -> User:
    """An account that can log in at once. ``verified=False`` leaves its e-mail address unconfirmed."""
    user = User.objects.create_user(email or f"student{next(_numbers)}@example.com", password, **kw)
    EmailAddress.objects.create(user=user, email=user.email, primary=True, verified=verified)
    return user


def make_guest(client: Client) -> User:
    """Makes the visitor with this browser a guest, as the first picture would."""
    request = RequestFactory().post("/predict/draft/")
    request.session = client.session
    guest = guests.make(request)
    request.session.save()
    client.cookies[settings.SESSION_COOKIE_NAME] = request.session.session_key
    return guest


def make_picture(
    colour: tuple[int, int, int] = (200, 30, 30), size: tuple[int, int] = (90, 60)
) -> PreparedImage:
    """A prepared picture of one colour."""
    buffer = io.BytesIO()
    Image.new("RGB", size, colour).save(buffer, "PNG")
    data = buffer.getvalue()
    return PreparedImage(data, "image/png", "png", *size, *size, f"{colour[0]}-{colour[1]}-{colour[2]}.png")


def make_runs(
    owner: User, pictures: int = 1, models: tuple[str, ...] = (), bars: Any = (), **kw: Any
) -> list[Prediction]:
    """Queued runs, submitted as the site does it."""
    submission = services.submit(
        owner, [make_picture() for _ in range(pictures)], models, parse_bars(bars or None), **kw
    )
    return submission.runs


def finish(run: Prediction, *probabilities: float, first: int = 0) -> Prediction:
    """Gives a queued run an answer: the classes from ``first`` on with the given probabilities."""
    claim = f"factory:0:{run.pk.hex[:8]}"
    now = timezone.now() - timedelta(seconds=1)
    Prediction.objects.filter(pk=run.pk).update(
        status="running", claimed_by=claim, started=now, lease_until=now, attempts=1
    )
    answers = [(first + i, "", p) for i, p in enumerate(probabilities or (0.6, 0.2, 0.1, 0.05, 0.01))]
    fields = {"artifact": "test-1", **Prediction.answer_fields(run.model_id, answers)}
    assert Prediction.objects.finish_all(claim, {run.pk: fields})
    run.refresh_from_db()
    return run
