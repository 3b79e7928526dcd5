"""Answers as IAM does whether a policy lets a request through: an explicit refusal first, then what is allowed.

moto's own evaluation (``moto.iam.access_control``) knows no conditions and takes resources by pattern only, so that the
tests here would pass with half of each policy missing. An element or operator that is not known here is an error.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from tests.deploy.cloudformation import ACCOUNT, REGION, ROOT, Stack

POLICIES = ROOT / "deploy" / "policies"
ELEMENTS = {"Sid", "Effect", "Principal", "Action", "NotAction", "Resource", "NotResource", "Condition"}


@dataclass(frozen=True)
class Request:
    """One call: ``s3:GetObject`` on an ARN, with what conditions can ask for."""

    action: str
    resource: str = "*"
    context: Mapping[str, str | list[str]] = field(default_factory=dict)
    principal: str = ""


def policy(name: str, stack: Stack | None = None) -> dict[str, Any]:
    """A file of deploy/policies with the names of an account in place."""
    document = json.loads((POLICIES / f"{name}.json").read_text())
    stack = stack or Stack()
    found: dict[str, Any] = _filled(document, stack)
    return found


def scaling_group(environment: str) -> tuple[str, dict[str, str | list[str]]]:
    """An Auto Scaling group that Beanstalk made for an environment, and how its tag is told to IAM."""
    name = "awseb-e-abc-stack-AWSEBAutoScalingGroup-X"
    arn = f"arn:aws:autoscaling:{REGION}:{ACCOUNT}:autoScalingGroup:1f0a:autoScalingGroupName/{name}"
    return arn, {"autoscaling:ResourceTag/elasticbeanstalk:environment-name": environment}


def _filled(value: Any, stack: Stack) -> Any:
    if isinstance(value, dict):
        return {key: _filled(item, stack) for key, item in value.items()}
    if isinstance(value, list):
        return [_filled(item, stack) for item in value]
    return stack.resolve({"Fn::Sub": value}) if "${" in value else value


def allows(documents: Mapping[str, Any] | Iterable[Mapping[str, Any]], request: Request) -> bool:
    documents = [documents] if isinstance(documents, Mapping) else list(documents)
    effects = {
        statement["Effect"]
        for document in documents
        for statement in _list(document["Statement"])
        if _matches(statement, request)
    }
    return "Allow" in effects and "Deny" not in effects


def denies(document: Mapping[str, Any], request: Request) -> bool:
    """Whether it refuses explicitly, whatever else allows."""
    found = (s for s in _list(document["Statement"]) if s["Effect"] == "Deny")
    return any(_matches(statement, request) for statement in found)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _matches(statement: Mapping[str, Any], request: Request) -> bool:
    unknown = set(statement) - ELEMENTS
    if unknown:
        raise NotImplementedError(f"Not evaluated here: {', '.join(sorted(unknown))}")
    return (
        _principal(statement, request)
        and _one_of(statement, "Action", request.action.lower(), lower=True, context=request.context)
        and _one_of(statement, "Resource", request.resource, lower=False, context=request.context)
        and all(
            _condition(operator, key, _list(values), request.context)
            for operator, keys in statement.get("Condition", {}).items()
            for key, values in keys.items()
        )
    )


def _principal(statement: Mapping[str, Any], request: Request) -> bool:
    wanted = statement.get("Principal")
    if wanted is None or wanted == "*":
        return True
    return any(request.principal in _list(names) for names in wanted.values())


def _one_of(
    statement: Mapping[str, Any], element: str, value: str, *, lower: bool, context: Mapping[str, Any]
) -> bool:
    if f"Not{element}" in statement:
        patterns, found = _list(statement[f"Not{element}"]), False
    else:
        patterns, found = _list(statement[element]), True
    texts = (_variables(p, context) for p in patterns)
    return any(_like(p.lower() if lower else p, value) for p in texts) is found


def _variables(pattern: str, context: Mapping[str, Any]) -> str:
    """Policy variables are what the request says; one that it does not say matches nothing."""
    return re.sub(r"\$\{([^}]+)\}", lambda found: str(context.get(found[1], "\0")), pattern)


@lru_cache(maxsize=4096)
def _pattern(pattern: str) -> re.Pattern[str]:
    parts = (".*" if mark == "*" else "." if mark == "?" else re.escape(mark) for mark in pattern)
    return re.compile("".join(parts), re.DOTALL)


def _like(pattern: str, value: str) -> bool:
    return _pattern(pattern).fullmatch(value) is not None


OPERATORS = {
    "StringEquals": lambda wanted, value: wanted == value,
    "StringEqualsIgnoreCase": lambda wanted, value: wanted.lower() == value.lower(),
    "StringLike": _like,
    "ArnEquals": _like,
    "ArnLike": _like,
    "Bool": lambda wanted, value: wanted.lower() == value.lower(),
}


def _condition(operator: str, key: str, wanted: list[str], context: Mapping[str, Any]) -> bool:
    quantifier, _, operator = operator.rpartition(":")
    if_exists = operator.endswith("IfExists")
    operator = operator.removesuffix("IfExists")
    folded = {name.lower(): value for name, value in context.items()}
    there = key.lower() in folded
    if operator == "Null":
        return any((str(value).lower() == "true") is not there for value in wanted)
    negated = "Not" in operator
    compare = OPERATORS.get(operator.replace("Not", ""))
    if compare is None or quantifier not in ("", "ForAnyValue", "ForAllValues"):
        raise NotImplementedError(f"The condition {operator} is not evaluated here.")
    if not there:
        return if_exists or (quantifier == "ForAllValues") or (negated and not quantifier)
    values = _list(folded[key.lower()])
    if not quantifier and len(values) > 1:
        raise ValueError(f"{key} has several values and no ForAnyValue or ForAllValues.")
    fits = [any(compare(str(one), str(value)) for one in wanted) is not negated for value in values]
    return all(fits) if quantifier == "ForAllValues" else any(fits)
