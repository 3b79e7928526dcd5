"""What EC2 tells a machine about itself (IMDSv2); asked only where a setting says that there is one to ask."""

from __future__ import annotations

import http.client
import json
import os
import time
import urllib.error
import urllib.request

# A machine's own answers come within milliseconds.
TIMEOUT = 1.0
TOKEN_SECONDS = 21_600

# Never through a proxy that the environment names for the world outside.
_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
_token = ""
_token_until = 0.0


class MetadataError(Exception):
    """Nothing sensible came back; the message says what did."""


def text(path: str) -> str | None:
    """What stands at ``/latest/meta-data/<path>``, None where nothing does. Raises MetadataError."""
    global _token_until
    for last in (False, True):
        request = urllib.request.Request(f"{_base()}/latest/meta-data/{path}")  # noqa: S310
        request.add_header("X-aws-ec2-metadata-token", _current_token())
        status, body = _ask(request)
        if status == 200:
            return body
        if status == 404:
            return None
        if status == 401 and not last:
            # The token is over, as after a machine was stopped for long.
            _token_until = 0.0
            continue
        break
    raise MetadataError(f"status {status}")


def going_away() -> str:
    """Why this machine is about to be ended; empty while it is not. Raises MetadataError."""
    if text("autoscaling/target-lifecycle-state") == "Terminated":
        return "Auto Scaling ends it"
    notice = text("spot/instance-action")
    if notice is None:
        return ""
    try:
        action = json.loads(notice)["action"]
    except (ValueError, KeyError, TypeError):
        action = "interruption"
    return f"EC2 wants it back ({action})"


def region() -> str:
    """The region that this machine is in. Raises MetadataError."""
    return text("placement/region") or ""


def _current_token() -> str:
    global _token, _token_until
    if time.monotonic() >= _token_until:
        request = urllib.request.Request(f"{_base()}/latest/api/token", method="PUT")  # noqa: S310
        request.add_header("X-aws-ec2-metadata-token-ttl-seconds", str(TOKEN_SECONDS))
        status, body = _ask(request)
        if status != 200:
            raise MetadataError(f"status {status} for a token")
        _token, _token_until = body, time.monotonic() + TOKEN_SECONDS / 2
    return _token


def _base() -> str:
    # The names under which botocore knows them as well.
    if os.environ.get("AWS_EC2_METADATA_DISABLED", "").lower() == "true":
        raise MetadataError("switched off by AWS_EC2_METADATA_DISABLED")
    return os.environ.get("AWS_EC2_METADATA_SERVICE_ENDPOINT", "").rstrip("/") or "http://169.254.169.254"


def _ask(request: urllib.request.Request) -> tuple[int, str]:
    try:
        with _opener.open(request, timeout=TIMEOUT) as response:
            return int(response.status), response.read(10_000).decode("utf-8", "replace").strip()
    except urllib.error.HTTPError as error:
        return error.code, ""
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise MetadataError(type(error).__name__) from None
