"""The S3 of these tests refuses what the real one refuses, or nothing here would prove anything."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from datetime import timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.client import Config
from botocore.exceptions import ClientError

from tests.aws.proxy import S3Proxy, running_proxy
from tests.aws.server import CREDENTIALS, client
from tests.aws.signatures import Key

SSE = {"ServerSideEncryption": "AES256"}
ANOTHER = "AKIATESTSTESTSTESTS2"


@pytest.fixture(scope="module")
def own_client(proxy_server: S3Proxy) -> Any:
    return client("s3", proxy_server.url)


@pytest.fixture
def through(proxy: S3Proxy, bucket: str, own_client: Any) -> Any:
    """A client as the site's, through the proxy."""
    return own_client


def refusal(call: Any, **arguments: Any) -> tuple[int, str]:
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    answer = caught.value.response
    return answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Code"]


def fetch(url: str, method: str = "GET", **headers: str) -> tuple[int, bytes]:
    try:
        with urllib.request.urlopen(
            urllib.request.Request(url, method=method, headers=headers), timeout=10
        ) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def test_a_proper_request_is_carried_out(through: Any, bucket: str) -> None:
    through.put_object(Bucket=bucket, Key="pictures/a b+ü.txt", Body=b"hello", **SSE)
    assert through.get_object(Bucket=bucket, Key="pictures/a b+ü.txt")["Body"].read() == b"hello"
    names = [one["Key"] for one in through.list_objects_v2(Bucket=bucket, Prefix="pictures/")["Contents"]]
    assert names == ["pictures/a b+ü.txt"]


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "HEAD"])
def test_what_is_not_signed_is_refused(through: Any, proxy: S3Proxy, bucket: str, method: str) -> None:
    through.put_object(Bucket=bucket, Key="pictures/a", Body=b"hello", **SSE)
    status, body = fetch(f"{proxy.url}/{bucket}/pictures/a", method)
    assert status == 403
    assert method == "HEAD" or b"<Code>AccessDenied</Code>" in body
    assert fetch(f"{proxy.url}/{bucket}?list-type=2")[0] == 403


def test_keys_that_s3_does_not_know_or_no_longer_takes_are_refused(proxy: S3Proxy, bucket: str) -> None:
    def asked(access: str, secret: str, token: str | None = None) -> tuple[int, str]:
        session = boto3.Session(access, secret, token, "eu-west-1")
        return refusal(session.client("s3", endpoint_url=proxy.url).list_objects_v2, Bucket=bucket)

    proxy.keys[ANOTHER] = Key("secret", "token")
    assert asked("AKIAUNKNOWN", "secret") == (403, "InvalidAccessKeyId")
    assert asked(ANOTHER, "wrong", "token") == (403, "SignatureDoesNotMatch")
    assert asked(ANOTHER, "secret") == (400, "InvalidToken")
    assert asked(ANOTHER, "secret", "another token") == (400, "InvalidToken")
    proxy.keys[ANOTHER].expired = True
    assert asked(ANOTHER, "secret", "token") == (400, "ExpiredToken")


@pytest.mark.parametrize("minutes", [-16, 16])
def test_a_clock_that_is_wrong_is_told(through: Any, proxy: S3Proxy, bucket: str, minutes: int) -> None:
    proxy.ahead = timedelta(minutes=minutes)
    assert refusal(through.list_objects_v2, Bucket=bucket) == (403, "RequestTimeTooSkewed")
    proxy.ahead = timedelta(minutes=14)
    assert through.list_objects_v2(Bucket=bucket)["KeyCount"] == 0


def test_what_was_changed_on_the_way_is_refused(proxy: S3Proxy, through: Any, bucket: str) -> None:
    def spoil(**changes: Any) -> Any:
        def change(request: Any, **details: Any) -> None:
            for name, value in changes.items():
                setattr(request, name, value)

        spoilt = client("s3", proxy.url)
        spoilt.meta.events.register("before-send.s3", change)
        return spoilt

    put = {"Bucket": bucket, "Key": "pictures/a", "Body": b"hello", **SSE}
    assert refusal(spoil(body=b"jello").put_object, **put) == (400, "XAmzContentSHA256Mismatch")
    assert (
        refusal(spoil(url=f"{proxy.url}/{bucket}/pictures/b").put_object, **put)[1] == "SignatureDoesNotMatch"
    )
    assert refusal(spoil(method="DELETE").get_object, Bucket=bucket, Key="a")[1] == "SignatureDoesNotMatch"
    with_more = spoil()
    with_more.meta.events.register(
        "before-send.s3", lambda request, **details: request.headers.update({"x-amz-acl": "private"})
    )
    assert refusal(with_more.put_object, **put) == (403, "AccessDenied")
    assert through.list_objects_v2(Bucket=bucket)["KeyCount"] == 0


def test_public_and_unencrypted_objects_are_refused(through: Any, bucket: str) -> None:
    put = {"Bucket": bucket, "Key": "pictures/a", "Body": b"hello"}
    everybody = 'uri="http://acs.amazonaws.com/groups/global/AllUsers"'
    assert refusal(through.put_object, **put) == (403, "AccessDenied")
    assert refusal(through.put_object, **put, **SSE, ACL="public-read") == (403, "AccessDenied")
    assert refusal(through.put_object, **put, **SSE, GrantRead=everybody) == (403, "AccessDenied")
    assert refusal(through.create_multipart_upload, Bucket=bucket, Key="a") == (403, "AccessDenied")
    assert refusal(through.put_object_acl, Bucket=bucket, Key="a", ACL="private") == (403, "AccessDenied")
    statement = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    assert refusal(through.put_bucket_policy, Bucket=bucket, Policy=policy) == (403, "AccessDenied")


def test_what_is_missing_is_refused_like_what_is_secret(through: Any, proxy: S3Proxy, bucket: str) -> None:
    assert refusal(through.get_object, Bucket=bucket, Key="none") == (403, "AccessDenied")
    proxy.tells_missing = True
    assert refusal(through.get_object, Bucket=bucket, Key="none") == (404, "NoSuchKey")
    assert refusal(through.list_objects_v2, Bucket="another") == (404, "NoSuchBucket")


def links(proxy: S3Proxy) -> Any:
    """A client whose links are signed as today's S3 asks; by default botocore still signs them the old way."""
    keys = {name.lower(): text for name, text in CREDENTIALS.items() if "ACCESS_KEY" in name}
    settings = Config(signature_version="s3v4")
    return boto3.client("s3", endpoint_url=proxy.url, region_name="eu-west-1", config=settings, **keys)


def test_a_link_of_the_old_kind_is_refused(through: Any, bucket: str) -> None:
    assert fetch(through.generate_presigned_url("get_object", {"Bucket": bucket, "Key": "a"}))[0] == 403


@pytest.mark.parametrize("seconds", [1, 604800, 604801])
def test_links_are_good_for_a_week_at_most(through: Any, bucket: str, proxy: S3Proxy, seconds: int) -> None:
    through.put_object(Bucket=bucket, Key="a", Body=b"hello", **SSE)
    link = links(proxy).generate_presigned_url(
        "get_object", {"Bucket": bucket, "Key": "a"}, ExpiresIn=seconds
    )
    assert fetch(link)[0] == (200 if seconds <= 604800 else 400)
    proxy.ahead = timedelta(seconds=seconds + 2)
    assert fetch(link)[0] != 200


def test_a_link_and_a_header_at_once_are_refused(proxy: S3Proxy, bucket: str) -> None:
    link = links(proxy).generate_presigned_url("get_object", {"Bucket": bucket, "Key": "a"})
    status, body = fetch(link, Authorization="AWS4-HMAC-SHA256 Credential=x")
    assert (status, b"InvalidArgument" in body) == (400, True)


# --- by https, as on AWS: sums follow the body -----------------------------------------------------------------


def test_by_https_the_sum_behind_the_body_is_checked(moto: str, bucket: str, certificate: Path) -> None:
    keys = {name.lower(): text for name, text in CREDENTIALS.items() if "ACCESS_KEY" in name}
    with running_proxy(moto, certificate) as proxy:
        through = boto3.client(
            "s3",
            endpoint_url=proxy.url,
            region_name="eu-west-1",
            verify=str(certificate),
            config=Config(retries={"total_max_attempts": 1}),
            **keys,
        )
        through.put_object(Bucket=bucket, Key="a", Body=b"hello", **SSE)
        (put,) = proxy.requests
        assert put.headers["x-amz-trailer"] == "x-amz-checksum-crc32"
        assert put.headers["x-amz-content-sha256"] == "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
        assert through.get_object(Bucket=bucket, Key="a")["Body"].read() == b"hello"

        def spoil(request: Any, **details: Any) -> None:
            request.body = request.body.read().replace(b"hello", b"jello")
            del request.headers["Transfer-Encoding"]
            request.headers["Content-Length"] = str(len(request.body))

        through.meta.events.register("before-send.s3.PutObject", spoil)
        assert refusal(through.put_object, Bucket=bucket, Key="a", Body=b"hello", **SSE) == (400, "BadDigest")
