"""Makes the bucket that AWS_STORAGE_BUCKET_NAME names, unless it is there. For a store of one's own (compose.yaml).

On AWS the bucket is made by deploy/infrastructure.yaml, and the site may not make any.
"""

from __future__ import annotations

import os
import sys

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError


def make(name: str, endpoint: str, region: str) -> None:
    store = boto3.client(
        "s3",
        endpoint_url=endpoint,
        region_name=region,
        config=Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 5, "mode": "standard"}),
    )
    if name in {bucket["Name"] for bucket in store.list_buckets()["Buckets"]}:
        return
    # S3's oldest region is the one that may not be named.
    where = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    store.create_bucket(Bucket=name, **where)


def main() -> int:
    try:
        make(
            os.environ["AWS_STORAGE_BUCKET_NAME"],
            os.environ["AWS_S3_ENDPOINT_URL"],
            os.environ["AWS_S3_REGION_NAME"],
        )
    except KeyError as error:
        sys.stderr.write(f"{error.args[0]} is not set.\n")
        return 1
    except (BotoCoreError, ClientError) as error:
        sys.stderr.write(f"The bucket could not be made: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
