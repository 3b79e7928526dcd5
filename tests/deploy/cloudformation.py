"""Reads the template as CloudFormation would: parameters, conditions and intrinsic functions become plain values."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from cfnlint.decode.cfn_yaml import loads

ROOT = Path(__file__).resolve().parents[2]
TEMPLATE = ROOT / "deploy" / "infrastructure.yaml"
REGION = "eu-west-1"
ACCOUNT = "123456789012"
PSEUDO = {
    "AWS::Region": REGION,
    "AWS::AccountId": ACCOUNT,
    "AWS::Partition": "aws",
    "AWS::URLSuffix": "amazonaws.com",
    "AWS::StackName": "convoscope",
}
# What deploy/README.md has a newcomer fill in.
EXAMPLES = {
    "HostName": "convoscope.example.edu",
    "CertificateArn": f"arn:aws:acm:{REGION}:{ACCOUNT}:certificate/0123abcd-4567-89ef-0123-456789abcdef",
    "SolutionStackName": "64bit Amazon Linux 2023 v4.7.2 running Python 3.11",
    "VersionLabel": "v1.0.0",
    "OperatorName": "Institute of Computer Vision",
    "OperatorMail": "privacy@example.edu",
    "OperatorAddress": "1 University Square, 12345 Example",
    "SenderAddress": "convoscope@example.edu",
    "AlarmMail": "operations@example.edu",
    "Repository": "example/convoscope",
}
NOTHING = object()
VARIABLE = re.compile(r"\$\{([A-Za-z0-9:.]+)\}")


@cache
def load(path: Path = TEMPLATE) -> dict[str, Any]:
    """The template with its functions in their long form; read once and changed by nobody."""
    found: dict[str, Any] = loads(path.read_text())
    return found


class Stack:
    """A template with parameters. What only AWS would know stands there as ``<Resource>`` or ``<Resource.What>``."""

    def __init__(self, template: Mapping[str, Any] | None = None, **parameters: str) -> None:
        self.template = load() if template is None else template
        given = {**EXAMPLES, **parameters}
        self.parameters: dict[str, str] = {}
        for name, definition in self.template["Parameters"].items():
            value = given.get(name, definition.get("Default"))
            if value is None:
                raise KeyError(f"The parameter {name} has no default and no example.")
            _check(name, definition, str(value))
            self.parameters[name] = str(value)
        unknown = set(parameters) - set(self.parameters)
        if unknown:
            raise KeyError(f"The template has no parameter {', '.join(sorted(unknown))}.")

    def condition(self, name: str) -> bool:
        return bool(self.resolve(self.template["Conditions"][name]))

    def resources(self, kind: str = "") -> dict[str, dict[str, Any]]:
        """What the stack would have: logical name -> resource with resolved properties."""
        found = {}
        for name, resource in self.template["Resources"].items():
            there = "Condition" not in resource or self.condition(resource["Condition"])
            if there and (not kind or resource["Type"] == kind):
                properties = self.resolve(resource.get("Properties", {}))
                found[str(name)] = {**resource, "Properties": properties}
        return found

    def resource(self, name: str) -> dict[str, Any]:
        properties: dict[str, Any] = self.resources()[name]["Properties"]
        return properties

    def resolve(self, value: Any) -> Any:
        if isinstance(value, dict):
            if len(value) == 1:
                key, argument = next(iter(value.items()))
                if key in ("Ref", "Condition") or str(key).startswith("Fn::"):
                    return self._function(str(key), argument)
            items = {str(key): self.resolve(item) for key, item in value.items()}
            return {key: item for key, item in items.items() if item is not NOTHING}
        if isinstance(value, list):
            return [item for item in map(self.resolve, value) if item is not NOTHING]
        return value if isinstance(value, (bool, int, float)) else str(value)

    def _function(self, name: str, argument: Any) -> Any:
        if name == "Ref":
            return self._reference(str(argument))
        if name == "Condition":
            return self.condition(str(argument))
        if name == "Fn::Sub":
            return VARIABLE.sub(lambda found: str(self._reference(found[1])), str(argument))
        if name == "Fn::GetAtt":
            parts = argument if isinstance(argument, list) else str(argument).split(".", 1)
            return self._reference(".".join(map(str, parts)))
        if name == "Fn::If":
            return self.resolve(argument[1 if self.condition(str(argument[0])) else 2])
        if name == "Fn::Equals":
            left, right = map(self.resolve, argument)
            return str(left) == str(right)
        if name == "Fn::Not":
            return not self.resolve(argument[0])
        if name == "Fn::And":
            return all(map(self.resolve, argument))
        if name == "Fn::Split":
            return str(self.resolve(argument[1])).split(str(argument[0]))
        if name == "Fn::Select":
            return self.resolve(argument[1])[int(argument[0])]
        if name == "Fn::GetAZs":
            return [f"{REGION}a", f"{REGION}b", f"{REGION}c"]
        raise NotImplementedError(f"{name} is not resolved here.")

    def _reference(self, name: str) -> Any:
        if name == "AWS::NoValue":
            return NOTHING
        if name in PSEUDO:
            return PSEUDO[name]
        if name in self.parameters:
            return self.parameters[name]
        logical, _, attribute = name.partition(".")
        resource = self.template["Resources"][logical]
        if not attribute and "BucketName" in resource.get("Properties", {}):
            return self.resolve(resource["Properties"]["BucketName"])
        if not attribute and resource["Type"] == "AWS::SQS::Queue":
            return f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{self.resolve(resource['Properties']['QueueName'])}"
        if attribute == "Arn":
            return self._arn(logical, resource)
        return f"<{name}>"

    def _arn(self, logical: str, resource: Mapping[str, Any]) -> str:
        properties = resource.get("Properties", {})
        if resource["Type"] == "AWS::S3::Bucket":
            return f"arn:aws:s3:::{self.resolve(properties['BucketName'])}"
        if resource["Type"] == "AWS::SQS::Queue":
            return f"arn:aws:sqs:{REGION}:{ACCOUNT}:{self.resolve(properties['QueueName'])}"
        return f"<{logical}.Arn>"

    # --- Elastic Beanstalk ---------------------------------------------------------------------------------

    def options(self, environment: str) -> list[dict[str, str]]:
        settings: list[dict[str, str]] = self.resource(environment)["OptionSettings"]
        return settings

    def option(self, environment: str, namespace: str, name: str) -> str | None:
        found = [
            o["Value"]
            for o in self.options(environment)
            if (o["Namespace"], o["OptionName"]) == (namespace, name)
        ]
        return str(found[0]) if found else None

    def variables(self, environment: str) -> dict[str, str]:
        """The environment variables of an instance; secrets are what they would hold, the generated ones examples."""
        plain, secret = (
            f"aws:elasticbeanstalk:application:{kind}" for kind in ("environment", "environmentsecrets")
        )
        found = {
            o["OptionName"]: str(o["Value"]) for o in self.options(environment) if o["Namespace"] == plain
        }
        for o in self.options(environment):
            if o["Namespace"] == secret:
                found[o["OptionName"]] = self.secret(str(o["Value"]).strip("<>"))
        return found

    def secret(self, logical: str) -> str:
        """What Secrets Manager would give for a secret of the template."""
        properties = self.resource(logical)
        if "SecretString" not in properties:
            length = int(properties["GenerateSecretString"]["PasswordLength"])
            return ("Example0123456789" * 8)[:length]
        text = re.sub(
            r"\{\{resolve:secretsmanager:<(\w+)>:SecretString:\w+\}\}",
            "Example0123456789",
            properties["SecretString"],
        )
        return re.sub(r"<[\w.]+>", "host.internal.example", text)


def _check(name: str, definition: Mapping[str, Any], value: str) -> None:
    """Refuses what CloudFormation would refuse."""
    pattern = definition.get("AllowedPattern")
    fits = not pattern or re.fullmatch(pattern, value)
    fits = fits and ("AllowedValues" not in definition or value in map(str, definition["AllowedValues"]))
    if fits and definition["Type"] == "Number":
        number = float(value)
        fits = number >= definition.get("MinValue", number) and number <= definition.get("MaxValue", number)
    if not fits:
        raise ValueError(f"{name}: {definition.get('ConstraintDescription', 'not one of the values')}")


def walk(value: Any) -> Iterator[Any]:
    """Every mapping, list and leaf below a value."""
    yield value
    children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for child in children:
        yield from walk(child)
