"""System checks: a bucket that is named half, or in the open, is refused before the site starts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from classifier_site import backends, checks

ROOT = Path(__file__).resolve().parents[2]
GOOD = {
    "PRODUCTION": True,
    "AWS_STORAGE_BUCKET_NAME": "convoscope-media-123456789012-eu-west-1",
    "AWS_S3_REGION_NAME": "eu-west-1",
    "AWS_S3_ENDPOINT_URL": "",
}


@pytest.fixture
def production(settings: Any) -> Any:
    for name, value in GOOD.items():
        setattr(settings, name, value)
    bucket = backends.storage(GOOD["AWS_STORAGE_BUCKET_NAME"], "eu-west-1", "")
    settings.STORAGES = {**settings.STORAGES, "default": bucket}
    return settings


def found() -> list[str]:
    return [problem.id for problem in checks._bucket() + checks._static() + checks._media()]


def test_a_private_bucket_with_its_region_passes(production: Any) -> None:
    assert found() == []


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"AWS_S3_REGION_NAME": ""}, ["convoscope.E013"]),
        ({"AWS_STORAGE_BUCKET_NAME": "s3://pictures"}, ["convoscope.E013"]),
        ({"AWS_STORAGE_BUCKET_NAME": "pictures/of/ours"}, ["convoscope.E013"]),
        ({"AWS_STORAGE_BUCKET_NAME": "Pictures"}, ["convoscope.E013"]),
        ({"AWS_S3_ENDPOINT_URL": "http://storage.example:9000"}, ["convoscope.E014"]),
        ({"AWS_S3_ENDPOINT_URL": "http://10.0.0.7:9000"}, ["convoscope.E014"]),
        ({"AWS_S3_ENDPOINT_URL": "http://[fd00::7]:9000"}, ["convoscope.E014"]),
        ({"AWS_S3_ENDPOINT_URL": "https://storage.example", "AWS_S3_REGION_NAME": ""}, []),
        ({"AWS_S3_ENDPOINT_URL": "http://127.0.0.1:9000"}, []),
        ({"AWS_S3_ENDPOINT_URL": "http://[::1]:9000"}, []),
        # A container beside this one, on a network of their own.
        ({"AWS_S3_ENDPOINT_URL": "http://storage:9000"}, []),
        (
            {"AWS_STORAGE_BUCKET_NAME": "", "AWS_S3_ENDPOINT_URL": "https://storage.example"},
            ["convoscope.W005"],
        ),
    ],
)
def test_what_is_half_or_in_the_open_is_told(
    production: Any, changes: dict[str, str], expected: list[str]
) -> None:
    for name, value in changes.items():
        setattr(production, name, value)
    assert found() == expected


def test_static_files_in_the_bucket_of_pictures_are_refused(production: Any) -> None:
    production.STORAGES = {**production.STORAGES, "staticfiles": production.STORAGES["default"]}
    assert found() == ["convoscope.E015"]


def test_static_files_in_the_folder_of_pictures_are_refused(production: Any) -> None:
    production.AWS_STORAGE_BUCKET_NAME = ""
    files = {"BACKEND": "django.core.files.storage.FileSystemStorage"}
    production.STORAGES = {**production.STORAGES, "default": files}
    production.STATIC_ROOT = Path(production.MEDIA_ROOT) / "static"
    assert found() == ["convoscope.E015"]
    production.STATIC_ROOT = Path(production.MEDIA_ROOT).parent / "static"
    assert found() == []


def test_every_id_is_in_the_operators_guide() -> None:
    guide = (ROOT / "docs/operations.md").read_text()
    for number in ("E013", "E014", "E015", "W005"):
        assert f"`convoscope.{number}`" in guide
