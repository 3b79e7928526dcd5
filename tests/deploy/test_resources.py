"""What the bundle adds to Beanstalk's own template, in each of the two environments."""

from __future__ import annotations

import copy
import json
import re

import pytest
from django.conf import settings

from deploy import beanstalk_options as beanstalk
from predictions import termination
from tests.deploy import environments
from tests.deploy.test_options import CHOSEN

NEVER = 1e9
POLICY = {"web": "RequestsPolicy", "worker": "BacklogPolicy"}
WARMUP = {"RequestsPolicy": "web", "BacklogPolicy": "worker"}
PROCESSES = [line.split(":")[0] for line in (beanstalk.ROOT / "Procfile").read_text().splitlines()]


@pytest.fixture(scope="module")
def added():
    return {role: environments.resources(role) for role in environments.ROLES}


@pytest.fixture(scope="module")
def linted(added, tmp_path_factory):
    """What cfn-lint says of both environments, and of one in which somebody slipped."""
    broken = copy.deepcopy(added["worker"])
    broken["FinishHook"]["Properties"]["HeartbeatTime"] = broken["FinishHook"]["Properties"].pop(
        "HeartbeatTimeout"
    )
    broken["BacklogPolicy"]["Properties"]["PolicyType"] = "TargetTracking"
    broken["WakeAlarm"]["Properties"]["AlarmActions"] = [{"Ref": "WakePolcy"}]
    return environments.lint({**added, "broken": broken}, tmp_path_factory.mktemp("lint"))


@pytest.mark.parametrize("role", environments.ROLES)
def test_cfn_lint_has_nothing_to_say_about_the_resources(linted, role):
    assert linted[role] == []


def test_cfn_lint_would_find_a_slip(linted):
    said = " ".join(linted["broken"])
    assert "HeartbeatTime" in said
    assert "TargetTracking" in said
    assert "WakePolcy" in said


@pytest.mark.parametrize("role", environments.ROLES)
def test_an_environment_follows_its_own_policy_and_no_other(added, role):
    """The other one's target is never reached, and it may not hold scaling in back."""
    for name in WARMUP:
        tracking = added[role][name]["Properties"]["TargetTrackingConfiguration"]
        its_own = name == POLICY[role]
        assert (float(tracking["TargetValue"]) < NEVER) is its_own
        assert tracking["DisableScaleIn"] == ("false" if its_own else "true")


def test_policies_have_the_numbers_that_the_simulation_chose(added):
    policies = {role: added[role][name]["Properties"] for role, name in POLICY.items()}
    targets = {
        role: float(found["TargetTrackingConfiguration"]["TargetValue"]) for role, found in policies.items()
    }
    assert targets["web"] == CHOSEN["web"]["requests_per_target_per_minute"]
    assert targets["worker"] == CHOSEN["worker"]["target_backlog_seconds"]
    for role, found in policies.items():
        assert found["EstimatedInstanceWarmup"] == CHOSEN[role]["warmup_seconds"]


@pytest.mark.parametrize("role", environments.ROLES)
def test_metrics_are_looked_for_where_the_site_publishes_them(added, role):
    """Where the environment names no namespace, the default is only there to be a valid one."""
    source = "".join(path.read_text() for path in beanstalk.option_files())
    assert source.count("OptionName: CLOUDWATCH_NAMESPACE") == 3
    published = (beanstalk.ROOT / "predictions" / "scaling.py").read_text()
    tracking = added[role]["BacklogPolicy"]["Properties"]["TargetTrackingConfiguration"]
    alarm = added[role]["WakeAlarm"]["Properties"]["Metrics"]
    names = [tracking["CustomizedMetricSpecification"]["MetricName"]]
    names += [part["MetricStat"]["Metric"]["MetricName"] for part in alarm if "MetricStat" in part]
    assert sorted(names) == ["BacklogPerWorker", "QueuedRows", "Workers"]
    assert all(f'"{name}"' in published for name in names)


@pytest.mark.parametrize("role", environments.ROLES)
def test_a_fleet_wakes_from_nothing_only_where_it_is_said_to(added, role):
    alarm = added[role]["WakeAlarm"]["Properties"]
    assert float(alarm["Threshold"]) >= NEVER
    night = environments.put_in(
        beanstalk.read_yaml(beanstalk.ROOT / ".ebextensions" / "30_scaling.config")["Resources"],
        beanstalk.values(
            beanstalk.of_bundle(), beanstalk.of_list(beanstalk.ROOT / "deploy" / "options" / "night.json")
        ),
    )
    assert night["WakeAlarm"]["Properties"]["Threshold"] == "1"


def test_a_machine_may_finish_before_it_goes(added):
    hook = added["worker"]["FinishHook"]["Properties"]
    assert hook["LifecycleTransition"] == "autoscaling:EC2_INSTANCE_TERMINATING"
    assert hook["DefaultResult"] == "CONTINUE"
    options = environments.options("worker")
    namespace = "aws:elasticbeanstalk:application:environment"
    assert hook["LifecycleHookName"] == options[namespace, "TERMINATION_HOOK"] == "convoscope-finish"
    time = int(hook["HeartbeatTimeout"])
    assert 30 <= time <= 7200
    assert time > termination.PATIENCE_SECONDS + termination.RENEW_SECONDS
    assert time > settings.CELERY_TASK_TIME_LIMIT + settings.CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT


@pytest.mark.parametrize("role", environments.ROLES)
def test_a_machine_that_does_not_answer_is_replaced_but_not_one_that_starts(added, role):
    group = added[role]["AWSEBAutoScalingGroup"]["Properties"]
    assert group["HealthCheckType"] == "ELB"
    # What one machine's commands may take by default, and longer than the warm-up reckons with.
    assert group["HealthCheckGracePeriod"] >= 600 > CHOSEN[role]["warmup_seconds"]


@pytest.mark.parametrize("role", environments.ROLES)
def test_port_80_only_sends_to_https(added, role):
    rule = added[role]["HttpsRedirect"]["Properties"]
    (action,) = rule["Actions"]
    assert rule["ListenerArn"] == {"Ref": "AWSEBV2LoadBalancerListener"}
    assert rule["Conditions"] == [{"Field": "path-pattern", "Values": ["*"]}]
    assert (rule["Priority"], action["Type"]) == (1, "redirect")
    redirect = action["RedirectConfig"]
    assert (redirect["Protocol"], redirect["Port"], redirect["StatusCode"]) == ("HTTPS", "443", "HTTP_301")
    assert (redirect["Host"], redirect["Path"], redirect["Query"]) == ("#{host}", "/#{path}", "#{query}")


@pytest.mark.parametrize("role", environments.ROLES)
def test_a_listener_leads_to_the_machines_or_nobody_would_ask_for_their_health(added, role):
    """A rule stands before the listener's own action, which is Beanstalk's: to the machines. Nothing replaces it."""
    changed = [name for name, part in added[role].items() if part["Type"].endswith("V2::Listener")]
    assert changed == []
    assert environments.options(role)["aws:elbv2:listener:default", "ListenerEnabled"] == "true"
    # Auto Scaling refuses to count the requests of machines that no listener leads to yet.
    assert added[role]["RequestsPolicy"]["DependsOn"] == "AWSEBV2LoadBalancerListener"


def test_a_workers_last_hook_does_not_wait_for_requests_that_nobody_sends():
    namespace = "aws:elasticbeanstalk:environment:process:default"
    assert environments.options("worker")[namespace, "DeregistrationDelay"] == "0"
    assert int(environments.options("web")[namespace, "DeregistrationDelay"] or 0) > 0


def test_only_resources_that_beanstalk_documents_are_changed(added):
    for role in environments.ROLES:
        changed = {name for name in added[role] if name.startswith("AWSEB")}
        assert changed <= {"AWSEBAutoScalingGroup"}


# --- logs ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def files():
    section = beanstalk.read_yaml(beanstalk.ROOT / ".ebextensions" / "50_logs.config")["files"]
    return {name: part["content"] for name, part in section.items()}


def test_each_process_has_its_lines_streamed_as_it_writes_them(files, added):
    content = re.sub(
        r"`(\{.*?\]\]\})`", lambda found: found[1].replace('"', "'"), files["/opt/convoscope/cloudwatch.json"]
    )
    collected = json.loads(content)["logs"]["logs_collected"]["files"]["collect_list"]
    assert [part["file_path"] for part in collected] == [
        f"/var/log/convoscope/{name}.log" for name in PROCESSES
    ]
    assert [part["log_stream_name"] for part in collected] == [
        f"{{instance_id}}/{name}" for name in PROCESSES
    ]
    # The group exists already, with its retention: instances may write into it and no more.
    group = added["web"]["ProcessLogs"]["Properties"]["LogGroupName"]
    names = {part["log_group_name"] for part in collected}
    assert len(names) == 1
    assert json.loads(names.pop().replace("'", '"')) == group
    rules = files["/etc/rsyslog.d/00-convoscope.conf"]
    assert re.findall(r'"(\w+)"', rules.split("$programname ==")[1].split("then")[0]) == PROCESSES


def test_logs_do_not_fill_a_disk(files):
    rules = files["/etc/logrotate.d/convoscope"]
    assert "/var/log/convoscope/*.log {" in rules
    assert re.search(r"maxsize \d+M", rules)
    assert re.search(r"rotate \d", rules)
