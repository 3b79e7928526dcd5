"""Continuous integration and deployment: the workflow file, and the script that brings a release to AWS.

The script runs against a program named ``aws`` that answers as Elastic Beanstalk would; it has never met AWS itself.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.deploy.cloudformation import ROOT, load

FILE = ROOT / ".github" / "workflows" / "ci.yml"
RELEASE = ROOT / "deploy" / "release.sh"


@pytest.fixture(scope="module")
def workflow() -> dict[str, Any]:
    found: dict[Any, Any] = yaml.safe_load(FILE.read_text())
    # YAML 1.1 takes the key `on` for a truth.
    return {"on" if key is True else key: value for key, value in found.items()}


def steps(job: dict[str, Any]) -> list[str]:
    return [step.get("run") or step["uses"].partition("@")[0] for step in job["steps"]]


# --- the workflow ------------------------------------------------------------------------------------------


def check(path: Path) -> subprocess.CompletedProcess[str]:
    program = [
        sys.executable,
        "-m",
        "check_jsonschema",
        "--builtin-schema",
        "vendor.github-workflows",
        str(path),
    ]
    return subprocess.run(program, capture_output=True, text=True, check=False)


def test_github_would_take_the_file(tmp_path):
    assert check(FILE).returncode == 0
    broken = tmp_path / "ci.yml"
    broken.write_text(FILE.read_text().replace("runs-on:", "run-on:"))
    assert check(broken).returncode != 0


def test_every_change_is_checked_and_tested_as_a_developer_does(workflow):
    assert workflow["on"]["push"] == {"branches": ["**"], "tags": ["v*"]}
    assert "pull_request" in workflow["on"]
    for name in ("lint", "test"):
        job = workflow["jobs"][name]
        assert f"make {name}" in steps(job)
        assert "if" not in job
        # Debian as root, where .ci/programs installs what is missing.
        assert job["container"].startswith("python:3.11-")
        assert job["container"].endswith("bookworm")


def test_a_tag_is_deployed_after_lint_and_tests_and_nothing_else_is(workflow):
    bundle, deploy = (workflow["jobs"][name] for name in ("bundle", "deploy"))
    assert set(bundle["needs"]) == {"lint", "test"}
    assert deploy["needs"] == "bundle"
    for job in (bundle, deploy):
        assert "github.ref_type == 'tag'" in job["if"]
    assert 'make bundle ARGS="--label $GITHUB_REF_NAME"' in steps(bundle)
    assert any(step.startswith("deploy/release.sh ") for step in steps(deploy))


def test_the_tags_that_start_a_deployment_are_those_that_the_role_lets_in(workflow):
    trust = load()["Resources"]["DeployRole"]["Properties"]["AssumeRolePolicyDocument"]["Statement"][0]
    (pattern,) = trust["Condition"]["StringLike"].values()
    (tags,) = workflow["on"]["push"]["tags"]
    assert pattern["Fn::Sub"].endswith(f":ref:refs/tags/{tags}")
    # With an environment GitHub would vouch for that instead of the tag, and the role would not know it.
    assert "environment" not in workflow["jobs"]["deploy"]


def test_a_job_may_no_more_than_it_needs(workflow):
    assert workflow["permissions"] == {"contents": "read"}
    for name, job in workflow["jobs"].items():
        wanted = {"contents": "read", "id-token": "write"} if name == "deploy" else None
        assert job.get("permissions") == wanted, name
        for step in job["steps"]:
            if str(step.get("uses", "")).startswith("actions/checkout"):
                assert step["with"]["persist-credentials"] is False


def test_no_key_is_stored(workflow):
    text = FILE.read_text()
    assert "secrets." not in text
    assert not re.search(r"aws-(access-key-id|secret-access-key)|AWS_(ACCESS_KEY_ID|SECRET)", text)
    (credentials,) = (s for s in workflow["jobs"]["deploy"]["steps"] if "aws-actions" in str(s.get("uses")))
    assert credentials["with"]["role-to-assume"] == "${{ vars.AWS_DEPLOY_ROLE }}"
    longest = load()["Resources"]["DeployRole"]["Properties"]["MaxSessionDuration"]
    assert credentials["with"]["role-duration-seconds"] <= longest


def test_actions_are_pinned_by_commit(workflow):
    for line in FILE.read_text().splitlines():
        if "uses:" in line:
            assert re.search(r"uses: [\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$", line), line


def test_no_step_runs_what_somebody_outside_wrote(workflow):
    """Names of branches and titles reach a step only as variables."""
    for job in workflow["jobs"].values():
        for step in job["steps"]:
            assert "${{" not in step.get("run", "")


# --- the script --------------------------------------------------------------------------------------------

AWS = """#!{python} -IS
import json, os, sys

with open(os.environ["STATE"]) as file:
    state = json.load(file)
command, options = sys.argv[1:3], sys.argv[3:]
told = {{options[i]: options[i + 1] for i in range(len(options) - 1) if options[i].startswith("--")}}
state["calls"].append(command[1] + " " + (told.get("--environment-name") or ""))
if command == ["s3", "cp"]:
    state["uploaded"] = options[-1]
elif command[1] == "describe-application-versions":
    print(state["versions"].get(told["--version-labels"], "None"))
elif command[1] == "create-application-version":
    state["versions"][told["--version-label"]] = state["registers_as"]
elif command[1] == "update-environment":
    environment = state["environments"][told["--environment-name"]]
    environment["now"] = environment.pop("then")
elif command[1] == "describe-environments":
    found = state["environments"].get(told["--environment-names"])
    print("None" if found is None else "\\t".join(found["now"].pop(0) if len(found["now"]) > 1 else found["now"][0]))
elif command[1] == "describe-environment-resources":
    print(state["machines"])
else:
    sys.exit(f"unexpected: {{sys.argv}}")
with open(os.environ["STATE"], "w") as file:
    json.dump(state, file)
"""
OLD, NEW = "v1.0.0", "v1.1.0"
CALM = ["Ready", OLD, "Green"]
GOOD = [
    ["Updating", OLD, "Green"],
    ["Updating", OLD, "Grey"],
    ["Ready", NEW, "Yellow"],
    ["Ready", NEW, "Green"],
]
ROLLED_BACK = [["Updating", OLD, "Green"], ["Ready", OLD, "Green"]]
ILL = [["Updating", OLD, "Green"], ["Ready", NEW, "Red"]]


@dataclass
class Release:
    status: int
    said: str
    state: dict[str, Any]

    @property
    def updated(self) -> list[str]:
        return [call.split()[1] for call in self.state["calls"] if call.startswith("update-environment")]


@pytest.fixture
def release(tmp_path: Path) -> Any:
    aws = tmp_path / "bin" / "aws"
    aws.parent.mkdir()
    aws.write_text(AWS.format(python=sys.executable))
    aws.chmod(0o755)
    bundle = tmp_path / "convoscope.zip"
    bundle.write_bytes(b"a bundle")

    def run(*arguments: str, web: Any = None, worker: Any = None, **more: Any) -> Release:
        file = tmp_path / "state.json"
        environments = {
            "convoscope-web": {"now": [CALM], "then": web or GOOD},
            "convoscope-worker": {"now": [CALM], "then": worker or GOOD},
        }
        state = {"calls": [], "versions": {OLD: "PROCESSED"}, "registers_as": "PROCESSED", "machines": "1"}
        file.write_text(json.dumps({**state, "environments": environments, **more}))
        told = {
            "PATH": f"{aws.parent}:{os.environ['PATH']}",
            "STATE": str(file),
            "POLL_SECONDS": "0",
            "UPDATE_ROUNDS": "3",
            "HEALTH_ROUNDS": "2",
        }
        wanted = [argument.replace("BUNDLE", str(bundle)) for argument in arguments]
        result = subprocess.run(
            [str(RELEASE), *wanted],
            cwd=tmp_path,
            env=told,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        return Release(result.returncode, result.stderr, json.loads(file.read_text()))

    return run


def test_a_release_goes_to_web_and_then_to_workers(release):
    done = release("convoscope", NEW, "BUNDLE", "bundles")
    assert done.status == 0, done.said
    assert done.state["uploaded"] == f"s3://bundles/releases/{NEW}.zip"
    assert done.updated == ["convoscope-web", "convoscope-worker"]
    assert f"convoscope-worker has {NEW} and is well." in done.said


@pytest.mark.parametrize(
    ("web", "says"),
    [
        (ROLLED_BACK, f"did not take {NEW}"),
        (ILL, "is not well"),
        ([["Updating", OLD, "Grey"]], "is still at it"),
    ],
)
def test_when_the_first_environment_fails_the_second_stays_as_it_is(release, web, says):
    done = release("convoscope", NEW, "BUNDLE", "bundles", web=web)
    assert done.status == 1
    assert says in done.said
    assert done.updated == ["convoscope-web"]


def test_a_release_before_is_brought_back_without_a_bundle(release):
    back = [["Updating", OLD, "Green"], ["Ready", OLD, "Green"]]
    done = release("convoscope", OLD, web=back, worker=back)
    assert done.status == 0, done.said
    assert "uploaded" not in done.state
    assert done.updated == ["convoscope-web", "convoscope-worker"]


def test_workers_that_are_busy_are_no_reason_to_stop(release):
    busy = [["Updating", OLD, "Green"], ["Ready", NEW, "Yellow"]]
    done = release("convoscope", NEW, "BUNDLE", "bundles", worker=busy)
    assert done.status == 0, done.said
    assert f"convoscope-worker has {NEW} and a warning" in done.said


def test_a_fleet_at_zero_takes_a_release_without_a_machine(release):
    asleep = [["Updating", OLD, "Grey"], ["Ready", NEW, "Grey"]]
    done = release("convoscope", NEW, "BUNDLE", "bundles", worker=asleep, machines="0")
    assert done.status == 0, done.said
    assert "no machine at the moment" in done.said
    assert release("convoscope", NEW, "BUNDLE", "bundles", worker=asleep).status == 1


@pytest.mark.parametrize(
    ("arguments", "more", "says"),
    [
        (("convoscope", "v9"), {}, "v9 is not registered"),
        (("convoscope", NEW, "nowhere.zip", "bundles"), {}, "There is no nowhere.zip"),
        (("convoscope", NEW, "BUNDLE"), {}, "Usage: deploy/release.sh"),
        (("convoscope", NEW, "BUNDLE", "another.zip", "bundles"), {}, "one bundle, not several"),
        (("convoscope",), {}, "Usage: deploy/release.sh"),
        (("convoscope", NEW, "BUNDLE", "bundles"), {"registers_as": "FAILED"}, "refused the bundle"),
        (
            ("convoscope", NEW, "BUNDLE", "bundles"),
            {"registers_as": "PROCESSING"},
            "still looking at the bundle",
        ),
        (("elsewhere", NEW, "BUNDLE", "bundles"), {}, "There is no environment elsewhere-web"),
    ],
)
def test_what_cannot_work_is_said_in_a_sentence_and_changes_nothing(release, arguments, more, says):
    done = release(*arguments, **more)
    assert done.status != 0
    assert says in done.said
    assert done.updated == []


def test_an_environment_that_is_busy_is_left_alone(release):
    busy = {"convoscope-web": {"now": [["Updating", OLD, "Green"]], "then": GOOD}}
    done = release("convoscope", NEW, "BUNDLE", "bundles", environments=busy)
    assert done.status == 1
    assert "is busy" in done.said
    assert done.updated == []


def test_the_first_release_is_registered_before_there_are_environments(release):
    done = release("--register", "convoscope", NEW, "BUNDLE", "bundles", environments={})
    assert done.status == 0, done.said
    assert done.state["versions"][NEW] == "PROCESSED"
    assert done.updated == []


def test_a_version_is_never_replaced(release):
    back = [["Ready", OLD, "Green"]]
    done = release("convoscope", OLD, "BUNDLE", "bundles", web=back, worker=back)
    assert done.status == 0
    assert "stays as it is" in done.said
    assert "uploaded" not in done.state


def test_the_scripts_are_shellcheck_clean():
    program = [str(Path(sys.executable).with_name("shellcheck")), str(RELEASE)]
    assert subprocess.run(program, capture_output=True, text=True, check=False).stdout == ""
