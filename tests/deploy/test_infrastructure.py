"""The CloudFormation template: what it lets in, keeps and encrypts. Nothing of it has run on AWS."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from cfnlint.api import lint

from accounts import exports
from learn import explanation_files
from predictions import inbox, inbox_events, inbox_results
from predictions.models import PICTURES
from tests.deploy import iam
from tests.deploy.cloudformation import ACCOUNT, REGION, ROOT, TEMPLATE, Stack, load, walk
from tests.deploy.iam import Request

ENVIRONMENTS = {"WebEnvironment": "web", "WorkerEnvironment": "worker"}


@pytest.fixture(scope="module")
def stack() -> Stack:
    return Stack(InboxOwner="lab@example.edu")


# --- what the linter says ----------------------------------------------------------------------------------


def found_by_lint(text: str) -> set[str]:
    return {match.rule.id for match in lint(text, regions=[REGION])}


def test_cfn_lint_finds_nothing_in_the_template():
    assert found_by_lint(TEMPLATE.read_text()) == set()


def test_cfn_lint_would_find_what_is_wrong_with_it():
    """A resource that is not there, a property that is none, a wrong type, two that wait for each other."""
    text = TEMPLATE.read_text()
    for old, new in (
        ("NatGatewayId: !Ref NatGatewayA}", "NatGatewayId: !Ref NatGatewayC}"),
        ("StorageEncrypted: true", "StorageEncripted: true"),
        ("BackupRetentionPeriod: 14", "BackupRetentionPeriod: fortnight"),
        (
            "      Queues: [!Ref InboxQueue, !Ref InboxDeadQueue]\n",
            "      Queues: [!Ref InboxQueue, !Ref MediaBucket]\n",
        ),
    ):
        assert text.count(old) == 1
        text = text.replace(old, new)
    assert found_by_lint(text) >= {"E1020", "E3002", "E3012", "E3004"}


# --- parameters --------------------------------------------------------------------------------------------


def test_every_parameter_says_what_it_is_and_what_fits():
    for name, parameter in load()["Parameters"].items():
        assert str(parameter["Description"]).endswith("."), name
        bounded = {"AllowedPattern", "AllowedValues", "MinValue"} & set(parameter)
        assert bounded, f"{name} takes anything"
        if "AllowedPattern" in parameter:
            assert str(parameter["ConstraintDescription"]).endswith("."), name


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SiteName", "Convoscope"),
        ("SiteName", "a-name-that-is-too-long"),
        ("HostName", "https://convoscope.example.edu"),
        ("HostName", "*.example.edu"),
        ("CertificateArn", "convoscope.example.edu"),
        ("SolutionStackName", "64bit Amazon Linux 2 v3.9.1 running Python 3.8"),
        ("SenderAddress", "Convoscope <convoscope@example.edu>"),
        ("OperatorName", " "),
        ("WorkerInstanceType", "t3.medium"),
        ("WorkerInstanceType", "m7g.large"),
        ("WorkerMinimum", "0"),
        ("WorkerMaximum", "16"),
        ("DatabaseVersion", "15.4"),
        ("Repository", "https://github.com/example/convoscope"),
    ],
)
def test_a_parameter_that_could_not_work_is_refused(name, value):
    with pytest.raises(ValueError, match=name):
        Stack(**{name: value})


def test_fleets_are_as_large_as_the_simulation_chose():
    chosen = json.loads((ROOT / "deploy" / "simulation" / "chosen.json").read_text())
    parameters = Stack().parameters
    for role, name in (("web", "Web"), ("worker", "Worker")):
        sizes = int(parameters[f"{name}Minimum"]), int(parameters[f"{name}Maximum"])
        assert sizes == (chosen[role]["minimum"], chosen[role]["maximum"])


# --- network -----------------------------------------------------------------------------------------------


def ways(stack: Stack) -> set[tuple[str, str, Any, Any]]:
    """(from, to, first port, last port) of everything that may come in."""
    found = set()
    for name, group in stack.resources("AWS::EC2::SecurityGroup").items():
        for rule in group["Properties"].get("SecurityGroupIngress", []):
            found.add((rule["CidrIp"], name, rule["FromPort"], rule["ToPort"]))
    for rule in stack.resources("AWS::EC2::SecurityGroupIngress").values():
        names = rule["Properties"]
        source, target = (names[key].strip("<>") for key in ("SourceSecurityGroupId", "GroupId"))
        found.add((source, target, names["FromPort"], names["ToPort"]))
    return found


def test_each_part_is_reached_only_from_the_part_before_it(stack):
    assert ways(stack) == {
        ("0.0.0.0/0", "PublicBalancerGroup", 80, 80),
        ("0.0.0.0/0", "PublicBalancerGroup", 443, 443),
        ("PublicBalancerGroup", "WebGroup", 80, 80),
        ("InternalBalancerGroup", "WorkerGroup", 80, 80),
        ("WebGroup", "DatabaseGroup", 5432, 5432),
        ("WorkerGroup", "DatabaseGroup", 5432, 5432),
        ("WebGroup", "RedisGroup", 6379, 6379),
        ("WorkerGroup", "RedisGroup", 6379, 6379),
    }


def test_whatever_may_come_in_may_also_go_out(stack):
    """And nothing else but HTTPS: a group without rules of its own would let everything out."""
    out = set()
    for name, group in stack.resources("AWS::EC2::SecurityGroup").items():
        rules = group["Properties"]["SecurityGroupEgress"]
        assert rules, name
        for rule in rules:
            if rule["CidrIp"] != "127.0.0.1/32":
                assert (name, rule["FromPort"], rule["ToPort"]) in {
                    ("WebGroup", 443, 443),
                    ("WorkerGroup", 443, 443),
                }
    for rule in stack.resources("AWS::EC2::SecurityGroupEgress").values():
        names = rule["Properties"]
        source, target = (names[key].strip("<>") for key in ("GroupId", "DestinationSecurityGroupId"))
        out.add((source, target, names["FromPort"], names["ToPort"]))
    assert out == {way for way in ways(stack) if way[0] != "0.0.0.0/0"}


def test_nobody_logs_in_to_an_instance(stack):
    assert "EC2KeyName" not in TEMPLATE.read_text()
    for rule in walk(stack.template["Resources"]):
        if isinstance(rule, dict) and "FromPort" in rule:
            assert not rule["FromPort"] <= 22 <= rule["ToPort"]


def test_only_load_balancers_are_in_public_subnets(stack):
    assert stack.option("WebEnvironment", "aws:ec2:vpc", "ELBSubnets") == "<PublicSubnetA>,<PublicSubnetB>"
    assert (
        stack.option("WorkerEnvironment", "aws:ec2:vpc", "ELBSubnets") == "<PrivateSubnetA>,<PrivateSubnetB>"
    )
    for environment in ENVIRONMENTS:
        assert stack.option(environment, "aws:ec2:vpc", "Subnets") == "<PrivateSubnetA>,<PrivateSubnetB>"
        assert stack.option(environment, "aws:ec2:vpc", "AssociatePublicIpAddress") == "false"
    for name in ("DatabaseSubnets", "RedisSubnets"):
        assert stack.resource(name)["SubnetIds"] == ["<PrivateSubnetA>", "<PrivateSubnetB>"]
    for kind in ("Public", "Private"):
        zones = [stack.resource(f"{kind}Subnet{letter}")["AvailabilityZone"] for letter in "AB"]
        assert len(set(zones)) == 2
    for subnet in stack.resources("AWS::EC2::Subnet").values():
        assert not subnet["Properties"].get("MapPublicIpOnLaunch")


def test_private_subnets_leave_through_a_gateway_in_a_public_one():
    one, two = Stack(), Stack(NatGateways="2")
    assert one.resource("PrivateRouteB")["NatGatewayId"] == "<NatGatewayA>"
    assert two.resource("PrivateRouteB")["NatGatewayId"] == "<NatGatewayB>"
    assert two.resource("NatGatewayB")["SubnetId"] == "<PublicSubnetB>"
    assert len(one.resources("AWS::EC2::NatGateway")) == 1


# --- what is kept ------------------------------------------------------------------------------------------


def test_everything_that_is_stored_is_encrypted(stack):
    encrypted = {
        "AWS::RDS::DBInstance": lambda p: p["StorageEncrypted"] is True,
        "AWS::ElastiCache::ReplicationGroup": lambda p: (
            p["AtRestEncryptionEnabled"] is True
            and p["TransitEncryptionEnabled"] is True
            and p["TransitEncryptionMode"] == "required"
            and bool(p["AuthToken"])
        ),
        "AWS::S3::Bucket": lambda p: (
            p["BucketEncryption"]["ServerSideEncryptionConfiguration"][0]["ServerSideEncryptionByDefault"][
                "SSEAlgorithm"
            ]
            == "AES256"
        ),
        "AWS::SQS::Queue": lambda p: p["SqsManagedSseEnabled"] is True,
    }
    seen = dict.fromkeys(encrypted, 0)
    for name, resource in stack.resources().items():
        if check := encrypted.get(resource["Type"]):
            seen[resource["Type"]] += 1
            assert check(resource["Properties"]), name
    assert seen == {
        "AWS::RDS::DBInstance": 1,
        "AWS::ElastiCache::ReplicationGroup": 1,
        "AWS::S3::Bucket": 2,
        "AWS::SQS::Queue": 2,
    }


def test_the_database_can_be_had_back(stack):
    database = stack.template["Resources"]["Database"]
    assert database["DeletionPolicy"] == database["UpdateReplacePolicy"] == "Snapshot"
    properties = stack.resource("Database")
    assert properties["BackupRetentionPeriod"] >= 14
    assert properties["DeletionProtection"] is True
    assert properties["DeleteAutomatedBackups"] is False
    assert properties["PubliclyAccessible"] is False
    assert stack.resource("DatabaseParameters")["Parameters"]["rds.force_ssl"] == "1"


def test_a_database_from_a_snapshot_brings_its_own_name_and_user():
    """RDS refuses both beside a snapshot."""
    restored = Stack(DatabaseSnapshot="convoscope-before-exams").resource("Database")
    assert restored["DBSnapshotIdentifier"] == "convoscope-before-exams"
    assert not {"DBName", "MasterUsername"} & set(restored)
    assert {"DBName", "MasterUsername"} <= set(Stack().resource("Database"))


def test_redis_takes_over_where_there_are_several_nodes():
    assert Stack().resource("Redis")["AutomaticFailoverEnabled"] is False
    assert Stack(RedisNodes="2").resource("Redis")["AutomaticFailoverEnabled"] is True


def test_what_cannot_be_made_again_stays_when_the_stack_goes(stack):
    for name in ("MediaBucket", "SecretKey"):
        resource = stack.template["Resources"][name]
        # After a creation that failed they are empty, and would be in the way of the next one.
        assert resource["DeletionPolicy"] == "RetainExceptOnCreate"
        assert resource["UpdateReplacePolicy"] == "Retain"


@pytest.mark.parametrize("bucket", ["MediaBucket", "BundleBucket"])
def test_no_bucket_can_be_opened_to_the_public(stack, bucket):
    properties = stack.resource(bucket)
    block = properties["PublicAccessBlockConfiguration"]
    assert set(block.values()) == {True}
    assert len(block) == 4
    assert properties["OwnershipControls"]["Rules"] == [{"ObjectOwnership": "BucketOwnerEnforced"}]
    assert properties["VersioningConfiguration"] == {"Status": "Enabled"}


def bucket_policy(stack: Stack, name: str) -> dict[str, Any]:
    document: dict[str, Any] = stack.resource(f"{name}Policy")["PolicyDocument"]
    return document


@pytest.mark.parametrize("bucket", ["MediaBucket", "BundleBucket"])
def test_a_bucket_is_spoken_to_over_tls_only(stack, bucket):
    document = bucket_policy(stack, bucket)
    name = stack.resource(bucket)["BucketName"]
    for resource in (f"arn:aws:s3:::{name}", f"arn:aws:s3:::{name}/pictures/ab/x.webp"):
        for secure, refused in (("false", True), ("true", False)):
            request = Request("s3:GetObject", resource, {"aws:SecureTransport": secure})
            assert iam.denies(document, request) is refused


@pytest.mark.parametrize(
    ("headers", "refused"),
    [
        ({}, False),
        ({"s3:x-amz-server-side-encryption": "AES256"}, False),
        ({"s3:x-amz-server-side-encryption": "AES256", "s3:x-amz-acl": "private"}, False),
        ({"s3:x-amz-server-side-encryption": "aws:kms"}, True),
        ({"s3:x-amz-server-side-encryption-customer-algorithm": "AES256"}, True),
        ({"s3:x-amz-acl": "public-read"}, True),
        ({"s3:x-amz-acl": "public-read-write"}, True),
        ({"s3:x-amz-acl": "authenticated-read"}, True),
    ],
)
def test_the_bucket_of_pictures_refuses_what_is_open_or_locked_with_another_key(stack, headers, refused):
    resource = f"arn:aws:s3:::{stack.resource('MediaBucket')['BucketName']}/pictures/ab/x.webp"
    request = Request("s3:PutObject", resource, {"aws:SecureTransport": "true", **headers})
    assert iam.denies(bucket_policy(stack, "MediaBucket"), request) is refused


def lifetimes(stack: Stack) -> dict[str, int]:
    rules = stack.resource("MediaBucket")["LifecycleConfiguration"]["Rules"]
    assert all(rule["Status"] == "Enabled" for rule in rules)
    return {rule["Prefix"]: rule["ExpirationInDays"] for rule in rules if "ExpirationInDays" in rule}


def test_what_is_temporary_goes_by_itself_and_what_rows_name_stays(stack):
    found = lifetimes(stack)
    # A day later than the site removes them, or has read them.
    assert timedelta(days=found.pop(f"{exports.FOLDER}/")) == exports.KEPT + timedelta(days=1)
    assert found.pop(inbox_events.INBOX) == 7
    assert found.pop(inbox_results.OUTBOX) == 90
    assert found == {}, "a prefix that the code knows nothing of expires"
    assert not {f"{PICTURES}/", f"{explanation_files.FOLDER}/"} & set(lifetimes(stack))


def test_what_was_deleted_and_what_never_ended_goes(stack):
    rules = stack.resource("MediaBucket")["LifecycleConfiguration"]["Rules"]
    whole = [rule for rule in rules if "Prefix" not in rule]
    assert {"AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1}}.items() <= whole[0].items()
    assert any(rule.get("NoncurrentVersionExpiration") == {"NoncurrentDays": 7} for rule in whole)
    assert any(rule.get("ExpiredObjectDeleteMarker") is True for rule in whole)


# --- the inbox ---------------------------------------------------------------------------------------------


def test_the_bucket_tells_the_queue_about_the_inbox_only(stack):
    notification = stack.resource("MediaBucket")["NotificationConfiguration"]
    assert notification == {
        "QueueConfigurations": [
            {
                "Event": "s3:ObjectCreated:*",
                "Queue": f"arn:aws:sqs:{REGION}:{ACCOUNT}:convoscope-inbox",
                "Filter": {"S3Key": {"Rules": [{"Name": "prefix", "Value": inbox_events.INBOX}]}},
            }
        ]
    }


def test_the_queue_lets_this_bucket_in_and_nobody_else(stack):
    assert stack.template["Resources"]["MediaBucket"]["DependsOn"] == "InboxQueuePolicy"
    document = stack.resource("InboxQueuePolicy")["PolicyDocument"]
    queue = f"arn:aws:sqs:{REGION}:{ACCOUNT}:convoscope-inbox"
    ours = {
        "aws:SourceArn": f"arn:aws:s3:::{stack.resource('MediaBucket')['BucketName']}",
        "aws:SourceAccount": ACCOUNT,
        "aws:SecureTransport": "true",
    }
    event = Request("sqs:SendMessage", queue, ours, principal="s3.amazonaws.com")
    assert iam.allows(document, event)
    for other in (
        Request(
            "sqs:SendMessage", queue, {**ours, "aws:SourceArn": "arn:aws:s3:::another"}, "s3.amazonaws.com"
        ),
        Request("sqs:SendMessage", queue, {**ours, "aws:SourceAccount": "999999999999"}, "s3.amazonaws.com"),
        Request("sqs:SendMessage", queue, ours, "sns.amazonaws.com"),
        Request("sqs:ReceiveMessage", queue, ours, "s3.amazonaws.com"),
        Request("sqs:SendMessage", queue, {**ours, "aws:SecureTransport": "false"}, "s3.amazonaws.com"),
    ):
        assert not iam.allows(document, other)


def test_an_event_waits_as_long_as_its_picture_and_no_longer_than_its_row_is_remembered(stack):
    kept = timedelta(seconds=stack.resource("InboxQueue")["MessageRetentionPeriod"])
    assert kept == timedelta(days=lifetimes(stack)[inbox_events.INBOX])
    assert kept < inbox.REMEMBERED
    assert stack.resource("InboxQueue")["RedrivePolicy"]["deadLetterTargetArn"].endswith("-inbox-dead")
