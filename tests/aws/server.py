"""AWS for tests: moto answers S3, SQS, CloudWatch and Auto Scaling over HTTP on a loopback port."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
from moto.server import ThreadedMotoServer

REGION = "eu-west-1"
# What boto3 reads; moto takes any of them, the proxy in front of it does not.
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "AKIATESTSTESTSTESTS1",
    "AWS_SECRET_ACCESS_KEY": "a-secret-of-the-tests-only",  # pragma: allowlist secret
    "AWS_DEFAULT_REGION": REGION,
    "AWS_EC2_METADATA_DISABLED": "true",
}


@contextmanager
def running_moto() -> Iterator[str]:
    """The address of a moto server of one's own, empty at its start."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        yield f"http://{host}:{port}"
    finally:
        server.stop()


def client(service: str, url: str) -> Any:
    """A boto3 client that speaks to ``url`` with the tests' credentials."""
    return boto3.client(
        service,
        endpoint_url=url,
        region_name=REGION,
        aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
    )
