"""The two environments as the bundle's option files and their own options make them, for tests."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from deploy import beanstalk_options as beanstalk

ROOT = beanstalk.ROOT
ROLES = ("web", "worker")
# Documented at customize-containers-format-resources-eb.html; AWSEBEnvironmentName stands for a name.
STUBS = {
    "AWSEBEnvironmentName": ("Parameters", {"Type": "String", "Default": "exam-web"}),
    "AWSEBSubnets": ("Parameters", {"Type": "List<AWS::EC2::Subnet::Id>"}),
    "AWSEBVpc": ("Parameters", {"Type": "AWS::EC2::VPC::Id"}),
    "AWSEBAutoScalingGroup": (
        "Resources",
        {
            "Type": "AWS::AutoScaling::AutoScalingGroup",
            "Properties": {
                "MinSize": "1",
                "MaxSize": "15",
                "AvailabilityZones": {"Fn::GetAZs": ""},
                "LaunchTemplate": {
                    "LaunchTemplateId": {"Ref": "AWSEBEC2LaunchTemplate"},
                    "Version": {"Fn::GetAtt": ["AWSEBEC2LaunchTemplate", "LatestVersionNumber"]},
                },
            },
        },
    ),
    "AWSEBEC2LaunchTemplate": (
        "Resources",
        {
            "Type": "AWS::EC2::LaunchTemplate",
            "Properties": {"LaunchTemplateData": {"InstanceType": "m7i.large"}},
        },
    ),
    "AWSEBV2LoadBalancer": (
        "Resources",
        {
            "Type": "AWS::ElasticLoadBalancingV2::LoadBalancer",
            "Properties": {"Subnets": {"Ref": "AWSEBSubnets"}},
        },
    ),
    "AWSEBV2LoadBalancerTargetGroup": (
        "Resources",
        {
            "Type": "AWS::ElasticLoadBalancingV2::TargetGroup",
            "Properties": {"Port": 80, "Protocol": "HTTP", "VpcId": {"Ref": "AWSEBVpc"}},
        },
    ),
    "AWSEBV2LoadBalancerListener": (
        "Resources",
        {
            "Type": "AWS::ElasticLoadBalancingV2::Listener",
            "Properties": {
                "LoadBalancerArn": {"Ref": "AWSEBV2LoadBalancer"},
                "Port": 80,
                "Protocol": "HTTP",
                "DefaultActions": [
                    {"Type": "forward", "TargetGroupArn": {"Ref": "AWSEBV2LoadBalancerTargetGroup"}}
                ],
            },
        },
    ),
}


def options(role: str) -> dict[tuple[str, str], str | None]:
    """What is in force in an environment: its own options win over the bundle's."""
    return beanstalk.values(beanstalk.of_bundle(), beanstalk.of_role(role))


def resources(role: str) -> dict[str, Any]:
    """What the bundle adds to Beanstalk's own template, with that environment's options put in."""
    found: dict[str, Any] = {}
    for path in beanstalk.option_files():
        found.update(beanstalk.read_yaml(path).get("Resources", {}))
    chosen: dict[str, Any] = put_in(found, options(role))
    return chosen


def put_in(node: Any, chosen: dict[tuple[str, str], str | None]) -> Any:
    if isinstance(node, list):
        return [put_in(one, chosen) for one in node]
    if not isinstance(node, dict):
        return node
    if set(node) == {"Fn::GetOptionSetting"}:
        asked = node["Fn::GetOptionSetting"]
        found = chosen.get((asked["Namespace"], asked["OptionName"]))
        return asked["DefaultValue"] if found is None else found
    return {key: put_in(value, chosen) for key, value in node.items()}


def template(added: dict[str, Any]) -> dict[str, Any]:
    """A template as Beanstalk makes it of its own resources and those that are added or changed."""
    whole: dict[str, Any] = {"AWSTemplateFormatVersion": "2010-09-09", "Parameters": {}, "Resources": {}}
    for name, (section, stub) in STUBS.items():
        whole[section][name] = copy.deepcopy(stub)
    for name, resource in added.items():
        there = whole["Resources"].setdefault(name, {})
        properties = {**there.get("Properties", {}), **resource.get("Properties", {})}
        there.update(resource, Properties=properties)
    return whole


def lint(added: dict[str, dict[str, Any]], folder: Path) -> dict[str, list[str]]:
    """What cfn-lint says about each of several sets of resources, by name; one run, which takes seconds."""
    for name, resources_of_one in added.items():
        (folder / f"{name}.json").write_text(json.dumps(template(resources_of_one), indent=1))
    program = str(Path(sys.executable).parent / "cfn-lint")
    # W2001: the stubs' parameters, of which a part is not used.
    command = [program, "--format", "json", "--regions", "eu-west-1", "--ignore-checks", "W2001", "--"]
    paths = [str(folder / f"{name}.json") for name in added]
    result = subprocess.run([*command, *paths], capture_output=True, text=True, check=False)
    said: dict[str, list[str]] = {name: [] for name in added}
    for match in json.loads(result.stdout):
        said[Path(match["Filename"]).stem].append(f"{match['Rule']['Id']} {match['Message']}")
    return said
