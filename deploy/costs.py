"""What the site costs a month on AWS, reckoned from ``costs.json``: ``python -m deploy.costs [--write]``.

Prints the tables of deploy/README.md, or puts them there. Each price names where it was read and when, or where to
check what was written down from memory; taxes, support plans and discounts are left out.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
README = HERE / "README.md"
BEGIN, END = "<!-- costs:begin -->", "<!-- costs:end -->"


@cache
def known() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((HERE / "costs.json").read_text())
    return found


def dollars(part: dict[str, Any]) -> float:
    """A month of one part: ``hourly`` of something all the time, or an ``amount`` of its unit."""
    price = float(known()["prices"][part["price"]]["dollars"])
    amount = part["hourly"] * known()["hours"] if "hourly" in part else part["amount"]
    return price * float(amount)


def lines(setup: str) -> list[tuple[str, float]]:
    """(what, dollars a month) of a set-up."""
    found = known()["setups"][setup]["lines"]
    return [(line["name"], sum(map(dollars, line["parts"]))) for line in found]


def total(setup: str) -> float:
    return sum(amount for _name, amount in lines(setup))


def rekognition(pictures: int) -> float:
    """DetectLabels for so many pictures in one month, each price for what lies in its tier."""
    cost, counted = 0.0, 0
    for tier in known()["rekognition"]["tiers"]:
        upper = pictures if tier["up_to"] is None else min(pictures, tier["up_to"])
        cost += max(0, upper - counted) * tier["dollars"]
        counted = max(counted, upper)
    return cost


def price(name: str) -> float:
    return float(known()["prices"][name]["dollars"])


def instances(pictures: int, days: float) -> int:
    """How many workers, always on, would do it, with the same reserve as the fleet has."""
    facts = known()["pictures"]
    busy: float = pictures * facts["worker_seconds"] / (days * 86_400)
    return max(1, math.ceil(busy / float(facts["used"])))


def alone(pictures: int) -> float:
    """Workers' time for these pictures and nothing else, both networks."""
    facts = known()["pictures"]
    return float(pictures * facts["worker_seconds"] / facts["used"] / 3600 * price("worker"))


def real_time(pictures: int, days: float) -> float:
    return instances(pictures, days) * days * 24 * price("endpoint-hour")


def serverless(pictures: int) -> float:
    return float(pictures * known()["pictures"]["serverless_seconds"] * price("serverless"))


def money(amount: float) -> str:
    if amount < 0.01:
        return "under $0.01"
    if amount < 1:
        return f"${amount:.2f}"
    return f"${amount:,.0f}"


# --- the tables --------------------------------------------------------------------------------------------


def row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def months() -> Iterator[str]:
    setups = known()["setups"]
    yield row("a month", *(setup["title"] for setup in setups.values()))
    yield row("---", *("--:" for _setup in setups))
    reckoned = [lines(name) for name in setups]
    for together in zip(*reckoned, strict=True):
        yield row(together[0][0], *(money(amount) for _name, amount in together))
    yield row("**Together**", *(f"**{money(total(name))}**" for name in setups))
    yield ""
    for name, setup in setups.items():
        told = ", ".join(f"`{key}={value}`" for key, value in setup["parameters"].items())
        yield f"- **{setup['title']}** ({name}): {setup['about']}. {told}."


def comparison() -> Iterator[str]:
    yield row(
        "both networks, and their pictures",
        "pictures",
        "this site's workers, for these alone",
        "this site's workers, as they run",
        "Rekognition DetectLabels",
        "SageMaker, always on",
        "SageMaker, serverless",
    )
    yield row("---", "--:", "--:", "--:", "--:", "--:", "--:")
    for case in known()["pictures"]["rows"]:
        count, days = case["pictures"], case["days"]
        running = dict(lines(case["workers"]))["Worker instances"] if case["workers"] else None
        yield row(
            case["name"],
            f"{count:,}",
            money(alone(count)),
            money(running) if running is not None else "the same",
            money(rekognition(count)),
            money(real_time(count, days)),
            money(serverless(count)),
        )


def prices() -> Iterator[str]:
    yield row("price", "dollars", "for", "where")
    yield row("---", "--:", "---", "---")
    for one in known()["prices"].values():
        where = "[a catalogue of EC2 prices][catalogue]"
        if "check" in one:
            where = f"from memory, [check]({one['check']})"
        if "note" in one:
            where += f"; {one['note']}"
        yield row(one["what"], f"{one['dollars']:.5f}".rstrip("0"), one["unit"], where)
    for number, tier in enumerate(known()["rekognition"]["tiers"]):
        upper = "above" if tier["up_to"] is None else f"up to {tier['up_to']:,}"
        where = f"from memory, [check]({known()['rekognition']['check']})" if number == 0 else "the same"
        yield row(f"Rekognition DetectLabels, {upper} a month", str(tier["dollars"]), "picture", where)


def tables() -> str:
    """What stands between the two marks of the README."""
    facts = known()["pictures"]
    catalogue = known()["catalogue"]
    endpoints = 9 * 2 * price("endpoint") * known()["hours"]
    instead = (
        f"One NAT gateway is {money(price('nat') * known()['hours'])} of it; interface endpoints for the nine "
        f"services in two zones would be {money(endpoints)}."
    )
    elsewhere = (
        f"The same pictures elsewhere, with {facts['worker_seconds'] * 1000:.1f} ms of a worker for a picture and "
        f"both networks, and {facts['used']:.0%} of a worker used:"
    )
    origin = (
        f"The prices are those of {known()['region']} on demand. Those of the catalogue were read on "
        f"{catalogue['read']} in a stored copy of it; those from memory are to be checked where the link leads."
    )
    link = f"[catalogue]: {catalogue['address']}"
    parts = [*months(), "", instead, "", elsewhere, "", *comparison(), "", origin, "", *prices(), "", link]
    return "\n".join(parts) + "\n"


def put_in(text: str) -> str:
    """A README with the tables of now. Raises ValueError where it has no place for them."""
    before, begin, rest = text.partition(BEGIN)
    _old, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"The README has no {BEGIN} followed by {END}.")
    return f"{before}{BEGIN}\n{tables()}{END}{after}"


def main(arguments: list[str]) -> int:
    if arguments == ["--write"]:
        try:
            README.write_text(put_in(README.read_text()))
        except (OSError, ValueError) as error:
            sys.stderr.write(f"{error}\n")
            return 1
    elif arguments:
        sys.stderr.write("Usage: python -m deploy.costs [--write]\n")
        return 2
    else:
        sys.stdout.write(tables())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
