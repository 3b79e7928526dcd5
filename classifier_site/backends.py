"""The settings of the cache, the queue and the storage of files that an operator names by an address."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from redis.backoff import NoBackoff
from redis.retry import Retry

from classifier_site.environment import Environment

# Every queue that messages are sent to, and which tasks go to another one than the first.
QUEUES = ("predictions", "lab", "archives")
ROUTES = {
    "learn.*": {"queue": "lab"},
    "accounts.*": {"queue": "archives"},
    "predictions.take_inbox": {"queue": "archives"},
}


def cache(url: str) -> dict[str, Any]:
    """The default entry of CACHES for a redis:// or rediss:// address; nothing given means one in each process."""
    if not url:
        return {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
    return {
        "BACKEND": "classifier_site.cache.FailOpenRedisCache",
        "LOCATION": url,
        "KEY_PREFIX": "convoscope",
        # One try within 0.3 s: redis-py would try three times more by default.
        "OPTIONS": {
            "socket_connect_timeout": 0.2,
            "socket_timeout": 0.2,
            "retry": Retry(NoBackoff(), 0),
            "health_check_interval": 0,
        },
    }


def sqs_region(env: Environment) -> str:
    """Of Celery's queues with sqs://, and of the inbox's where its address names none."""
    return env.text("AWS_SQS_REGION_NAME", "eu-west-1")


def queue(url: str, local_folder: Path, env: Environment) -> dict[str, Any]:
    """Celery's settings for a redis://, rediss:// or sqs:// address, or for filesystem:// with its `local_folder`."""
    if url.startswith("filesystem"):
        for folder in ("messages", "control"):
            (local_folder / folder).mkdir(parents=True, exist_ok=True)
        options: dict[str, Any] = {
            "data_folder_in": str(local_folder / "messages"),
            "data_folder_out": str(local_folder / "messages"),
            "control_folder": str(local_folder / "control"),
            # kombu looks once a second by default, which a student would notice.
            "polling_interval": 0.05,
        }
        return {"CELERY_BROKER_TRANSPORT_OPTIONS": options}
    if url.startswith("sqs"):
        prefix = env.name("SQS_QUEUE_PREFIX", "-_", longest=60) or "convoscope-"
        options = {
            "region": sqs_region(env),
            "queue_name_prefix": prefix,
            "visibility_timeout": 75,
            # A receiver waits so long at SQS, and a second more before it asks again.
            "wait_time_seconds": 10,
            "polling_interval": 1,
            # What publishing and acknowledging may take; receiving has limits of its own.
            "client-config": {
                "connect_timeout": 0.7,
                "read_timeout": 0.7,
                "retries": {"total_max_attempts": 1},
            },
            "max_retries": 0,
            # The timer sends a wake-up again; none is worth keeping for days.
            "sqs-creation-attributes": {"MessageRetentionPeriod": "3600"},
        }
        if base := env.url("SQS_QUEUES_URL", schemes=("https", "http")).rstrip("/"):
            # Queues that exist: nobody needs to list or to make any.
            names = [f"{prefix}{queue}" for queue in QUEUES]
            options["predefined_queues"] = {name: {"url": f"{base}/{name}"} for name in names}
        # SQS has no remote control; readiness comes from heartbeat rows.
        return {"CELERY_BROKER_TRANSPORT_OPTIONS": options, "CELERY_WORKER_ENABLE_REMOTE_CONTROL": False}
    # Without these a publish into a black hole blocks for more than 40 s.
    options = {
        "socket_timeout": 0.7,
        "socket_connect_timeout": 0.7,
        "socket_keepalive": True,
        "retry_on_timeout": False,
        "max_retries": 0,
        "visibility_timeout": 75,
    }
    found: dict[str, Any] = {"CELERY_BROKER_TRANSPORT_OPTIONS": options}
    if url.startswith("rediss"):
        # kombu would take any certificate. What the address itself says of TLS comes first.
        found["CELERY_BROKER_USE_SSL"] = {"ssl_cert_reqs": ssl.CERT_REQUIRED}
    return found


# A picture goes in one request; of an archive, one part at a time is held in memory.
PART = 8 * 1024 * 1024
# Seconds a signed link is good for, at most.
LINK_SECONDS = 300


def storage(bucket: str, region: str, endpoint: str) -> dict[str, Any]:
    """The default entry of STORAGES for a bucket of S3 or of what speaks like it; no bucket means the disk."""
    if not bucket:
        return {"BACKEND": "django.core.files.storage.FileSystemStorage"}
    # Here, because a site without a bucket need not load them.
    from boto3.s3.transfer import TransferConfig
    from botocore.config import Config

    return {
        "BACKEND": "classifier_site.object_storage.PrivateBucketStorage",
        "OPTIONS": {
            "bucket_name": bucket,
            "region_name": region or None,
            "endpoint_url": endpoint or None,
            "default_acl": None,
            "querystring_auth": True,
            "querystring_expire": LINK_SECONDS,
            "file_overwrite": False,
            "signature_version": "s3v4",
            "object_parameters": {"ServerSideEncryption": "AES256", "CacheControl": "private, no-store"},
            "transfer_config": TransferConfig(
                multipart_threshold=PART, multipart_chunksize=PART, use_threads=False
            ),
            "client_config": Config(
                connect_timeout=2,
                read_timeout=5,
                signature_version="s3v4",
                # As many threads as a process may have: those of gunicorn, two for each upload, the probes.
                max_pool_connections=32,
                retries={"total_max_attempts": 3, "mode": "standard"},
                # Otherwise links are made for the address of all regions, which redirects and so breaks the signature.
                s3={"addressing_style": "path" if endpoint else "virtual"},
            ),
        },
    }


def inbox(env: Environment, bucket: str) -> tuple[str, str]:
    """The address of the queue that tells of pictures in the bucket's inbox, and who asks about them; empty without."""
    queue = env.url("INBOX_QUEUE_URL", schemes=("https", "http"))
    owner = env.text("INBOX_OWNER")
    if queue and not bucket:
        raise ImproperlyConfigured(
            "INBOX_QUEUE_URL is set without AWS_STORAGE_BUCKET_NAME; name the bucket that has the inbox."
        )
    if queue and "@" not in owner:
        raise ImproperlyConfigured(
            "INBOX_QUEUE_URL is set without INBOX_OWNER; set it to the e-mail address of the account that asks."
        )
    return queue, owner
