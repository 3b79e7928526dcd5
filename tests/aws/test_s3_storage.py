"""Files in S3 by the settings of production: in, out, gone, by link, and what is left behind."""

from __future__ import annotations

import io
import os
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.core.files import File
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage, storages
from django.test import Client
from django.utils import timezone

from accounts import exports
from accounts.models import DataExport, User
from classifier_site import backends, object_storage
from learn import explanation_files
from predictions import lifecycle, removal, services
from predictions.models import PICTURES, Prediction, Upload
from tests.aws.proxy import S3Proxy, running_proxy
from tests.aws.server import REGION
from tests.factories import make_picture, make_runs, make_user

KNOWN = (f"{PICTURES}/", f"{exports.FOLDER}/", f"{explanation_files.FOLDER}/")

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("small_networks", "no_wake_ups")]


@pytest.fixture
def user() -> User:
    return make_user()


@pytest.fixture
def page(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def keys(s3: Any, bucket: str, prefix: str = "") -> list[str]:
    return [one["Key"] for one in s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", ())]


def fetch(url: str, method: str = "GET") -> tuple[int, bytes]:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, method=method), timeout=10) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


# --- a picture's way -------------------------------------------------------------------------------------------


def test_a_picture_goes_in_by_one_request_and_comes_out_by_one(
    s3_site: S3Proxy, user: User, page: Client, s3: Any, bucket: str
) -> None:
    picture = make_picture()
    upload = services.submit(user, [picture], ("tiny",)).runs[0].upload
    assert [request.method for request in s3_site.requests] == ["PUT"]
    assert keys(s3, bucket) == [upload.file.name]
    answer = page.get(f"/pictures/{upload.pk}/")
    assert b"".join(answer.streaming_content) == picture.data
    assert (answer["Content-Type"], answer["X-Content-Type-Options"]) == ("image/png", "nosniff")
    assert answer["Cache-Control"] == "private, no-cache"
    assert answer["Content-Length"] == str(len(picture.data))
    assert [request.method for request in s3_site.requests] == ["PUT", "GET"]
    assert page.get(f"/pictures/{upload.pk}/?size=thumb")["Content-Type"] == "image/jpeg"
    assert s3_site.count() == 3
    assert page.get(f"/pictures/{upload.pk}/", headers={"if-none-match": answer["ETag"]}).status_code == 304
    assert s3_site.count() == 3


def test_what_is_deleted_is_gone_for_everybody_but_the_bucket(
    s3_site: S3Proxy, user: User, page: Client, s3: Any, bucket: str
) -> None:
    (run,) = make_runs(user, models=("tiny",))
    lifecycle.delete(user, [run.pk])
    Prediction.objects.update(deleted=timezone.now() - timedelta(minutes=5))
    assert removal.purge() == 1
    assert keys(s3, bucket) == []
    assert page.get(f"/pictures/{run.upload_id}/").status_code == 404
    with pytest.raises(FileNotFoundError):
        default_storage.open(run.upload.file.name)
    # As long as the bucket's rule says, an operator can have it back.
    versions = s3.list_object_versions(Bucket=bucket)
    assert [one["Key"] for one in versions["Versions"]] == [run.upload.file.name]
    assert [one["IsLatest"] for one in versions["DeleteMarkers"]] == [True]


def test_a_row_whose_object_somebody_took_away_is_a_missing_page(
    s3_site: S3Proxy, user: User, page: Client, s3: Any, bucket: str
) -> None:
    """Also for a role that may not list the bucket and is told 403 of what is missing."""
    (run,) = make_runs(user, models=("tiny",))
    s3.delete_object(Bucket=bucket, Key=run.upload.file.name)
    for tells in (False, True):
        s3_site.tells_missing = tells
        assert page.get(f"/pictures/{run.upload_id}/").status_code == 404


def test_it_is_encrypted_private_and_of_its_type(s3_site: S3Proxy, user: User, s3: Any, bucket: str) -> None:
    make_runs(user, models=("tiny",))
    explanation_files.write({"a.json": b"{}"})
    exports.ask(user)
    exports.prepare()
    found = keys(s3, bucket)
    assert [name.partition("/")[0] for name in found] == ["exports", "laboratory", "pictures"]
    types = []
    for name in found:
        about = s3.head_object(Bucket=bucket, Key=name)
        types.append(about["ContentType"])
        assert about["ServerSideEncryption"] == "AES256"
        assert about["CacheControl"] == "private, no-store"
        grants = s3.get_object_acl(Bucket=bucket, Key=name)["Grants"]
        assert [grant["Grantee"]["Type"] for grant in grants] == ["CanonicalUser"]
        assert fetch(f"{s3_site.url}/{bucket}/{name}")[0] == 403
    assert types == ["application/zip", "application/zip", "image/png"]


def test_nothing_is_overwritten(s3_site: S3Proxy, s3: Any, bucket: str) -> None:
    names = [default_storage.save("pictures/ab/same.png", ContentFile(text)) for text in (b"one", b"two")]
    assert len(set(names)) == 2
    assert [default_storage.open(name).read() for name in names] == [b"one", b"two"]
    assert all(
        request.headers["if-none-match"] == "*" for request in s3_site.requests if request.method == "PUT"
    )
    with pytest.raises(ValueError, match="written whole"):
        default_storage.open(names[0], "wb")
    assert len(s3.list_object_versions(Bucket=bucket)["Versions"]) == 2


def test_by_https_as_on_aws_the_sum_comes_behind_the_body(
    moto: str,
    bucket: str,
    certificate: Path,
    aws_credentials: None,
    monkeypatch: pytest.MonkeyPatch,
    settings: Any,
) -> None:
    monkeypatch.setenv("AWS_CA_BUNDLE", str(certificate))
    with running_proxy(moto, certificate) as proxy:
        settings.STORAGES = {**settings.STORAGES, "default": backends.storage(bucket, REGION, proxy.url)}
        name = default_storage.save("pictures/ab/a.png", ContentFile(b"hello"))
        assert proxy.requests[0].headers["x-amz-trailer"] == "x-amz-checksum-crc32"
        with default_storage.open(name) as file:
            assert file.read() == b"hello"


# --- links -----------------------------------------------------------------------------------------------------


def test_a_link_is_signed_and_good_for_300_seconds_at_most(s3_site: S3Proxy) -> None:
    name = default_storage.save("pictures/ab/a.png", ContentFile(b"hello"))
    link = default_storage.url(name)
    assert fetch(link) == (200, b"hello")
    assert parse_qs(urlsplit(link).query)["X-Amz-Expires"] == ["300"]
    longer = storages["default"].url(name, expire=86400)
    assert parse_qs(urlsplit(longer).query)["X-Amz-Expires"] == ["300"]
    assert fetch(storages["default"].url(name, expire=60))[0] == 200
    s3_site.ahead = timedelta(seconds=295)
    assert fetch(link)[0] == 200
    s3_site.ahead = timedelta(seconds=305)
    status, body = fetch(link)
    assert (status, b"Request has expired" in body) == (403, True)


def test_a_link_that_was_changed_opens_nothing(s3_site: S3Proxy) -> None:
    names = [default_storage.save("pictures/ab/a.png", ContentFile(text)) for text in (b"one", b"two")]
    link = default_storage.url(names[0])
    assert fetch(link.replace(names[0], names[1]))[0] == 403
    assert fetch(link.replace("X-Amz-Expires=300", "X-Amz-Expires=86400"))[0] == 403
    assert fetch(f"{link}&versionId=1")[0] == 403
    assert fetch(link.partition("?")[0])[0] == 403
    for method in ("PUT", "DELETE", "HEAD"):
        assert fetch(link, method)[0] == 403


def test_on_aws_links_name_the_buckets_own_region(settings: Any, aws_credentials: None) -> None:
    """The address of all regions answers with a redirect for a while, and the signature does not fit the new one."""
    settings.STORAGES = {**settings.STORAGES, "default": backends.storage("convoscope-media", REGION, "")}
    link = default_storage.url("pictures/ab/a.png")
    assert link.startswith(
        "https://convoscope-media.s3.eu-west-1.amazonaws.com/pictures/ab/a.png?X-Amz-Algorithm="
    )


# --- large files -----------------------------------------------------------------------------------------------


def test_a_large_file_goes_in_parts_and_comes_out_in_pieces(s3_site: S3Proxy, s3: Any, bucket: str) -> None:
    data = os.urandom(1024) * (9 * 1024)
    name = default_storage.save("exports/large.zip", File(io.BytesIO(data), "large"))
    parts = [request for request in s3_site.requests if "partNumber" in request.query]
    assert [len(part.body) for part in parts] == [8 * 1024**2, 1024**2]
    assert s3.head_object(Bucket=bucket, Key=name)["ServerSideEncryption"] == "AES256"
    before = s3_site.count("GET", name)
    with default_storage.open(name) as file:
        assert file.size == len(data)
        assert b"".join(file.pieces(256 * 1024)) == data
    with default_storage.open(name) as file:
        file.seek(-10, os.SEEK_END)
        assert file.read() == data[-10:]
    assert s3_site.count("GET", name) == before + 2
    assert default_storage.save("exports/large.zip", File(io.BytesIO(data), "large")) != name


def test_an_archive_is_made_from_the_bucket_and_handed_out_in_pieces(
    s3_site: S3Proxy, user: User, page: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    (run,) = make_runs(user, models=("tiny",))
    exports.ask(user)
    exports.prepare()
    export = DataExport.objects.get()
    # As one that is too large for the memory.
    monkeypatch.setattr(object_storage, "WHOLE", 0)
    answer = page.get(f"/account/export/{export.pk}/")
    assert answer.status_code == 200, answer.content
    with zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content))) as archive:
        assert f"pictures/{run.upload_id}.png" in archive.namelist()
    assert s3_site.count("GET", export.file.name) == 1


# --- what nothing names any more -------------------------------------------------------------------------------


def strays(s3: Any, bucket: str, folder: str, count: int = 1) -> list[str]:
    """Objects without a row, written before ``a_day_later``."""
    names = [f"{folder}/stray{number}.bin" for number in range(count)]
    for name in names:
        s3.put_object(Bucket=bucket, Key=name, Body=b"x")
    return names


@pytest.fixture
def a_day_later(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    now = timezone.now
    with monkeypatch.context() as patch:
        patch.setattr(timezone, "now", lambda: now() + timedelta(hours=25))
        yield


def test_orphans_go_after_a_day_and_nothing_else(
    s3_site: S3Proxy, user: User, s3: Any, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (run,) = make_runs(user, models=("tiny",))
    mine = run.upload.file.name
    folder = mine.rpartition("/")[0]
    figure, _size = explanation_files.write({"a.json": b"{}"})
    strays(s3, bucket, folder)
    strays(s3, bucket, exports.FOLDER)
    sweeps = (
        lambda: removal.sweep_files(folder),
        lambda: explanation_files.sweep(figure.rpartition("/")[0]),
        exports.sweep,
        lambda: removal.sweep_files("pictures/none"),
    )
    assert [sweep() for sweep in sweeps] == [0, 0, 0, 0]
    now = timezone.now
    monkeypatch.setattr(timezone, "now", lambda: now() + timedelta(hours=25))
    seen = s3_site.count()
    assert [sweep() for sweep in sweeps] == [1, 1, 1, 0]
    # A list for each, and a request for each that is removed: none for each that is there.
    assert s3_site.count() - seen == 4 + 3
    assert keys(s3, bucket) == [mine]


def test_more_than_a_thousand_are_listed_page_by_page(
    s3_site: S3Proxy, s3: Any, bucket: str, monkeypatch: pytest.MonkeyPatch, a_day_later: None
) -> None:
    """moto is told to give shorter pages, or making the objects would be most of the test."""
    folder = f"{PICTURES}/ab"
    names = strays(s3, bucket, folder, 30)
    storages["default"]._client.meta.events.register(
        "provide-client-params.s3.ListObjectsV2", lambda params, **details: {**params, "MaxKeys": 7}
    )
    assert sorted(default_storage.listdir(folder)[1]) == sorted(name.rpartition("/")[2] for name in names)
    assert s3_site.count("GET") == 5
    assert removal.sweep_files(folder) == 30
    assert keys(s3, bucket) == []


def test_lists_are_asked_for_folder_by_folder(s3_site: S3Proxy, user: User, s3: Any, bucket: str) -> None:
    """The role may list these folders and no others."""
    make_runs(user, models=("tiny",))
    exports.sweep()
    removal.sweep_files()
    explanation_files.sweep()
    default_storage.exists("pictures/ab/a.png")
    storages["default"].probe(PICTURES)
    asked = [request.query["prefix"] for request in s3_site.requests if not request.key]
    assert len(asked) == 5
    assert all(prefix.startswith(KNOWN) for prefix in asked)
    with pytest.raises(ValueError, match="folder by folder"):
        default_storage.listdir("")


def test_what_is_written_lies_in_the_known_folders(
    s3_site: S3Proxy, user: User, s3: Any, bucket: str
) -> None:
    make_runs(user, models=("tiny",))
    explanation_files.write({"a.json": b"{}"})
    exports.ask(user)
    exports.prepare()
    assert all(name.startswith(KNOWN) for name in keys(s3, bucket))
    assert Upload.objects.get().file.name.startswith(f"{PICTURES}/")
