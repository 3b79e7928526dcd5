"""The evaluator of IAM policies that the other tests rely on, held against what IAM documents."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.deploy.iam import Request, allows


def only(**statement: Any) -> dict[str, Any]:
    return {
        "Statement": [{"Effect": "Allow", "Action": "s3:Get*", "Resource": "arn:aws:s3:::b/*", **statement}]
    }


GET = Request("s3:GetObject", "arn:aws:s3:::b/k", {"a": "x", "many": ["x", "y"]})
CONDITIONS: list[tuple[dict[str, Any], bool]] = [
    ({"StringEquals": {"a": "x"}}, True),
    ({"StringEquals": {"A": ["z", "x"]}}, True),
    ({"StringEquals": {"a": "X"}}, False),
    ({"StringEquals": {"b": "x"}}, False),
    ({"StringEqualsIfExists": {"b": "x"}}, True),
    ({"StringEqualsIfExists": {"a": "y"}}, False),
    ({"StringNotEquals": {"a": "x"}}, False),
    ({"StringNotEquals": {"b": "x"}}, True),
    ({"StringLike": {"a": "?"}}, True),
    ({"StringLike": {"a": "x?"}}, False),
    ({"Null": {"b": "true"}}, True),
    ({"Null": {"a": "true"}}, False),
    ({"Bool": {"a": "X"}}, True),
    ({"ForAnyValue:StringEquals": {"many": "y"}}, True),
    ({"ForAllValues:StringEquals": {"many": "y"}}, False),
    ({"ForAllValues:StringEquals": {"b": "y"}}, True),
    ({"StringEquals": {"a": "x", "b": "x"}}, False),
    ({"StringEquals": {"a": "x"}, "StringLike": {"a": "y*"}}, False),
]


@pytest.mark.parametrize(("condition", "fits"), CONDITIONS)
def test_conditions_are_evaluated_as_iam_documents_them(condition, fits):
    assert allows(only(Condition=condition), GET) is fits


def test_actions_and_resources_are_matched_as_iam_documents_it():
    assert allows(only(), GET)
    assert allows(only(Action="S3:getobject"), GET)
    assert not allows(only(Resource="arn:aws:s3:::B/*"), GET)
    assert not allows(only(Resource="arn:aws:s3:::b"), GET)
    assert allows(
        only(Resource="arn:aws:s3:::b/${a}*", Condition={}),
        Request("s3:GetObject", "arn:aws:s3:::b/xy", {"a": "x"}),
    )
    assert not allows(only(Resource="arn:aws:s3:::b/${who}*"), GET)
    beside = {"Statement": [{"Effect": "Allow", "NotAction": "s3:Put*", "NotResource": "arn:aws:s3:::c/*"}]}
    assert allows(beside, GET)
    assert not allows(beside, Request("s3:PutObject", "arn:aws:s3:::b/k"))
    assert not allows(beside, Request("s3:GetObject", "arn:aws:s3:::c/k"))


def test_a_refusal_wins_over_whatever_allows():
    refusing = {"Statement": {"Effect": "Deny", "Action": "s3:*", "Resource": "*"}}
    assert not allows([only(), refusing], GET)
    assert not allows([refusing, only()], GET)
    assert not allows([], GET)


def test_what_the_evaluator_does_not_know_is_an_error():
    unknown: list[Callable[[], bool]] = [
        lambda: allows(only(Condition={"NumericLessThan": {"a": "3"}}), GET),
        lambda: allows(only(Condition={"ForSomeValues:StringEquals": {"a": "x"}}), GET),
        lambda: allows(only(NotPrincipal="*"), GET),
    ]
    for ask in unknown:
        with pytest.raises(NotImplementedError):
            ask()
    with pytest.raises(ValueError, match="several values"):
        allows(only(Condition={"StringEquals": {"many": "x"}}), GET)
