"""What instances may do on AWS: what Beanstalk needs and nothing else; template and files say the same."""

from __future__ import annotations

import json
from typing import Any

import pytest

from classifier_site import backends
from tests.deploy.cloudformation import ACCOUNT, REGION, ROOT, Stack, load
from tests.deploy.iam import Request, allows, policy
from tests.deploy.iam import scaling_group as group

STACK = Stack(InboxOwner="lab@example.edu")
BUCKET = f"convoscope-media-{ACCOUNT}-{REGION}"
BUNDLES = f"convoscope-bundles-{ACCOUNT}-{REGION}"
BEANSTALK = f"elasticbeanstalk-{REGION}-{ACCOUNT}"
SENDER = STACK.parameters["SenderAddress"]
LOGS = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group"
ROLES = ("web", "worker")


def secret(name: str, site: str = "convoscope", account: str = ACCOUNT) -> str:
    return f"arn:aws:secretsmanager:{REGION}:{account}:secret:{site}/{name}-AbCdEf"


def queue(name: str) -> str:
    return f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}"


# --- what an instance needs besides ------------------------------------------------------------------------


@pytest.mark.parametrize("role", ROLES)
def test_an_instance_may_read_the_secrets_that_are_its_variables_and_not_their_ingredients(role):
    environment = f"{role.capitalize()}Environment"
    told = {
        str(o["Value"]).strip("<>")
        for o in STACK.options(environment)
        if o["Namespace"] == "aws:elasticbeanstalk:application:environmentsecrets"
    }
    for name, found in STACK.resources("AWS::SecretsManager::Secret").items():
        arn = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:{found['Properties']['Name']}-AbCdEf"
        may = allows(policy(role, STACK), Request("secretsmanager:GetSecretValue", arn))
        assert may is (name in told), name
    older = Request("secretsmanager:GetSecretValue", secret("secret-key-fallbacks"))
    assert allows(policy(role, STACK), older)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("s3:GetObject", f"arn:aws:s3:::{BUNDLES}/releases/v1.0.0.zip"),
        ("s3:GetObject", f"arn:aws:s3:::{BEANSTALK}/resources/environments/e-abc/file"),
        ("s3:PutObject", f"arn:aws:s3:::{BEANSTALK}/resources/environments/logs/publish/e-abc/i-1/x"),
        ("logs:PutLogEvents", "LOGS"),
        ("logs:CreateLogStream", "LOGS"),
        ("elasticbeanstalk:PutInstanceStatistics", "ENVIRONMENT"),
    ],
)
def test_beanstalk_can_do_its_work_on_an_instance(role, action, resource):
    resource = {
        "LOGS": f"{LOGS}:/aws/elasticbeanstalk/convoscope-{role}/processes:log-stream:i-1/web",
        "ENVIRONMENT": f"arn:aws:elasticbeanstalk:{REGION}:{ACCOUNT}:environment/convoscope/convoscope-{role}",
    }.get(resource, resource)
    assert allows(policy(role, STACK), Request(action, resource))


# --- what nobody may ---------------------------------------------------------------------------------------

OBJECT = f"arn:aws:s3:::{BUCKET}"
BOTH_REFUSED = [
    ("another prefix", Request("s3:GetObject", f"{OBJECT}/private/x")),
    ("a prefix that begins alike", Request("s3:GetObject", f"{OBJECT}/pictures-of-others/x")),
    ("an object without a folder", Request("s3:PutObject", f"{OBJECT}/x")),
    ("the whole bucket", Request("s3:ListBucket", OBJECT)),
    ("the whole bucket, asked politely", Request("s3:ListBucket", OBJECT, {"s3:prefix": ""})),
    ("all folders", Request("s3:ListBucket", OBJECT, {"s3:prefix": "p"})),
    ("what is in the inbox", Request("s3:ListBucket", OBJECT, {"s3:prefix": "inbox/"})),
    ("what is in the outbox", Request("s3:ListBucket", OBJECT, {"s3:prefix": "outbox/"})),
    ("what was deleted", Request("s3:ListBucketVersions", OBJECT, {"s3:prefix": "pictures/"})),
    ("an older version", Request("s3:GetObjectVersion", f"{OBJECT}/pictures/ab/x.webp")),
    ("deleting for good", Request("s3:DeleteObjectVersion", f"{OBJECT}/pictures/ab/x.webp")),
    ("opening an object", Request("s3:PutObjectAcl", f"{OBJECT}/pictures/ab/x.webp")),
    ("opening the bucket", Request("s3:PutBucketPolicy", OBJECT)),
    ("opening the bucket by ACL", Request("s3:PutBucketAcl", OBJECT)),
    ("lifting the block", Request("s3:PutBucketPublicAccessBlock", OBJECT)),
    ("keeping no versions", Request("s3:PutBucketVersioning", OBJECT)),
    ("other lifetimes", Request("s3:PutLifecycleConfiguration", OBJECT)),
    ("removing the bucket", Request("s3:DeleteBucket", OBJECT)),
    ("another bucket", Request("s3:GetObject", "arn:aws:s3:::another/pictures/ab/x.webp")),
    (
        "another site's bucket",
        Request("s3:GetObject", f"arn:aws:s3:::other-media-{ACCOUNT}-{REGION}/pictures/ab/x"),
    ),
    ("listing another bucket", Request("s3:ListBucket", "arn:aws:s3:::another", {"s3:prefix": "pictures/"})),
    ("the list of buckets", Request("s3:ListAllMyBuckets")),
    ("another release", Request("s3:PutObject", f"arn:aws:s3:::{BUNDLES}/releases/v1.0.0.zip")),
    (
        "Beanstalk's own files",
        Request("s3:PutObject", f"arn:aws:s3:::{BEANSTALK}/resources/environments/e-abc/x"),
    ),
    ("answering in the inbox", Request("s3:PutObject", f"{OBJECT}/inbox/a.png")),
    ("taking an answer away", Request("s3:DeleteObject", f"{OBJECT}/outbox/a.png.json")),
    ("another queue", Request("sqs:ReceiveMessage", queue("another"))),
    ("the dead letters", Request("sqs:ReceiveMessage", queue("convoscope-inbox-dead"))),
    ("events of one's own", Request("sqs:SendMessage", queue("convoscope-inbox"))),
    ("emptying the queue", Request("sqs:PurgeQueue", queue("convoscope-inbox"))),
    ("another namespace", Request("cloudwatch:PutMetricData", "*", {"cloudwatch:namespace": "AWS/EC2"})),
    (
        "another site's numbers",
        Request("cloudwatch:PutMetricData", "*", {"cloudwatch:namespace": "Convoscope/other"}),
    ),
    ("no namespace", Request("cloudwatch:PutMetricData")),
    ("silencing alarms", Request("cloudwatch:DeleteAlarms", "*")),
    ("another secret", Request("secretsmanager:GetSecretValue", secret("payroll", "university"))),
    ("another site's secret", Request("secretsmanager:GetSecretValue", secret("secret-key", "convoscope2"))),
    (
        "another account's secret",
        Request("secretsmanager:GetSecretValue", secret("secret-key", account="999999999999")),
    ),
    ("the database's password", Request("secretsmanager:GetSecretValue", secret("database-password"))),
    ("the token of Redis", Request("secretsmanager:GetSecretValue", secret("redis-token"))),
    ("a new secret", Request("secretsmanager:PutSecretValue", secret("secret-key"))),
    ("the list of secrets", Request("secretsmanager:ListSecrets")),
    (
        "ending any instance",
        Request("autoscaling:TerminateInstanceInAutoScalingGroup", *group("convoscope-worker")),
    ),
    ("another fleet's last word", Request("autoscaling:CompleteLifecycleAction", *group("payroll-web"))),
    ("more machines", Request("autoscaling:SetDesiredCapacity", *group("convoscope-worker"))),
    ("machines of one's own", Request("ec2:RunInstances")),
    ("what machines there are", Request("ec2:DescribeInstances")),
    ("a role of one's own", Request("iam:CreateRole")),
    ("handing roles on", Request("iam:PassRole", f"arn:aws:iam::{ACCOUNT}:role/anything")),
    ("taking another role", Request("sts:AssumeRole", f"arn:aws:iam::{ACCOUNT}:role/anything")),
    (
        "somebody else's logs",
        Request("logs:PutLogEvents", f"{LOGS}:/aws/rds/x:log-stream:y"),
    ),
    (
        "reading logs",
        Request("logs:GetLogEvents", f"{LOGS}:/aws/elasticbeanstalk/x"),
    ),
    ("another release of the site", Request("elasticbeanstalk:UpdateEnvironment")),
    ("the database itself", Request("rds:DeleteDBInstance")),
    ("a key", Request("kms:Decrypt")),
]
ONLY_WORKERS = [
    Request("s3:PutObject", f"{OBJECT}/exports/x.zip"),
    Request("s3:PutObject", f"{OBJECT}/laboratory/ab/x.zip"),
    Request("s3:GetObject", f"{OBJECT}/inbox/a.png"),
    Request("s3:DeleteObject", f"{OBJECT}/inbox/a.png"),
    Request("s3:PutObject", f"{OBJECT}/outbox/a.png.json"),
    Request("s3:GetObject", f"{OBJECT}/outbox/a.png.json"),
    Request("sqs:ReceiveMessage", queue("convoscope-inbox")),
    Request("sqs:DeleteMessage", queue("convoscope-inbox")),
    Request("autoscaling:CompleteLifecycleAction", *group("convoscope-worker")),
    Request("autoscaling:RecordLifecycleActionHeartbeat", *group("convoscope-worker")),
]
MAIL = f"arn:aws:ses:{REGION}:{ACCOUNT}:identity/example.edu"
ONLY_WEB = [Request("ses:SendRawEmail", MAIL, {"ses:FromAddress": SENDER})]


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize(
    "request_", [r for _what, r in BOTH_REFUSED], ids=[what for what, _r in BOTH_REFUSED]
)
def test_refused(role, request_):
    assert not allows(policy(role, STACK), request_)


@pytest.mark.parametrize(
    ("mine", "other", "requests"), [("worker", "web", ONLY_WORKERS), ("web", "worker", ONLY_WEB)]
)
def test_neither_may_do_the_others_work(mine, other, requests):
    for request in requests:
        assert allows(policy(mine, STACK), request), request
        assert not allows(policy(other, STACK), request), request


def test_nobody_writes_mails_in_anothers_name():
    web = policy("web", STACK)
    for said in ({"ses:FromAddress": "rector@example.edu"}, {}):
        assert not allows(web, Request("ses:SendRawEmail", MAIL, said))


@pytest.mark.parametrize("name", ["web", "worker", "sqs-broker"])
def test_no_statement_is_wider_than_it_says(name):
    """No wildcard for actions; all resources only for calls that have none, and then with a condition."""
    for statement in json.loads((ROOT / "deploy" / "policies" / f"{name}.json").read_text())["Statement"]:
        assert statement["Effect"] == "Allow"
        actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        assert not any("*" in action for action in actions), statement["Sid"]
        if statement["Resource"] == "*":
            assert statement["Condition"], statement["Sid"]
            assert actions in (["cloudwatch:PutMetricData"], ["autoscaling:DescribeAutoScalingInstances"])


# --- one truth ---------------------------------------------------------------------------------------------


def unwrapped(value: Any) -> Any:
    """Texts as they stand in the files: without the function that fills in names."""
    if isinstance(value, dict):
        if set(value) == {"Fn::Sub"}:
            return str(value["Fn::Sub"])
        return {str(key): unwrapped(item) for key, item in value.items()}
    return [unwrapped(item) for item in value] if isinstance(value, list) else str(value)


@pytest.mark.parametrize("role", ROLES)
def test_the_templates_roles_are_the_files(role):
    properties = load()["Resources"][f"{role.capitalize()}Role"]["Properties"]
    (inline,) = properties["Policies"]
    assert unwrapped(inline["PolicyDocument"]) == json.loads(
        (ROOT / "deploy" / "policies" / f"{role}.json").read_text()
    )


def test_no_instance_has_more_rights_than_these_unless_somebody_wants_a_shell():
    roles = ("WebRole", "WorkerRole")
    assert not any("ManagedPolicyArns" in STACK.resource(role) for role in roles)
    opened = Stack(ShellAccess="true")
    assert opened.resource("WebRole")["ManagedPolicyArns"] == [
        "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"
    ]
    assert "ManagedPolicyArns" not in opened.resource("WorkerRole")


def test_sqs_as_broker_takes_three_queues_and_no_other():
    document = policy("sqs-broker", STACK)
    for name in backends.QUEUES:
        for action in (
            "SendMessage",
            "ReceiveMessage",
            "DeleteMessage",
            "ChangeMessageVisibility",
            "GetQueueAttributes",
        ):
            assert allows(document, Request(f"sqs:{action}", queue(f"convoscope-{name}")))
    for refused in (
        Request("sqs:ReceiveMessage", queue("convoscope-inbox")),
        Request("sqs:CreateQueue", queue("convoscope-predictions")),
        Request("sqs:ListQueues"),
        Request("sqs:PurgeQueue", queue("convoscope-predictions")),
    ):
        assert not allows(document, refused)


@pytest.mark.parametrize(
    ("subject", "may"),
    [
        ("repo:example/convoscope:ref:refs/tags/v1.2.0", True),
        ("repo:example/convoscope:ref:refs/heads/main", False),
        ("repo:example/convoscope:pull_request", False),
        ("repo:example/convoscope-fork:ref:refs/tags/v1.2.0", False),
        ("repo:another/convoscope:ref:refs/tags/v1.2.0", False),
        ("repo:example/convoscope:ref:refs/tags/nightly", False),
    ],
)
def test_only_tags_of_the_repository_may_deploy(subject, may):
    trust = STACK.resource("DeployRole")["AssumeRolePolicyDocument"]
    (statement,) = trust["Statement"]
    document = {"Statement": [{**statement, "Principal": "*", "Resource": "*"}]}
    issuer = "token.actions.githubusercontent.com"
    said: dict[str, str | list[str]] = {f"{issuer}:aud": "sts.amazonaws.com", f"{issuer}:sub": subject}
    assert allows(document, Request("sts:AssumeRoleWithWebIdentity", "*", said)) is may
    assert not allows(
        document, Request("sts:AssumeRoleWithWebIdentity", "*", {**said, f"{issuer}:aud": "other"})
    )


def test_without_a_repository_nothing_may_deploy():
    there = Stack(Repository="").resources()
    assert not {"DeployRole", "GitHubProvider"} & set(there)
