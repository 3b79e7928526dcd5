"""The settings of the cache, the queue and the storage of files that an operator names by an address."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from botocore.config import Config
from redis.backoff import NoBackoff
from redis.retry import Retry

from classifier_site.environment import Environment


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
        options = {
            "region": env.text("AWS_SQS_REGION_NAME", "eu-west-1"),
            "queue_name_prefix": env.text("SQS_QUEUE_PREFIX", "convoscope-"),
            "visibility_timeout": 75,
            "wait_time_seconds": 10,
            "client-config": {"connect_timeout": 1, "read_timeout": 15, "retries": {"total_max_attempts": 1}},
        }
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
    return {"CELERY_BROKER_TRANSPORT_OPTIONS": options}


def storage(bucket: str, region: str, endpoint: str) -> dict[str, Any]:
    """The default entry of STORAGES for a bucket of S3 or of what speaks like it; no bucket means the disk."""
    if not bucket:
        return {"BACKEND": "django.core.files.storage.FileSystemStorage"}
    return {
        "BACKEND": "storages.backends.s3.S3Storage",
        "OPTIONS": {
            "bucket_name": bucket,
            "region_name": region or None,
            "endpoint_url": endpoint or None,
            "default_acl": None,
            "querystring_auth": True,
            "querystring_expire": 300,
            "file_overwrite": False,
            "signature_version": "s3v4",
            "object_parameters": {"ServerSideEncryption": "AES256"},
            "client_config": Config(
                connect_timeout=2,
                read_timeout=5,
                signature_version="s3v4",
                retries={"total_max_attempts": 3, "mode": "standard"},
            ),
        },
    }
