"""What the tests of width and depth and of its lesson share: the page with made-up times, whatever was measured."""

from __future__ import annotations

import json
import re

from django.core.serializers.json import DjangoJSONEncoder
from playwright.sync_api import Page, Route

from learn.figures.cost import NETWORKS, Measured, Network, Time
from learn.laboratory.cost import data_of

DATA = re.compile(r'(<script id="cost-data" type="application/json">).*?(</script>)', re.S)


def made_up(network: Network) -> dict[int, Time]:
    """Each layer waits, and less so with 32 pictures at once; the rest goes with the work."""
    alone = 0.05 * network.in_a_row + network.multiply_adds / 2e8
    together = 0.005 * network.in_a_row + network.multiply_adds / 2.2e8
    return {batch: Time(ms, 0.9 * ms, 1.1 * ms) for batch, ms in ((1, alone), (32, together))}


TIMES = {network: made_up(network) for network in NETWORKS}


def give_times(page: Page, *, without: tuple[Network, ...] = (), none: bool = False) -> None:
    """From here on the figure of this page has made-up times of all networks but some, or none at all."""
    times = {network: own for network, own in TIMES.items() if network not in without}
    found = None if none else Measured("an abacus", "OpenVINO 1.2", 2, times)
    text = json.dumps(data_of(found), cls=DjangoJSONEncoder)

    def answer(route: Route) -> None:
        response = route.fetch()
        body, count = DATA.subn(lambda tags: tags[1] + text + tags[2], response.text())
        assert count == 1
        route.fulfill(response=response, body=body)

    page.route(re.compile(r"/learn/laboratory/cost/"), answer)
