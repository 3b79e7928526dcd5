"""System checks that refuse a production that would be unsafe or could not work, each with what to do."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, register
from django.core.checks import Warning as Advice
from django.core.files.storage import FileSystemStorage, storages

TAG = "convoscope"
KEY_LENGTH = 50
KEY_VARIETY = 5
BUCKET_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
LOOPBACK = ("localhost", "127.0.0.1", "::1")


def refuse_unsafe_production() -> None:
    """Ends the process with one sentence a problem; for the web server and workers, which run no checks."""
    if not settings.PRODUCTION:
        return
    found = check_production(None) + check_artifacts(None) + check_engine(None)
    problems = [problem for problem in found if problem.is_serious()]
    if problems:
        raise SystemExit("\n".join(f"{problem.id}: {problem.msg} {problem.hint}" for problem in problems))


@register(TAG)
def check_production(app_configs: Sequence[Any] | None, **options: Any) -> list[CheckMessage]:
    if not settings.PRODUCTION:
        return []
    problems: list[CheckMessage] = []
    for check in (
        _key,
        _debug,
        _hosts,
        _media,
        _bucket,
        _static,
        _mail,
        _database,
        _broker,
        _limits,
        _operator,
        _shared_parts,
    ):
        problems += check()
    return problems


@register(TAG)
def check_artifacts(app_configs: Sequence[Any] | None, **options: Any) -> list[CheckMessage]:
    """A site without a network offers nothing; locally that is a warning, because one may be in training."""
    from ml.config import artifact_names

    level = Error if settings.PRODUCTION else Advice
    number = "E004" if settings.PRODUCTION else "W004"
    names = artifact_names()
    if not names:
        return [
            level(
                "No trained network is in ml/artifacts.",
                hint="Check out the repository with its artifacts, or train one with python -m ml.train.",
                id=f"{TAG}.{number}",
            )
        ]
    from ml.artifact import load_card

    problems: list[CheckMessage] = []
    for name in names:
        try:
            load_card(name)
        except Exception as error:
            problems.append(
                level(
                    f"The network {name} cannot be read: {error}",
                    hint=f"Restore ml/artifacts/{name} from the repository.",
                    id=f"{TAG}.{number}",
                )
            )
    return problems


@register(TAG)
def check_engine(app_configs: Sequence[Any] | None, **options: Any) -> list[CheckMessage]:
    """An engine on a server needs the server's address, on a laptop too."""
    from ml.config import serving_url

    if settings.ML_ENGINE != "tensorflow_serving":
        return []
    try:
        serving_url()
    except ValueError as error:
        return _error(11, str(error), "Set it, or remove ML_ENGINE to answer in the worker itself.")
    return []


@register(TAG)
def check_role(app_configs: Sequence[Any] | None, **options: Any) -> list[CheckMessage]:
    """A machine with a role is one of several, and what is kept locally is kept on one."""
    if settings.PRODUCTION or not settings.ROLE:
        return []
    return [
        Advice(
            f"ROLE is {settings.ROLE}, but ENVIRONMENT is local, so that this machine keeps everything for itself.",
            hint="Set ENVIRONMENT=production with its database, queue and bucket, or remove ROLE.",
            id=f"{TAG}.W003",
        )
    ]


def _error(number: int, message: str, hint: str) -> list[CheckMessage]:
    return [Error(message, hint=hint, id=f"{TAG}.E{number:03d}")]


def _key() -> list[CheckMessage]:
    key = str(settings.SECRET_KEY)
    given = settings.SECRET_KEY_GIVEN and not key.startswith("django-insecure-")
    if given and len(key) >= KEY_LENGTH and len(set(key)) >= KEY_VARIETY:
        return []
    return _error(
        1,
        f"SECRET_KEY is missing, a default, or shorter than {KEY_LENGTH} characters.",
        'Set it to a long random text: python -c "import secrets; print(secrets.token_urlsafe(64))".',
    )


def _debug() -> list[CheckMessage]:
    return _error(2, "DEBUG is on.", "Remove DEBUG from the environment.") if settings.DEBUG else []


def _hosts() -> list[CheckMessage]:
    if settings.ALLOWED_HOSTS and "*" not in settings.ALLOWED_HOSTS:
        return []
    return _error(
        3, "ALLOWED_HOSTS is empty or allows every host.", "Name the site's own hosts, separated by commas."
    )


def _media() -> list[CheckMessage]:
    storage = storages["default"]
    if isinstance(storage, FileSystemStorage):
        public = bool(settings.MEDIA_URL.strip("/")) or _inside(settings.MEDIA_ROOT, settings.STATIC_ROOT)
    else:
        public = not getattr(storage, "querystring_auth", False) or bool(
            getattr(storage, "custom_domain", None)
        )
        public = public or str(getattr(storage, "default_acl", None) or "private").startswith("public")
    if not public:
        return []
    return _error(
        5,
        "Uploaded pictures could be read by anyone.",
        "Keep the bucket private and its links signed, and MEDIA_ROOT apart from static files.",
    )


def _bucket() -> list[CheckMessage]:
    name, endpoint = settings.AWS_STORAGE_BUCKET_NAME, urlsplit(settings.AWS_S3_ENDPOINT_URL)
    if not name and endpoint.scheme:
        return [
            Advice(
                "AWS_S3_ENDPOINT_URL is set without AWS_STORAGE_BUCKET_NAME, so pictures stay on this machine's disk.",
                hint="Set AWS_STORAGE_BUCKET_NAME as well, or neither.",
                id=f"{TAG}.W005",
            )
        ]
    if not name:
        return []
    problems: list[CheckMessage] = []
    if not BUCKET_NAME.fullmatch(name):
        problems += _error(
            13,
            "AWS_STORAGE_BUCKET_NAME is not the name of a bucket.",
            "Write the name alone, such as convoscope-media: no address, no folder, no capital letters.",
        )
    elif not settings.AWS_S3_REGION_NAME and not endpoint.scheme:
        problems += _error(
            13,
            "The region of the bucket is not set, and S3 would be asked in another one.",
            "Set AWS_S3_REGION_NAME, for example to eu-west-1.",
        )
    # A name without a dot is that of a container beside this one, on a network of their own.
    host = endpoint.hostname or ""
    if endpoint.scheme == "http" and host not in LOOPBACK and re.search("[.:]", host):
        problems += _error(
            14,
            "AWS_S3_ENDPOINT_URL starts with http:, so pictures would cross the network unencrypted.",
            "Write https:// there.",
        )
    return problems


def _static() -> list[CheckMessage]:
    """Whoever may read static files is everybody."""
    storage, media = storages["staticfiles"], storages["default"]
    name = getattr(storage, "bucket_name", None)
    shared = name is not None and name == getattr(media, "bucket_name", None)
    if isinstance(media, FileSystemStorage):
        shared = shared or _inside(settings.STATIC_ROOT, settings.MEDIA_ROOT)
    if not shared:
        return []
    return _error(
        15,
        "Static files are kept where pictures are.",
        "Leave static files to the site itself (WhiteNoise), and STATIC_ROOT outside of MEDIA_ROOT.",
    )


def _inside(inner: Any, outer: Any) -> bool:
    return str(inner) == str(outer) or str(inner).startswith(f"{outer}/")


def _mail() -> list[CheckMessage]:
    problems: list[CheckMessage] = []
    if not settings.EMAIL_URL or settings.EMAIL_URL.startswith("console"):
        problems += _error(
            6,
            "No mail server is set, so nobody could confirm an address or reset a password.",
            "Set EMAIL_URL to smtp://user:password@host:587 or ses://region.",
        )
    if not settings.DEFAULT_FROM_EMAIL:
        problems += _error(
            10, "DEFAULT_FROM_EMAIL is not set.", "Set it to the address that mails come from."
        )
    return problems


def _database() -> list[CheckMessage]:
    if "sqlite" not in settings.DATABASES["default"]["ENGINE"]:
        return []
    return _error(
        7, "The database is SQLite.", "Set DATABASE_URL to postgres://user:password@host:5432/name."
    )


def _broker() -> list[CheckMessage]:
    if not settings.CELERY_BROKER_URL.startswith("filesystem"):
        return []
    return _error(8, "The queue is a folder.", "Set CELERY_BROKER_URL to redis://host:6379/0 or sqs://.")


def _limits() -> list[CheckMessage]:
    if settings.RATE_LIMITS:
        return []
    return _error(9, "RATE_LIMITS is 0.", "Remove it; it is for load tests only.")


def _operator() -> list[CheckMessage]:
    names = ("OPERATOR_NAME", "OPERATOR_EMAIL", "OPERATOR_ADDRESS")
    missing = [name for name in names if not getattr(settings, name)]
    if not missing:
        return []
    return _error(
        12,
        f"{', '.join(missing)} is not set, so the privacy page could not say who answers for the site.",
        "Set it to what people may read there: a name, an e-mail address, a postal address.",
    )


def _shared_parts() -> list[CheckMessage]:
    problems: list[CheckMessage] = []
    if not settings.CACHE_URL:
        problems.append(
            Advice(
                "Every process has a cache of its own, so rate limits count each process apart.",
                hint="Set CACHE_URL to redis://host:6379/1.",
                id=f"{TAG}.W001",
            )
        )
    if not settings.AWS_STORAGE_BUCKET_NAME:
        problems.append(
            Advice(
                "Pictures are kept on this machine's disk, which a second web server would not see.",
                hint="Set AWS_STORAGE_BUCKET_NAME, unless there is only one web server.",
                id=f"{TAG}.W002",
            )
        )
    return problems
