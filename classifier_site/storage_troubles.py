"""Why a bucket does not do what it is asked, in words for operators; and a guard that stops asking one that is away."""

from __future__ import annotations

import logging
import threading
import time
from typing import Any, NamedTuple

from botocore.exceptions import (
    ClientError,
    CredentialRetrievalError,
    NoCredentialsError,
    PartialCredentialsError,
)

from accounts.stored_files import StorageAway

logger = logging.getLogger(__name__)

# The same line is written once in so many seconds by each process.
REPEAT = 60.0


class Trouble(NamedTuple):
    """``what`` may be read by anybody (at /readyz), ``to_do`` is for the log."""

    code: str
    what: str
    to_do: str


class BucketAway(StorageAway):
    """Says what the trouble is."""

    def __init__(self, trouble: Trouble) -> None:
        super().__init__(trouble.what)
        self.trouble = trouble


_CREDENTIALS = (
    "Credentials from the environment have to be replaced there; a machine's role renews its own, so look whether "
    "its instance profile is still attached."
)
_HELP = {
    "AccessDenied": (
        "the bucket refuses access",
        "Compare the policies of the role and of the bucket with deploy/policies.",
    ),
    "NoSuchBucket": ("the bucket does not exist", "Create it, or correct AWS_STORAGE_BUCKET_NAME."),
    "ExpiredToken": ("the credentials for the bucket have expired", _CREDENTIALS),
    "InvalidAccessKeyId": ("the credentials for the bucket are wrong", _CREDENTIALS),
    "InvalidToken": ("the credentials for the bucket are wrong", _CREDENTIALS),
    "SignatureDoesNotMatch": ("the credentials for the bucket are wrong", _CREDENTIALS),
    "NoCredentials": (
        "there are no credentials for the bucket",
        "Give the machine a role, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.",
    ),
    "RequestTimeTooSkewed": (
        "this machine's clock is wrong",
        "It is off by more than 15 minutes: set it, and see that chronyd runs.",
    ),
    "SlowDown": (
        "the bucket is overloaded",
        "Requests are tried three times; if it lasts, look at the bucket's request rate and at AWS's service health.",
    ),
}
_SAME = {
    "403": "AccessDenied",
    "AllAccessDisabled": "AccessDenied",
    "Forbidden": "AccessDenied",
    "TokenRefreshRequired": "ExpiredToken",
    "RequestExpired": "RequestTimeTooSkewed",
    "503": "SlowDown",
    "ServiceUnavailable": "SlowDown",
}


def elsewhere(region: str, ours: str) -> Trouble:
    return Trouble(
        "AnotherRegion",
        "the bucket is in another region",
        f"It is in {region} and was looked for in {ours}: set AWS_S3_REGION_NAME={region}.",
    )


def trouble_of(error: BaseException) -> Trouble:
    """What an error of botocore means."""
    if isinstance(error, ClientError):
        code = str(error.response.get("Error", {}).get("Code") or "Unknown")
        what, to_do = _HELP.get(
            _SAME.get(code, code), (f"the bucket answers {code}", "Look the code up at S3.")
        )
        return Trouble(code, what, to_do)
    code = type(error).__name__
    if isinstance(error, (NoCredentialsError, PartialCredentialsError, CredentialRetrievalError)):
        return Trouble(code, *_HELP["NoCredentials"])
    to_do = "Look at the network, its routes and security groups, at AWS_S3_ENDPOINT_URL and at AWS's service health."
    return Trouble(code, "the bucket does not answer", to_do)


class Teller:
    """Writes each trouble into the log once a while, in one line."""

    def __init__(self) -> None:
        self._said: dict[str, float] = {}

    def say(self, bucket: str, trouble: Trouble) -> None:
        now = time.monotonic()
        if now - self._said.get(trouble.code, -REPEAT) < REPEAT:
            return
        self._said[trouble.code] = now
        logger.error(
            "Files in the bucket %s can be neither stored nor read: %s (%s). %s",
            bucket,
            trouble.what,
            trouble.code,
            trouble.to_do,
        )


class Guard:
    """After several failed attempts in a row nobody asks for a while, then one does: else every thread would wait.

    It looks at attempts, not at calls: a thread whose attempt has failed does not begin its second one meanwhile.
    """

    FAILURES = 3
    PAUSE = 10.0
    AWAY = Trouble("Away", "the bucket does not answer", f"It is asked again within {PAUSE:.0f} s.")

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._failures = 0
        self._closed_until = 0.0

    @property
    def closed(self) -> bool:
        return time.monotonic() < self._closed_until

    def before(self, **details: Any) -> None:
        """Of botocore's event before-send: raises BucketAway instead of an attempt."""
        with self._lock:
            if self._failures < self.FAILURES:
                return
            now = time.monotonic()
            if now < self._closed_until:
                raise BucketAway(self.AWAY)
            # This one finds out; the others wait for what it finds.
            self._closed_until = now + self.PAUSE

    def failed(self) -> None:
        with self._lock:
            self._failures += 1
            if self._failures >= self.FAILURES:
                self._closed_until = time.monotonic() + self.PAUSE

    def worked(self) -> None:
        with self._lock:
            self._failures = 0
            self._closed_until = 0.0
