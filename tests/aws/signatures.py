"""What S3 looks at before it does anything: who signed a request, when, and whether its body arrived whole.

moto looks at none of it. Signatures are made again with botocore's own signer, from the secret that the test knows.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, urlsplit
from xml.sax.saxutils import escape

from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

STAMP = "%Y%m%dT%H%M%SZ"
MOST_SKEW = timedelta(minutes=15)
LONGEST_LINK = 7 * 24 * 3600
TRAILER = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
SUM = "x-amz-checksum-"
NO_SUMS = (f"{SUM}mode", f"{SUM}algorithm", f"{SUM}type")
PUBLIC = ("public-read", "public-read-write", "authenticated-read")


class Refused(Exception):
    """An error as S3 words it."""

    def __init__(
        self, status: int, code: str, message: str, headers: Mapping[str, str] = {}, **more: str
    ) -> None:
        super().__init__(code)
        self.status, self.code, self.headers = status, code, dict(headers)
        parts = {"Code": code, "Message": message, **more, "RequestId": "TEST", "HostId": "TEST"}
        inner = "".join(f"<{name}>{escape(text)}</{name}>" for name, text in parts.items())
        self.body = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error>{inner}</Error>'.encode()


def denied(message: str = "Access Denied") -> Refused:
    return Refused(403, "AccessDenied", message)


@dataclass
class Key:
    """An access key that S3 knows, until it has ``expired``."""

    secret: str
    token: str | None = None
    expired: bool = False


@dataclass
class Request:
    """What arrived. ``headers`` has lower-case names."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes = b""

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(urlsplit(self.target).query, keep_blank_values=True))

    @property
    def bucket(self) -> str:
        return self.path.lstrip("/").partition("/")[0]

    @property
    def key(self) -> str:
        """The object's name; empty for a request about the bucket."""
        return self.path.lstrip("/").partition("/")[2]


@dataclass
class Verifier:
    """Raises Refused for what S3 would refuse."""

    keys: dict[str, Key]
    region: str
    scheme: str
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    def check(self, request: Request) -> None:
        """Signature, time and body. Afterwards ``request.body`` is what is to be stored."""
        link = "X-Amz-Signature" in request.query
        header = request.headers.get("authorization", "")
        if link and header:
            raise Refused(400, "InvalidArgument", "Only one auth mechanism allowed")
        if link:
            self._link(request)
        elif header.startswith("AWS4-HMAC-SHA256 "):
            self._header(request, header)
        else:
            raise denied()
        check_body(request)

    def _link(self, request: Request) -> None:
        query = request.query
        needed = ("X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date", "X-Amz-Expires", "X-Amz-SignedHeaders")
        if any(name not in query for name in needed) or query["X-Amz-Algorithm"] != "AWS4-HMAC-SHA256":
            raise Refused(400, "AuthorizationQueryParametersError", "The query parameters are incomplete")
        seconds = int(query["X-Amz-Expires"]) if query["X-Amz-Expires"].isdecimal() else 0
        if not 1 <= seconds <= LONGEST_LINK:
            raise Refused(400, "AuthorizationQueryParametersError", "X-Amz-Expires must be less than a week")
        made = _time(query["X-Amz-Date"])
        if made > self.now() + MOST_SKEW:
            raise denied("Request is not yet valid")
        if self.now() > made + timedelta(seconds=seconds):
            raise denied("Request has expired")
        pairs = urlsplit(request.target).query.split("&")
        unsigned = "&".join(pair for pair in pairs if not pair.startswith("X-Amz-Signature="))
        self._compare(
            request,
            f"{request.path}?{unsigned}",
            query["X-Amz-Credential"],
            query["X-Amz-SignedHeaders"],
            query["X-Amz-Date"],
            query["X-Amz-Signature"],
            query.get("X-Amz-Security-Token"),
        )

    def _header(self, request: Request, header: str) -> None:
        parts = dict(part.strip().partition("=")[::2] for part in header.partition(" ")[2].split(","))
        if not {"Credential", "SignedHeaders", "Signature"} <= set(parts):
            raise Refused(400, "AuthorizationHeaderMalformed", "The authorization header is malformed")
        stamp = request.headers.get("x-amz-date", "")
        if abs(_time(stamp) - self.now()) > MOST_SKEW:
            text = "The difference between the request time and the current time is too large."
            raise Refused(403, "RequestTimeTooSkewed", text)
        self._compare(
            request,
            request.target,
            parts["Credential"],
            parts["SignedHeaders"],
            stamp,
            parts["Signature"],
            request.headers.get("x-amz-security-token"),
        )

    def _compare(
        self,
        request: Request,
        target: str,
        credential: str,
        names: str,
        stamp: str,
        given: str,
        token: str | None,
    ) -> None:
        try:
            access, day, region, service, end = credential.split("/")
        except ValueError:
            raise Refused(400, "AuthorizationHeaderMalformed", "The credential is malformed") from None
        known = self.keys.get(access)
        if known is None:
            raise Refused(
                403, "InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records."
            )
        if known.expired:
            raise Refused(400, "ExpiredToken", "The provided token has expired.")
        if (token or None) != known.token:
            raise Refused(400, "InvalidToken", "The provided token is malformed or otherwise invalid.")
        if region != self.region:
            raise Refused(
                400,
                "AuthorizationHeaderMalformed",
                f"The authorization header is malformed; the region '{region}' is wrong; expecting '{self.region}'",
                {"x-amz-bucket-region": self.region},
                Region=self.region,
            )
        signed = names.split(";")
        unsigned = [n for n in request.headers if n.startswith("x-amz-") and n not in signed]
        if "host" not in signed or (unsigned and "authorization" in request.headers):
            raise denied("There were headers present in the request which were not signed")
        if (service, end, day) != ("s3", "aws4_request", stamp[:8]) or any(
            n not in request.headers for n in signed
        ):
            raise _mismatch()
        kind = S3SigV4Auth if "authorization" in request.headers else S3SigV4QueryAuth
        signer = kind(Credentials(access, known.secret, token), "s3", region)
        again = AWSRequest(
            method=request.method,
            url=f"{self.scheme}://{request.headers['host']}{target}",
            headers={name: request.headers[name] for name in signed},
        )
        again.context["timestamp"] = stamp
        text = signer.string_to_sign(again, signer.canonical_request(again))
        if not hmac.compare_digest(signer.signature(text, again), given):
            raise _mismatch()


def _mismatch() -> Refused:
    text = "The request signature we calculated does not match the signature you provided."
    return Refused(403, "SignatureDoesNotMatch", text)


def _time(stamp: str) -> datetime:
    try:
        return datetime.strptime(stamp, STAMP).replace(tzinfo=UTC)
    except ValueError:
        raise denied("AWS authentication requires a valid Date or x-amz-date header") from None


# --- the body ----------------------------------------------------------------------------------------------


def check_body(request: Request) -> None:
    """Compares the body with every sum that came along, in headers or behind it."""
    promised = request.headers.get("x-amz-content-sha256")
    sums = {
        name: text for name, text in request.headers.items() if name.startswith(SUM) and name not in NO_SUMS
    }
    if promised is None and "authorization" in request.headers:
        raise Refused(400, "InvalidRequest", "Missing required header for this request: x-amz-content-sha256")
    if promised == TRAILER:
        request.body, trailers = from_chunks(request.body)
        if int(request.headers.get("x-amz-decoded-content-length", "-1")) != len(request.body):
            raise Refused(400, "IncompleteBody", "The request body terminated unexpectedly")
        if set(request.headers.get("x-amz-trailer", "").split(",")) != set(trailers):
            raise Refused(400, "MalformedTrailerError", "The trailers differ from those announced")
        sums |= trailers
    elif promised not in (None, "UNSIGNED-PAYLOAD"):
        if promised.startswith("STREAMING-"):
            raise Refused(501, "NotImplemented", f"The tests' proxy cannot check {promised}")
        if hashlib.sha256(request.body).hexdigest() != promised:
            raise Refused(
                400, "XAmzContentSHA256Mismatch", "The provided hash does not match what was computed."
            )
    for name, text in sums.items():
        if _sum(name, request.body) != text:
            raise Refused(
                400, "BadDigest", f"The {name} you specified did not match the calculated checksum."
            )
    md5 = request.headers.get("content-md5")
    if md5 and base64.b64encode(hashlib.md5(request.body).digest()).decode() != md5:
        raise Refused(400, "BadDigest", "The Content-MD5 you specified did not match what we received.")


def _sum(name: str, body: bytes) -> str:
    made: dict[str, Callable[[], bytes]] = {
        "x-amz-checksum-crc32": lambda: zlib.crc32(body).to_bytes(4, "big"),
        "x-amz-checksum-sha1": lambda: hashlib.sha1(body).digest(),
        "x-amz-checksum-sha256": lambda: hashlib.sha256(body).digest(),
    }
    if name not in made:
        raise Refused(501, "NotImplemented", f"The tests' proxy cannot check {name}")
    return base64.b64encode(made[name]()).decode()


def from_chunks(body: bytes) -> tuple[bytes, dict[str, str]]:
    """The content of an aws-chunked body, and the trailers behind it."""
    content = bytearray()
    place = 0
    try:
        while True:
            line = body.index(b"\r\n", place)
            size = int(body[place:line].partition(b";")[0], 16)
            place = line + 2
            if not size:
                break
            content += body[place : place + size]
            if body[place + size : place + size + 2] != b"\r\n":
                raise ValueError(place)
            place += size + 2
    except ValueError:
        raise Refused(400, "IncompleteBody", "The request body terminated unexpectedly") from None
    lines = filter(None, body[place:].decode().split("\r\n"))
    return bytes(content), {
        name.strip().lower(): text.strip() for name, _colon, text in (x.partition(":") for x in lines)
    }


# --- what the bucket allows --------------------------------------------------------------------------------


def check_bucket_rules(request: Request) -> None:
    """Refuses what a bucket without public access and with a rule for encryption refuses."""
    headers, query = request.headers, request.query
    grants = [text for name, text in headers.items() if name.startswith("x-amz-grant-")]
    if headers.get("x-amz-acl") in PUBLIC or any(
        "acs.amazonaws.com/groups/global" in text for text in grants
    ):
        raise denied("Public access is blocked for this bucket")
    if request.method == "PUT" and {"acl", "policy", "publicAccessBlock"} & set(query):
        raise denied()
    begins = request.method == "POST" and "uploads" in query
    writes = request.method == "PUT" and request.key and "partNumber" not in query
    if (begins or writes) and headers.get("x-amz-server-side-encryption") not in ("AES256", "aws:kms"):
        raise denied("The bucket takes encrypted objects only")
