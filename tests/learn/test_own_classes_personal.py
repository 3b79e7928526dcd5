"""Classes of one's own and their owner: the archive, the end of an account, guests, suspension, the admin."""

from __future__ import annotations

import io
import json
import zipfile

import numpy as np
import pytest
from django.contrib.auth.models import Permission
from django.core.files.storage import default_storage
from django.test import Client
from PIL import Image

from accounts import exports, registry
from accounts.models import DataExport, User
from learn import own_classes, own_results, own_training
from learn.models import OwnClasses, OwnExample
from tests.factories import make_guest, make_user
from tests.learn.owning import own_set, trained

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("seeing", "no_wake_ups")]


def test_the_archive_has_the_names_the_head_and_the_pictures(user: User) -> None:
    owned = trained(user)
    own_set(user, each=0, title="Empty")
    trained(make_user())
    exports.ask(user)
    exports.prepare()
    archive = DataExport.objects.get(owner=user)
    with default_storage.open(archive.file.name or "") as file, zipfile.ZipFile(file) as content:
        (data,) = [name for name in content.namelist() if name.endswith(".json")]
        first, second = json.loads(content.read(data))["learn"]["own_classes"]
        assert (first["title"], first["classes"], second["head"]) == ("Desk", ["mug", "keys"], None)
        assert first["head"] == own_results.exported(owned)
        pictures = [name for name in content.namelist() if "own-classes/" in name]
        assert len(pictures) == len(first["pictures"]) == 6
        (name,) = [one for one in pictures if one.endswith(first["pictures"][0]["file"])]
        pixels = np.asarray(Image.open(io.BytesIO(content.read(name))))
    example = OwnExample.objects.filter(owned=owned).order_by("index", "pk")[0]
    assert pixels.tobytes() == bytes(example.pixels)


def test_an_erased_account_leaves_none(user: User) -> None:
    own_set(user)
    other = own_set(make_user())
    for erase in registry.erasers().values():
        erase(user)
    assert list(OwnClasses.objects.all()) == [other]
    assert set(OwnExample.objects.values_list("owned", flat=True)) == {other.pk}


def test_a_guest_brings_none_along(user: User, client: Client) -> None:
    guest, owned = make_guest(client), own_set(user)
    for merge in registry.mergers().values():
        merge(guest, user)
    assert list(OwnClasses.objects.filter(owner=user)) == [owned]


def test_a_suspended_account_trains_nothing(user: User) -> None:
    owned = own_set(user)
    own_classes.train(owned)
    for suspend in registry.suspenders().values():
        suspend(user)
    owned.refresh_from_db()
    assert owned.status == "cancelled"
    assert own_training.drain() is False


def test_staff_read_names_and_neither_pictures_nor_heads(user: User, client: Client) -> None:
    owned = trained(user)
    token = own_classes.share(owned)
    staff = make_user(is_staff=True)
    staff.user_permissions.add(*Permission.objects.filter(codename__endswith="_ownclasses"))
    client.force_login(staff)
    listed = client.get("/admin/learn/ownclasses/", {"q": user.email}).content.decode()
    assert "Desk" in listed
    page = client.get(f"/admin/learn/ownclasses/{owned.pk}/change/")
    assert page.status_code == 200
    html = page.content.decode()
    assert "keys" in html
    assert token not in html
    assert ".png" not in html
    assert client.post(f"/admin/learn/ownclasses/{owned.pk}/change/", {"title": "x"}).status_code == 403
    assert client.post(f"/admin/learn/ownclasses/{owned.pk}/delete/", {"post": "yes"}).status_code == 403
