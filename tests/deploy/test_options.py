"""Option settings: each exists and fits its bounds, and those of the two environments fit each other and the site."""

from __future__ import annotations

import json
from datetime import date

import pytest
from django.conf import settings
from django.core.checks import run_checks
from django.test import RequestFactory

from classifier_site import bodies, network, worker_health
from deploy import beanstalk_options as beanstalk
from deploy.simulation import arrivals
from deploy.simulation.__main__ import IN_TIME
from deploy.simulation.scaling import Timetable
from tests.deploy import environments

ENVIRONMENT = "aws:elasticbeanstalk:application:environment"
SECRETS = "aws:elasticbeanstalk:application:environmentsecrets"
PROCESS = "aws:elasticbeanstalk:environment:process:default"
ASG = "aws:autoscaling:asg"
COMMAND = "aws:elasticbeanstalk:command"
LAUNCH = "aws:autoscaling:launchconfiguration"
SECRET = ("SECRET_KEY", "DATABASE_URL", "CELERY_BROKER_URL", "CACHE_URL", "REDIS_URL")
CHOSEN = json.loads((beanstalk.ROOT / "deploy" / "simulation" / "chosen.json").read_text())


def value(role: str, namespace: str, name: str) -> str:
    found = environments.options(role)[namespace, name]
    assert found is not None
    return found


# --- the table -----------------------------------------------------------------------------------------------


def test_each_namespace_names_its_page_and_the_day_on_which_it_was_read():
    table = beanstalk.table()
    for name, space in table["namespaces"].items():
        source = table["sources"][space["source"]]
        assert source["address"].startswith("https://docs.aws.amazon.com/elasticbeanstalk/"), name
        assert date.fromisoformat(source["read"]) >= date(2026, 11, 21), name


def test_every_option_that_is_set_exists_and_fits():
    found = list(beanstalk.every_setting())
    assert {setting.where.split()[0] for setting in found} >= {
        ".ebextensions/10_environment.config",
        ".ebextensions/30_scaling.config",
        "deploy/options/web.json",
        "deploy/options/worker.json",
        "deploy/options/night.json",
        "deploy/options/lectures.json",
    }
    assert beanstalk.problems(found) == []
    assert beanstalk.main() == 0


@pytest.mark.parametrize(
    ("namespace", "name", "set_to", "says"),
    [
        ("aws:elasticbeanstalk:comand", "Timeout", "900", "no namespace aws:elasticbeanstalk:comand"),
        ("aws:elbv2:listener:https", "Protocol", "HTTPS", "no namespace"),
        (
            "aws:elbv2:listener:443",
            "Certificate",
            "x",
            "no such option; it has DefaultProcess, ListenerEnabled",
        ),
        (PROCESS, "DeregistrationDelays", "300", "no such option"),
        (PROCESS, "DeregistrationDelay", "3601", "a whole number between 0 and 3600"),
        (PROCESS, "DeregistrationDelay", "long", "a whole number"),
        (PROCESS, "HealthCheckPath", "healthz", "a text that fits /.*"),
        (PROCESS, "MatcherHTTPCode", "200,600", "a list whose values fit"),
        (PROCESS, "StickinessEnabled", "yes", "true or false"),
        ("aws:elasticbeanstalk:environment:process:other", "Port", "0", "between 1 and 65535"),
        (COMMAND, "DeploymentPolicy", "RollingWithExtraBatch", "one of AllAtOnce, Rolling"),
        (ASG, "MinSize", "0", "between 1 and 10000"),
        (LAUNCH, "RootVolumeType", "gp4", "one of standard, gp2, gp3, io1"),
        (LAUNCH, "RootVolumeEncrypted", "true", "no such option"),
        ("aws:ec2:instances", "InstanceTypes", "large", "a list whose values fit"),
        ("aws:ec2:vpc", "ELBScheme", "private", "one of public, internal"),
        ("aws:elbv2:loadbalancer", "IdleTimeout", "4000", "between 1 and 3600"),
        ("aws:elasticbeanstalk:cloudwatch:logs", "RetentionInDays", "31", "one of 1, 3, 5, 7, 14, 30"),
        ("aws:elasticbeanstalk:healthreporting:system", "ConfigDocument", "{", "JSON"),
        ("aws:elasticbeanstalk:managedactions", "PreferredStartTime", "Sunday:03:00", "a text that fits"),
        (
            "aws:autoscaling:updatepolicy:rollingupdate",
            "Timeout",
            "PT2H",
            "a duration in seconds between 300",
        ),
        ("aws:autoscaling:updatepolicy:rollingupdate", "Timeout", "30 minutes", "such as PT30M"),
        ("aws:autoscaling:trigger", "UpperThreshold", "-1", "a number between 0 and 20000000"),
        ("aws:autoscaling:scheduledaction", "StartTime", "tonight", "a time such as"),
        (
            "aws:elasticbeanstalk:environment:proxy:staticfiles",
            "static",
            "staticfiles",
            "the name does not fit",
        ),
        (ENVIRONMENT, "ALLOWED-HOSTS", "x", "the name does not fit"),
        (SECRETS, "SECRET_KEY", "swordfish", "a text that fits arn:"),
    ],
)
def test_a_slip_is_refused_in_a_sentence_that_names_file_and_option(namespace, name, set_to, says, tmp_path):
    file = tmp_path / "slip.config"
    file.write_text(json.dumps({"option_settings": {namespace: {name: set_to}}}))
    (found,) = beanstalk.problems(beanstalk.of_config(file))
    assert found.startswith(f"{file}: {namespace} {name}")
    assert says in found


def test_a_file_of_the_other_form_and_a_template_are_read_too(tmp_path):
    listed = tmp_path / "listed.config"
    listed.write_text(f"option_settings:\n  - {{namespace: '{ASG}', option_name: MaxSize, value: many}}\n")
    assert "MaxSize is 'many'" in beanstalk.problems(beanstalk.of_config(listed))[0]
    template = tmp_path / "template.yaml"
    template.write_text(
        "Parameters: {Most: {Type: Number, Default: 20000}}\n"
        "Resources:\n  Web:\n    Type: AWS::ElasticBeanstalk::Environment\n    Properties:\n      OptionSettings:\n"
        f"        - {{Namespace: '{ASG}', OptionName: MaxSize, Value: !Ref Most}}\n"
        "        - !If\n          - Always\n"
        f"          - {{Namespace: '{ASG}', OptionName: Maximum, Value: !GetAtt Some.Thing}}\n"
        "          - !Ref AWS::NoValue\n"
    )
    first, second = beanstalk.problems(beanstalk.of_template(template)["Web"])
    assert first.startswith(f"{template} Web: {ASG} MaxSize is '20000'")
    assert second.startswith(f"{template} Web: {ASG} Maximum")


@pytest.mark.parametrize(
    "content", [f"option_settings:\n  {ASG}: {{MinSize: 1}}\n  {ASG}: {{MaxSize: 2}}\n", "- a\n", "a: [\n"]
)
def test_a_file_that_cannot_be_meant_is_refused_by_name(content, tmp_path):
    file = tmp_path / "slip.config"
    file.write_text(content)
    with pytest.raises(beanstalk.FileError, match=r"slip\.config"):
        list(beanstalk.of_config(file))


# --- what is set ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("namespace", "name", "wanted"),
    [
        (COMMAND, "DeploymentPolicy", "RollingWithAdditionalBatch"),
        (COMMAND, "IgnoreHealthCheck", "false"),
        (PROCESS, "HealthCheckPath", "/healthz"),
        (PROCESS, "StickinessEnabled", "false"),
        ("aws:elasticbeanstalk:healthreporting:system", "SystemType", "enhanced"),
        (LAUNCH, "DisableIMDSv1", "true"),
        (ASG, "Availability Zones", "Any 2"),
        ("aws:elasticbeanstalk:environment", "LoadBalancerType", "application"),
        ("aws:elasticbeanstalk:cloudwatch:logs", "StreamLogs", "true"),
        ("aws:elasticbeanstalk:cloudwatch:logs:health", "HealthStreamingEnabled", "true"),
        ("aws:elasticbeanstalk:managedactions", "ManagedActionsEnabled", "true"),
        (ENVIRONMENT, "ENVIRONMENT", "production"),
    ],
)
@pytest.mark.parametrize("role", environments.ROLES)
def test_a_default_of_beanstalk_that_would_hurt_is_changed_in_both_environments(
    role, namespace, name, wanted
):
    assert value(role, namespace, name) == wanted


@pytest.mark.parametrize("role", environments.ROLES)
def test_beanstalks_own_trigger_never_fires(role):
    trigger = "aws:autoscaling:trigger"
    assert value(role, trigger, "MeasureName") == "CPUUtilization"
    assert value(role, trigger, "Unit") == "Percent"
    # It fires below the one and above the other.
    assert (value(role, trigger, "LowerThreshold"), value(role, trigger, "UpperThreshold")) == ("0", "100")


@pytest.mark.parametrize("role", environments.ROLES)
def test_sizes_are_those_that_the_simulation_chose(role):
    sizes = [int(value(role, ASG, name)) for name in ("MinSize", "MaxSize")]
    assert sizes == [CHOSEN[role]["minimum"], CHOSEN[role]["maximum"]]


def test_nothing_secret_is_in_a_file():
    for setting in beanstalk.every_setting():
        assert setting.namespace != ENVIRONMENT or setting.name not in SECRET, str(setting)
        # An address with its password.
        assert not (setting.value and "://" in setting.value and "@" in setting.value), str(setting)


@pytest.mark.parametrize("role", environments.ROLES)
def test_the_template_makes_each_environment_with_the_options_of_its_role(role):
    """Where it leaves one out, what the bundle has for both is right for this role."""
    bundle = beanstalk.of_bundle()
    (made,) = [
        beanstalk.values(bundle, found)
        for found in beanstalk.of_template().values()
        if (ENVIRONMENT, "ROLE") in beanstalk.values(found)
        and beanstalk.values(found)[ENVIRONMENT, "ROLE"] == role
    ]
    for (namespace, name), wanted in beanstalk.values(bundle, beanstalk.of_role(role)).items():
        assert made[namespace, name] in (wanted, None), f"{role}: {namespace} {name}"


def test_the_night_begins_with_none_ends_with_the_usual_number_and_wakes_for_a_single_row():
    night = beanstalk.of_list(beanstalk.ROOT / "deploy" / "options" / "night.json")
    found = {(one.resource, one.name): one.value for one in night}
    worker = CHOSEN["worker"]
    assert found["Night", "MinSize"] == "0"
    assert found["Morning", "MinSize"] == str(worker["minimum"])
    assert found["Night", "MaxSize"] == found["Morning", "MaxSize"] == str(worker["maximum"])
    assert found["", "WakeAtRows"] == "1"


def test_each_lecture_has_the_simulations_workers_from_before_it_begins_until_it_is_under_way():
    """As deploy/simulation/__main__.py tried them: the option file and its run are the same hours and numbers."""
    lectures = beanstalk.of_list(beanstalk.ROOT / "deploy" / "options" / "lectures.json")
    found = {(one.resource, one.name): one.value for one in lectures}
    names = {one.resource for one in lectures}
    tried = Timetable(arrivals.LECTURES, IN_TIME)
    begins = sorted(name for name in names if name.endswith("Begins"))
    assert len(begins) * 2 == len(names) == len(arrivals.LECTURES) * 2
    for name, hour in zip(begins, arrivals.LECTURES, strict=True):
        over = name.replace("Begins", "Over")
        for action, seconds, minimum in (
            (name, -tried.before, tried.minimum),
            (over, tried.after, CHOSEN["worker"]["minimum"]),
        ):
            at = round(hour * 60 + seconds / 60)
            assert found[action, "Recurrence"] == f"{at % 60} {at // 60} * * 1-5"
            assert found[action, "MinSize"] == str(minimum)
            assert found[action, "MaxSize"] == str(CHOSEN["worker"]["maximum"])


# --- that they fit each other and the site -------------------------------------------------------------------


def test_both_applications_know_the_path_of_the_health_check(client):
    path = value("web", PROCESS, "HealthCheckPath")
    assert client.get(path).status_code == 200
    answered = []
    worker_health.application(
        {"REQUEST_METHOD": "GET", "PATH_INFO": path}, lambda status, _: answered.append(status)
    )
    assert answered[0][:3] in ("200", "503")


@pytest.mark.parametrize("role", environments.ROLES)
def test_a_health_check_ends_before_the_next_one_begins(role):
    timeout, interval = (int(value(role, PROCESS, f"HealthCheck{name}")) for name in ("Timeout", "Interval"))
    assert timeout < interval


def test_a_silent_client_reads_the_sites_answer_and_not_the_load_balancers():
    assert int(value("web", "aws:elbv2:loadbalancer", "IdleTimeout")) > bodies.IDLE_SECONDS


def test_a_request_under_way_may_end_before_its_machine_goes():
    words = (beanstalk.ROOT / "Procfile").read_text().split()
    graceful = int(words[words.index("--graceful-timeout") + 1])
    delay = int(value("web", PROCESS, "DeregistrationDelay"))
    assert delay > graceful
    # The largest body, at 7 Mbit/s.
    assert delay * 7e6 / 8 > max(settings.BODY_LIMITS.values())


def test_the_caller_is_who_the_load_balancer_saw_whatever_the_caller_says(settings):
    """Each of the two adds an address: the balancer the caller's, nginx the balancer's."""
    settings.TRUSTED_PROXY_COUNT = int(value("web", ENVIRONMENT, "TRUSTED_PROXY_COUNT"))
    said = "198.51.100.1, 203.0.113.7, 10.0.0.5"
    request = RequestFactory().get("/", headers={"X-Forwarded-For": said}, REMOTE_ADDR="127.0.0.1")
    assert network.client_ip(request) == "203.0.113.7"


def test_a_machine_with_a_role_that_keeps_everything_for_itself_is_warned_of(settings):
    settings.PRODUCTION, settings.ROLE = False, "worker"
    assert [found.id for found in run_checks(tags=["convoscope"]) if found.id == "convoscope.W003"]
    settings.ROLE = ""
    assert not [found.id for found in run_checks(tags=["convoscope"]) if found.id == "convoscope.W003"]
