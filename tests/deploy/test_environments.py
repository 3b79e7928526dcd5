"""The template's two environments: their options, the variables that the site reads, and the alarms that watch it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from deploy import beanstalk_options
from tests.deploy.cloudformation import ACCOUNT, REGION, ROOT, Stack

ENVIRONMENTS = {"WebEnvironment": "web", "WorkerEnvironment": "worker"}
OPTIONS = "aws:elasticbeanstalk:application:environment"


@pytest.fixture(scope="module")
def stack() -> Stack:
    return Stack(InboxOwner="lab@example.edu")


# --- Elastic Beanstalk -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("environment", "role"), ENVIRONMENTS.items())
def test_an_environment_has_its_network_groups_and_role(stack, environment, role):
    name = role.capitalize()
    balancer = "<PublicBalancerGroup>" if role == "web" else "<InternalBalancerGroup>"
    for namespace, option, value in (
        ("aws:ec2:vpc", "VPCId", "<Network>"),
        ("aws:ec2:vpc", "ELBScheme", "public" if role == "web" else "internal"),
        ("aws:autoscaling:launchconfiguration", "SecurityGroups", f"<{name}Group>"),
        ("aws:autoscaling:launchconfiguration", "DisableDefaultEC2SecurityGroup", "true"),
        ("aws:autoscaling:launchconfiguration", "IamInstanceProfile", f"<{name}Profile>"),
        ("aws:elbv2:loadbalancer", "SecurityGroups", balancer),
        ("aws:elbv2:loadbalancer", "ManagedSecurityGroup", balancer),
        ("aws:elasticbeanstalk:environment", "ServiceRole", "<ServiceRole.Arn>"),
        (OPTIONS, "ROLE", role),
    ):
        assert stack.option(environment, namespace, option) == value, option
    assert stack.resource(environment)["SolutionStackName"] == stack.parameters["SolutionStackName"]
    assert stack.resource(f"{name}Profile")["Roles"] == [f"<{name}Role>"]


def test_the_site_is_served_over_tls(stack):
    listener = "aws:elbv2:listener:443"
    assert stack.option("WebEnvironment", listener, "ListenerEnabled") == "true"
    assert stack.option("WebEnvironment", listener, "Protocol") == "HTTPS"
    assert (
        stack.option("WebEnvironment", listener, "SSLCertificateArns") == stack.parameters["CertificateArn"]
    )
    assert "TLS13" in str(stack.option("WebEnvironment", listener, "SSLPolicy"))


@pytest.mark.parametrize(("environment", "role"), ENVIRONMENTS.items())
def test_the_environment_has_what_the_bundle_wants_for_its_role(stack, environment, role):
    for wanted in beanstalk_options.of_role(role):
        assert stack.option(environment, wanted.namespace, wanted.name) == wanted.value, str(wanted)


def test_every_option_is_one_that_beanstalk_knows(stack):
    for environment in ENVIRONMENTS:
        settings = [
            beanstalk_options.Setting(environment, o["Namespace"], o["OptionName"], str(o["Value"]))
            for o in stack.options(environment)
            if "<" not in str(o["Value"])
        ]
        assert len(settings) > 10
        assert beanstalk_options.problems(settings) == []


def test_both_environments_are_told_the_same(stack):
    """CloudFormation refuses YAML aliases, so that it stands there twice."""
    web, worker = (stack.variables(name) for name in ENVIRONMENTS)
    assert (web.pop("ROLE"), worker.pop("ROLE")) == ("web", "worker")
    assert web == worker


def test_no_environment_is_made_before_there_is_a_release():
    assert Stack(VersionLabel="").resources("AWS::ElasticBeanstalk::Environment") == {}
    assert len(Stack().resources("AWS::ElasticBeanstalk::Environment")) == 2


# --- variables ---------------------------------------------------------------------------------------------


def variables(stack: Stack, environment: str, folder: Path) -> dict[str, str]:
    """What an instance is told: by the bundle's .ebextensions, and by the template, which wins."""
    bundle = {o.name: str(o.value) for o in beanstalk_options.of_bundle() if o.namespace == OPTIONS}
    told = {**bundle, **stack.variables(environment)}
    # Folders of an instance are elsewhere here.
    return {**told, "DATA_DIR": str(folder), "TMPDIR": str(folder), "PATH": os.environ["PATH"]}


def run(told: dict[str, str], *arguments: str) -> str:
    """The output of Python in the repository, told nothing else."""
    result = subprocess.run(
        [sys.executable, "-W", "ignore", *arguments],
        cwd=ROOT,
        env=told,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_django_has_nothing_to_say_about_an_environment(stack, environment, tmp_path):
    told = variables(stack, environment, tmp_path)
    said = run(told, "manage.py", "check", "--deploy", "--fail-level", "WARNING")
    assert said == "System check identified no issues (0 silenced).\n"


NEEDED = {
    "SECRET_KEY": "convoscope.E001",
    "ALLOWED_HOSTS": "convoscope.E003",
    "EMAIL_URL": "convoscope.E006",
    "DATABASE_URL": "convoscope.E007",
    "CELERY_BROKER_URL": "convoscope.E008",
    "DEFAULT_FROM_EMAIL": "convoscope.E010",
    "OPERATOR_NAME": "convoscope.E012",
    "OPERATOR_EMAIL": "convoscope.E012",
    "OPERATOR_ADDRESS": "convoscope.E012",
    "CACHE_URL": "convoscope.W001",
    "AWS_STORAGE_BUCKET_NAME": "convoscope.W002",
    "AWS_S3_REGION_NAME": "convoscope.E013",
}
# Reads the settings anew without one variable after the other, in one process because each takes seconds to begin.
WITHOUT = """
import importlib, json, os, sys
import django
from django.conf import settings
from django.core.files.storage import storages
from django.utils.functional import empty

django.setup()
from classifier_site import settings as module
from classifier_site.checks import check_production

for name in ["", *sys.argv[1:]]:
    value = os.environ.pop(name, "")
    importlib.reload(module)
    settings._wrapped = empty
    storages._storages.clear()
    storages.__dict__.pop("backends", None)
    print(json.dumps([name, [problem.id for problem in check_production(None)]]))
    if name:
        os.environ[name] = value
"""


def test_without_any_one_of_its_variables_the_site_complains(stack, tmp_path):
    told = variables(stack, "WebEnvironment", tmp_path)
    # The inbox would refuse to be without a bucket before the check is asked.
    told = {name: value for name, value in told.items() if not name.startswith("INBOX_")}
    told["DJANGO_SETTINGS_MODULE"] = "classifier_site.settings"
    said = dict(json.loads(line) for line in run(told, "-c", WITHOUT, *NEEDED).splitlines())
    assert said.pop("") == []
    assert said == {name: [problem] for name, problem in NEEDED.items()}


def test_two_proxies_stand_before_the_site_and_both_are_believed(stack, tmp_path):
    """The load balancer and the instance's nginx."""
    assert variables(stack, "WebEnvironment", tmp_path)["TRUSTED_PROXY_COUNT"] == "2"


def test_a_worker_answers_the_lifecycle_hook_that_its_group_has(stack, tmp_path):
    assert variables(stack, "WorkerEnvironment", tmp_path)["TERMINATION_HOOK"] == "convoscope-finish"


def test_secrets_are_never_plain_options(stack):
    for environment in ENVIRONMENTS:
        plain = {
            o["OptionName"]: str(o["Value"]) for o in stack.options(environment) if o["Namespace"] == OPTIONS
        }
        assert not {
            "SECRET_KEY",
            "SECRET_KEY_FALLBACKS",
            "DATABASE_URL",
            "CELERY_BROKER_URL",
            "CACHE_URL",
        } & set(plain)
        assert not any("resolve:" in value for value in plain.values())
    # Nor does anything in the template look like one.
    for name, secret in stack.resources("AWS::SecretsManager::Secret").items():
        text = secret["Properties"].get("SecretString", "")
        assert "GenerateSecretString" in secret["Properties"] or "{{resolve:secretsmanager:" in text, name


def test_older_keys_are_told_only_while_there_are_some():
    arn = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:convoscope/secret-key-fallbacks-AbCdEf"
    space = "aws:elasticbeanstalk:application:environmentsecrets"
    for environment in ENVIRONMENTS:
        assert Stack().option(environment, space, "SECRET_KEY_FALLBACKS") is None
        assert Stack(SecretKeyFallbacksArn=arn).option(environment, space, "SECRET_KEY_FALLBACKS") == arn


def test_the_inbox_is_told_only_where_somebody_owns_it(stack):
    assert "INBOX_QUEUE_URL" not in Stack().variables("WorkerEnvironment")
    assert stack.variables("WorkerEnvironment")["INBOX_OWNER"] == "lab@example.edu"


def test_every_variable_is_one_that_the_manual_lists(stack):
    manual = (ROOT / "docs" / "operations.md").read_text()
    listed = set(re.findall(r"^\| `([A-Z0-9_]+)` \|", manual, re.MULTILINE))
    assert set(stack.variables("WebEnvironment")) <= listed


def test_redis_must_show_its_certificate_and_the_database_speak_tls(stack):
    variables = stack.variables("WebEnvironment")
    for name in ("CELERY_BROKER_URL", "CACHE_URL"):
        assert variables[name].startswith("rediss://")
        assert variables[name].endswith("?ssl_cert_reqs=required")
    assert variables["DATABASE_URL"].endswith("?sslmode=require")


# --- alarms ------------------------------------------------------------------------------------------------


def test_somebody_is_told_when_it_matters(stack):
    alarms = {name: alarm["Properties"] for name, alarm in stack.resources("AWS::CloudWatch::Alarm").items()}
    watched = {
        alarm.get("MetricName") or alarm["Metrics"][0]["Expression"].split("(")[1].split(")")[0]
        for alarm in alarms.values()
    }
    assert watched == {
        "OldestAge",
        "FailedRows",
        "QueuedRows",
        "ApplicationRequests5xx",
        "HTTPCode_ELB_5XX_Count",
        "UnHealthyHostCount",
        "FreeStorageSpace",
        "CPUUtilization",
        "DatabaseConnections",
        "DatabaseMemoryUsagePercentage",
        "ApproximateNumberOfMessagesVisible",
        "ApproximateAgeOfOldestMessage",
    }
    for name, alarm in alarms.items():
        assert alarm["AlarmActions"] == ["<Alarms>"], name
        assert alarm["AlarmDescription"].endswith("."), name
    assert stack.resource("Alarms")["Subscription"] == [
        {"Protocol": "email", "Endpoint": stack.parameters["AlarmMail"]}
    ]


def test_silence_is_an_alarm(stack):
    silent = stack.resource("NothingIsMeasured")
    assert silent["TreatMissingData"] == "breaching"
    assert (silent["Statistic"], silent["ComparisonOperator"]) == ("SampleCount", "LessThanThreshold")


def test_the_sites_own_metrics_are_watched_where_it_publishes_them(stack):
    from predictions.scaling import Load

    published = set(Load(queued=0, oldest=0, backlog=0, workers=0, failed=0).metrics())
    namespace = stack.variables("WebEnvironment")["CLOUDWATCH_NAMESPACE"]
    ours = [
        alarm["Properties"]
        for alarm in stack.resources("AWS::CloudWatch::Alarm").values()
        if alarm["Properties"].get("Namespace") == namespace
    ]
    assert len(ours) == 3
    assert {alarm["MetricName"] for alarm in ours} <= published
    assert not any("Dimensions" in alarm for alarm in ours)


def test_beanstalk_publishes_what_its_alarm_asks_about(stack):
    alarm = stack.resource("AnswersAreErrors")
    assert alarm["Dimensions"] == [
        {"Name": "EnvironmentName", "Value": stack.resource("WebEnvironment")["EnvironmentName"]}
    ]
    (document,) = (o.value for o in beanstalk_options.of_bundle() if o.name == "ConfigDocument")
    published = json.loads(str(document))["CloudWatchMetrics"]["Environment"]
    assert published[alarm["MetricName"]] == alarm["Period"]


def test_spending_is_watched(stack):
    budget = stack.resource("Spending")
    assert budget["Budget"]["BudgetLimit"] == {"Amount": stack.parameters["MonthlyBudget"], "Unit": "USD"}
    kinds = {n["Notification"]["NotificationType"] for n in budget["NotificationsWithSubscribers"]}
    assert kinds == {"ACTUAL", "FORECASTED"}
    for notification in budget["NotificationsWithSubscribers"]:
        assert notification["Subscribers"][0]["Address"] == stack.parameters["AlarmMail"]
