"""The tables of costs in deploy/README.md: reckoned anew, and about the set-ups that the template makes."""

from __future__ import annotations

import pytest

from deploy import costs
from deploy.simulation.measured import service
from tests.deploy.cloudformation import Stack


def test_the_readme_has_the_tables_that_the_prices_give():
    text = costs.README.read_text()
    assert text == costs.put_in(text), "run: python -m deploy.costs --write"


def test_a_readme_without_a_place_for_the_tables_is_said_so():
    with pytest.raises(ValueError, match="costs:begin"):
        costs.put_in("# Deploying\n")


def test_every_price_is_used_and_says_where_it_is_from():
    prices = costs.known()["prices"]
    used = {
        part["price"]
        for setup in costs.known()["setups"].values()
        for line in setup["lines"]
        for part in line["parts"]
    }
    assert set(prices) == used | {"endpoint", "endpoint-hour", "serverless"}
    for name, price in prices.items():
        assert price["dollars"] > 0, name
        if "check" in price:
            assert price["check"].startswith("https://aws.amazon.com/"), name
        else:
            # Only prices of EC2 are in the catalogue.
            assert price["what"].startswith("EC2 "), name


@pytest.mark.parametrize("name", ["smallest", "thousand"])
def test_a_set_up_is_one_that_the_template_makes(name):
    setup = costs.known()["setups"][name]
    stack = Stack(**setup["parameters"])
    for environment, kind in (("WebEnvironment", "Web"), ("WorkerEnvironment", "Worker")):
        wanted = setup["parameters"].get(f"{kind}InstanceType", stack.parameters[f"{kind}InstanceType"])
        assert stack.option(environment, "aws:ec2:instances", "InstanceTypes") == wanted
        (line,) = (line for line in setup["lines"] if line["name"] == f"{kind} instances")
        assert any(wanted in costs.known()["prices"][part["price"]]["what"] for part in line["parts"])
        hours = sum(costs.dollars(part) / costs.price(part["price"]) for part in line["parts"])
        assert hours >= int(stack.parameters[f"{kind}Minimum"]) * costs.known()["hours"]
    (database,) = (line for line in setup["lines"] if line["name"] == "Database")
    told = " ".join(costs.known()["prices"][part["price"]]["what"] for part in database["parts"])
    assert stack.parameters["DatabaseClass"] in told
    assert ("Multi-AZ" in told) is (stack.parameters["DatabaseMultiAZ"] == "true")
    gateways = len(stack.resources("AWS::EC2::NatGateway"))
    (nat,) = (line for line in setup["lines"] if line["name"].startswith("NAT gateway"))
    assert {"price": "nat", "hourly": gateways} in nat["parts"]
    # Elastic addresses, and one of the public load balancer in each zone.
    assert {"price": "address", "hourly": gateways + 2} in nat["parts"]


def test_a_worker_is_reckoned_slower_than_the_one_that_was_measured():
    """Two vCPUs of an m7i.large are one core, and two cores were measured."""
    assert costs.known()["pictures"]["worker_seconds"] >= 2 * service().predictions


def test_rekognitions_price_falls_by_tiers():
    assert costs.rekognition(0) == 0
    assert costs.rekognition(1_000_000) == pytest.approx(1000)
    assert costs.rekognition(5_000_000) == pytest.approx(1000 + 3200)
    assert costs.rekognition(10_000_000) == pytest.approx(1000 + 3200 + 3000)
    assert costs.rekognition(40_000_000) == pytest.approx(1000 + 3200 + 18000 + 1250)


def test_an_endpoint_that_is_always_on_costs_as_many_instances_as_the_pictures_need():
    day = costs.price("endpoint-hour") * 24
    assert costs.real_time(1, 1) == pytest.approx(day)
    assert costs.real_time(10_000_000, 1) == pytest.approx(costs.instances(10_000_000, 1) * day)
    assert costs.instances(10_000_000, 1) == 3


@pytest.mark.parametrize(("amount", "text"), [(0.001, "under $0.01"), (0.256, "$0.26"), (1234.4, "$1,234")])
def test_money_is_rounded_as_it_matters(amount, text):
    assert costs.money(amount) == text


def test_the_command_prints_the_tables_and_refuses_what_it_does_not_know(capsys):
    assert costs.main([]) == 0
    assert capsys.readouterr().out == costs.tables()
    assert costs.main(["--save"]) == 2
    assert "Usage" in capsys.readouterr().err
