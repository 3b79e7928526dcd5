"""The simulation: its engine against theory, its policy by hand, what was chosen, and what was written down."""

from __future__ import annotations

import dataclasses
import json
import re
import shutil
from xml.etree import ElementTree as ET

import numpy as np
import pytest
import simpy

from deploy.simulation import __main__ as command
from deploy.simulation import arrivals, drawing, measured, report, runs, search, web
from deploy.simulation.arrivals import Arrival, Scenario
from deploy.simulation.fleet import Fleet, Group, Worker
from deploy.simulation.measured import Network, Service
from deploy.simulation.rows import Figure
from deploy.simulation.runs import TIMES_IDEAL, over_seeds, quantiles, reaches, summary
from deploy.simulation.scaling import Night, OneEach, TargetTracking, Timetable, WakeUp, ideal
from deploy.simulation.site import Policies, Site, simulate
from predictions import jobs
from tests.deploy import environments

ROOT = measured.RESULTS.parents[1]


@pytest.fixture(scope="module")
def service() -> Service:
    return measured.service()


@pytest.fixture(scope="module")
def chosen() -> dict:
    return json.loads(command.CHOSEN.read_text())


@pytest.fixture(scope="module")
def policies(chosen) -> Policies:
    return search.policies(chosen)


def made_up(figures: dict[str, float] | None = None, *, cores: int = 1, row: float = 0.01) -> Service:
    """An instance with one network and no delays of its own."""
    return Service("none", cores, {"vgg": Network(0.0, row)}, figures or {}, 0, 0, 0, 0, 0, 0)


# --- the engine ------------------------------------------------------------------------------------------------


def mean_wait(seconds: np.ndarray, every: float, cores: int = 1) -> float:
    """Mean seconds until one instance begins with a figure, where they come at random, ``every`` so many seconds."""
    fleet = Fleet(simpy.Environment(), made_up(cores=cores))
    env, waits = fleet.env, []
    fleet.drawn = lambda figure: waits.append(env.now - figure.asked - figure.seconds)
    Worker(fleet, 0.0)
    draw = np.random.default_rng(1)

    def come():
        for one in seconds:
            yield env.timeout(draw.exponential(every))
            fleet.rows.add_figure(Figure(env.now, "", float(one), 0, 1))

    env.process(come())
    env.run()
    assert len(waits) == len(seconds)
    return float(np.mean(waits))


def test_equal_jobs_wait_as_theory_says():
    """M/D/1, by Pollaczek and Khinchine: half of what jobs of random length wait."""
    load = 0.7
    expected = load / (2 * (1 - load))
    assert mean_wait(np.ones(30_000), 1 / load) == pytest.approx(expected, rel=0.06)


def test_jobs_of_random_length_wait_as_theory_says():
    """M/M/1, and M/M/2 by Erlang's C on an instance of two cores."""
    load = 0.7
    seconds = np.random.default_rng(2).exponential(1.0, 40_000)
    assert mean_wait(seconds, 1 / load) == pytest.approx(load / (1 - load), rel=0.1)
    erlang = 2 * load**2 / (1 + load)
    assert mean_wait(seconds, 0.5 / load, cores=2) == pytest.approx(erlang / (2 * (1 - load)), rel=0.1)


def test_a_figure_has_the_rest_of_a_core_while_predictions_are_computed():
    """One that needs a second waits for no claim; beside predictions without end it gets a nice process's share."""
    fleet = Fleet(simpy.Environment(), made_up())
    ended: list[float] = []
    fleet.drawn = lambda figure: ended.append(fleet.env.now)
    Worker(fleet, 0.0)
    fleet.rows.add_post(0.0, 0.0, 100_000)
    fleet.rows.add_figure(Figure(0.0, "", 1.0, 0, 1))
    fleet.env.run(until=60.0)
    assert ended == [pytest.approx((1024 + 110) / 110, rel=0.01)]


def test_students_go_before_programs_and_a_claim_holds_one_network():
    fleet = Fleet(simpy.Environment(), measured.service())
    rows = fleet.rows
    rows.add_post(0.0, 0.0, 200)
    for number in range(20):
        rows.add_picture(1.0 + number, 1.0 + number)
    taken = []
    while found := rows.claim():
        assert 0 < found.rows <= measured.CLAIM
        assert not (found.pictures and found.parts)
        taken.append(found)
    kinds = ["student" if one.pictures else "program" for one in taken]
    assert kinds == ["student"] * 4 + ["program"] * 14
    assert sum(one.rows for one in taken) == 2 * (20 * 2 + 200)


def test_what_is_handed_back_is_taken_again_first():
    rows = Fleet(simpy.Environment(), measured.service()).rows
    rows.add_post(0.0, 0.0, 40)
    first, backlog = rows.claim(), rows.backlog()
    assert first is not None
    rows.hand_back(first)
    assert (rows.waiting, rows.running) == (80, 0)
    again = rows.claim()
    assert again is not None
    assert (again.network, again.rows, rows.backlog()) == (first.network, first.rows, pytest.approx(backlog))


# --- the policy, by hand ---------------------------------------------------------------------------------------

TRACKING = TargetTracking(target=60, warmup=90)


@pytest.mark.parametrize(
    ("values", "desired", "warm", "wanted"),
    [
        ([61, 61, 61], 1, 1, 2),
        ([600, 600], 1, 1, 1),
        ([600, 600, 60], 1, 1, 1),
        ([100, 200, 330], 1, 1, 6),
        ([100, 200, 330], 6, 1, 6),
        ([100, 200, 330], 6, 6, 15),
        ([100, 100, 90], 4, 4, 6),
        ([0] * 14, 5, 5, 5),
        ([0] * 15, 5, 5, 4),
        ([55] + [0] * 14, 5, 5, 5),
        ([53] * 15, 5, 5, 5),
        ([40] * 15, 5, 5, 4),
        ([0] * 15, 5, 4, 5),
        ([0] * 15, 1, 1, 1),
        ([900, 900, 900], 0, 0, 1),
    ],
)
def test_target_tracking_reckons_as_amazon_says(values, desired, warm, wanted):
    assert TRACKING.decide(values, desired, warm) == wanted


def test_nothing_grows_from_zero_but_by_the_second_policy():
    asleep = dataclasses.replace(TRACKING, minimum=0)
    assert asleep.decide([900, 900, 900], 0, 0) == 0
    assert WakeUp().decide([0, 1], 0) == 1
    assert WakeUp().decide([1, 0], 0) == 0
    assert WakeUp().decide([7], 3) == 3


def test_the_predecessor_starts_an_instance_a_message_and_ends_all_when_none_is_left():
    rule = OneEach()
    assert [rule.decide(waiting, 0, 0) for waiting in (0, 1, 9, 15, 400)] == [0, 1, 9, 15, 15]
    assert rule.decide(2, 1, 12) == 12
    assert rule.decide(0, 0, 12) == 0


def test_the_ideal_is_one_or_the_work_of_the_minute_over_four_fifths():
    assert ideal([0, 48, 48.1, 96, 1000]) == [1, 1, 2, 2, 21]
    assert ideal([0, 97], least=2) == [2, 3]


def test_hours_of_nights_and_lectures():
    night = Night(23, 6)
    assert [night.holds(hour * 3600) for hour in (22.9, 23, 24 + 5.9, 6)] == [False, True, True, False]
    table = Timetable((8.25,), 8)
    monday, saturday = 8.25 * 3600, 8.25 * 3600 + 5 * 86400
    assert [table.holds(at) for at in (monday - 301, monday - 299, monday + 599, monday + 601, saturday)] == [
        False,
        True,
        True,
        False,
        False,
    ]


def test_a_peak_is_answered_by_the_third_minute_and_an_instance_costs_from_its_launch():
    """One row of 3,000 s waits: 50 instances are wanted at the fourth minute, 15 come, and work after their boot."""
    slow = made_up(row=30.0)
    peak = Scenario("peak", 1200.0, lambda _draw: [Arrival(0.0, "bulk", pictures=132)])
    site = Site(peak, slow, Policies(TRACKING, None, boot=100.0), 3)
    seen = site.run()
    phase = min(one.launched for one in site.workers.running + site.workers.gone if one.launched)
    assert 180 <= phase < 240
    assert max(seen.workers) == 15
    counted = sum(
        (1200 if one.ended is None else min(one.ended, 1200)) - one.launched
        for one in site.workers.running + site.workers.gone
    )
    assert seen.worker_minutes == pytest.approx(counted / 60)
    # One instance took a claim of 960 s, the fifteen the rest.
    assert seen.predictions == 132
    assert max(wait for wait, _count in seen.bulk) >= phase + 100


def test_who_ends_within_a_minute_is_paid_for_a_minute():
    env = simpy.Environment()
    fleet = Fleet(env, made_up())
    group = Group(env, lambda boot: Worker(fleet, boot), 10.0, np.random.default_rng(0))
    group.want(2)
    env.run(until=5.0)
    group.want(0)
    env.run(until=600.0)
    assert group.minutes(600.0) == 2.0


# --- nothing is lost -------------------------------------------------------------------------------------------


class Restless(TargetTracking):
    """Wants another number every minute, so that instances are taken away in the middle of everything."""

    def decide(self, values, desired, warm):
        return 1 + (len(values) * 7 + desired * 5) % 9


@pytest.mark.parametrize("worker", [Restless(60, 90), OneEach()], ids=["restless", "predecessor"])
def test_everything_is_answered_once_though_instances_are_taken_away(service, worker):
    crowd = Scenario(
        "crowd",
        1800.0,
        lambda draw: sorted(
            [*arrivals.lecture(draw), Arrival(20.0, "bulk", pictures=2000)], key=lambda one: one.at
        ),
    )
    site = Site(crowd, service.slower(2), Policies(worker, TargetTracking(9000, 90, 2, 4), boot=60.0), 5)
    seen = site.run()
    assert seen.handed_back > 0
    assert len(seen.pictures) == 300
    assert len(seen.figures) == 1500
    assert sum(count for _wait, count in seen.bulk) == 2000 * 2
    rows = site.fleet.rows
    assert (rows.waiting, rows.running, rows.backlog()) == (0, 0, pytest.approx(0, abs=1e-6))
    assert min(seen.pictures) > 0


def test_the_same_seed_gives_the_same_and_the_same_arrivals_whatever_the_policy(service, policies):
    one, two = (simulate(arrivals.LECTURE, service, policies, 4) for _ in range(2))
    assert summary(one) == summary(two)
    assert summary(simulate(arrivals.LECTURE, service, policies, 5)) != summary(one)
    other = simulate(arrivals.LECTURE, service, Policies(OneEach(), policies.web), 4)
    assert other.work.tolist() == one.work.tolist()


def test_ten_million_pictures_come_on_a_day():
    hour = arrivals.ten_million(np.random.default_rng(0), hours=24.0)
    pictures = sum(one.pictures for one in hour if one.kind == "bulk")
    assert pictures == pytest.approx(arrivals.TEN_MILLION, rel=0.02)
    assert [one.at for one in hour] == sorted(one.at for one in hour)


# --- where its numbers come from -------------------------------------------------------------------------------


def test_service_times_are_those_of_the_benchmarks(tmp_path, service):
    for path in measured.RESULTS.glob("*.json"):
        shutil.copy(path, tmp_path)
    for name in ("laboratory", "engines", "workshop", "history", "worker"):
        path = tmp_path / f"{name}.json"
        text = re.sub(
            r'("(?:\w+_s|\w*ms_\w+|\w+_ms|worker|web|decoders)": )([\d.]+)',
            lambda found: f"{found[1]}{3 * float(found[2])}",
            path.read_text(),
        )
        path.write_text(text)
    thrice = measured.service(tmp_path)
    assert _numbers(thrice) == pytest.approx(_numbers(service.slower(3)))
    # Each of what the issue names is there, and in the order of what it costs.
    assert 0 < service.networks["vgg"].row < service.networks["wideresnet"].row < service.picture
    assert service.picture < service.figures["X-ray"] < service.figures["occlusion"]


def _numbers(service: Service) -> list[float]:
    values = dataclasses.asdict(service)
    networks = [number for one in values.pop("networks").values() for number in one.values()]
    figures = list(values.pop("figures").values())
    return networks + figures + [value for value in values.values() if isinstance(value, float)]


def test_what_was_not_measured_is_said_in_a_sentence(tmp_path):
    with pytest.raises(ValueError, match="Run `make bench` first"):
        measured.rows("workshop", tmp_path)
    with pytest.raises(ValueError, match="has no row with"):
        measured.one("engines", network="none")


def test_it_is_the_site_that_is_simulated():
    assert measured.CLAIM == jobs.CLAIM
    script = (ROOT / "static/js/laboratory/jobs.js").read_text()
    slowest = re.search(r"const SLOWEST = (\d+)", script)
    assert slowest
    assert float(slowest[1]) / 1000 == web.SLOWEST_POLL
    procfile = (ROOT / "Procfile").read_text()
    (lab,) = [line for line in procfile.splitlines() if line.startswith("lab:")]
    (worker,) = [line for line in procfile.splitlines() if line.startswith("worker:")]
    assert "nice -n 10 " in lab
    assert f"--concurrency {measured.service().cores} " in lab
    assert "--concurrency 1 " in worker
    assert "nice" not in worker


# --- what was chosen -------------------------------------------------------------------------------------------


def test_the_option_files_hold_what_was_chosen(chosen):
    for role, target in (("web", "RequestsTarget"), ("worker", "BacklogTarget")):
        options = environments.options(role)
        wanted = chosen[role]
        size = [options["aws:autoscaling:asg", name] for name in ("MinSize", "MaxSize")]
        assert size == [str(wanted["minimum"]), str(wanted["maximum"])]
        number = wanted.get("target_backlog_seconds") or wanted["requests_per_target_per_minute"]
        assert float(options["aws:elasticbeanstalk:customoption", target] or 0) == number
    resources = environments.resources("worker")
    for name, role in (("BacklogPolicy", "worker"), ("RequestsPolicy", "web")):
        assert int(resources[name]["Properties"]["EstimatedInstanceWarmup"]) == chosen[role]["warmup_seconds"]


@pytest.fixture(scope="module")
def lecture(service, policies):
    return over_seeds(arrivals.LECTURE, service, policies, range(3))


def test_a_lecture_reaches_its_goal_with_what_was_chosen(service, policies, lecture):
    assert lecture["pictures"]["within"]["low"] >= 0.95
    # And on instances four times as slow, by more than one seed.
    slow = over_seeds(arrivals.LECTURE, service.slower(4), policies, range(2))
    assert slow["pictures"]["within"]["low"] >= 0.95


def test_a_short_exam_week_reaches_its_goal_with_what_was_chosen(service, policies, lecture):
    """Friday to Sunday: a working day with its four lectures and the days on which nothing may stay behind."""
    short = Scenario("Friday to Sunday", 3 * arrivals.DAY, _friday_to_sunday)
    alone = dataclasses.replace(policies, web=None)
    week = over_seeds(short, service, alone, [1])
    assert reaches(lecture, week) == (True, True)
    # Four lectures were answered by more than the one instance that is always there.
    assert week["most_workers"]["high"] > 5
    broken = dataclasses.replace(alone, worker=TargetTracking(20, 90))
    assert over_seeds(short, service, broken, [1])["times_ideal"]["low"] > week["times_ideal"]["high"]


def _friday_to_sunday(draw: np.random.Generator) -> list[Arrival]:
    begin = 4 * arrivals.DAY
    found = [one for one in arrivals.exam_week(draw) if one.at >= begin]
    return [dataclasses.replace(one, at=one.at - begin) for one in found]


@pytest.mark.parametrize(
    ("worker", "reaches_pictures", "slower_figures"),
    [
        (OneEach(), False, False),
        (TargetTracking(105, 180, minimum=0), False, True),
        (TargetTracking(1e9, 180), True, True),
    ],
    ids=["predecessor", "from zero", "never grows"],
)
def test_another_policy_is_seen_to_be_worse(
    service, policies, lecture, worker, reaches_pictures, slower_figures
):
    """So that a policy that was broken by mistake would be seen as well."""
    night = Night(0, 24) if worker.minimum == 0 and isinstance(worker, TargetTracking) else None
    found = over_seeds(
        arrivals.LECTURE, service, dataclasses.replace(policies, worker=worker, night=night), range(2)
    )
    assert (found["pictures"]["within"]["low"] >= 0.95) is reaches_pictures
    assert (found["figures"]["p95"]["mean"] > lecture["figures"]["p95"]["mean"]) is slower_figures


def test_who_comes_while_no_worker_is_there_waits_for_the_boot(service, policies):
    quiet = Scenario(
        "night", 3600.0, lambda _draw: [Arrival(600.0, "picture", first=True)], begins=2 * 3600.0
    )
    seen = simulate(quiet, service, dataclasses.replace(policies, night=Night()), 0)
    (wait,) = seen.without_worker
    assert seen.first_of_morning == []
    assert policies.boot < wait < policies.boot + 2 * 60 + 5
    assert seen.worker_minutes < 60


def test_the_search_says_when_nothing_reaches_what_is_to_be_reached(service, monkeypatch):
    monkeypatch.setattr(search, "TARGETS", (300.0,))
    monkeypatch.setattr(search, "WARMUPS", (108.0,))
    monkeypatch.setattr(search, "MINIMA", (1,))
    monkeypatch.setattr(search, "WEEK_SEEDS", (0,))
    said: list[str] = []
    hopeless = dataclasses.replace(arrivals.BURST_OF_10_000, seconds=1200.0)
    found, effort = search.choose_workers(service, said.append, hopeless)
    assert (found.target, found.warmup, effort) == (300.0, 180.0, {"tried": 1, "weeks": 1})
    monkeypatch.setattr(runs, "TIMES_IDEAL", 0.5)
    with pytest.raises(search.NothingFoundError, match=r"nearest is \d.* with target 300 s"):
        search.choose_workers(service, said.append, hopeless)
    monkeypatch.setattr(search, "MINIMA", (9,))
    with pytest.raises(search.NothingFoundError, match="allow fewer"):
        search.choose_workers(service, said.append, hopeless)


def test_a_warm_up_is_never_shorter_than_a_boot():
    assert search.warmups(71.53) == [75.0, 90.0, 120.0, 180.0, 240.0, 300.0]
    assert all(warmup >= boot for boot in (1.0, 45.0, 180.0, 300.0) for warmup in search.warmups(boot))


def test_a_boot_that_cannot_be_is_refused_in_a_sentence(capsys):
    with pytest.raises(SystemExit):
        command.main(["--boot", "0"])
    assert "an instance boots for more than 0 and at most 900 seconds" in capsys.readouterr().err


# --- what is written down --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def recorded() -> dict:
    return json.loads(command.RESULTS.read_text())


def test_the_page_shows_what_was_recorded():
    assert command.README.read_text() == command.readme(), "run python -m deploy.simulation --tables"


def test_what_was_recorded_is_of_the_parameters_that_were_chosen(recorded, chosen):
    assert recorded["chosen"] == {key: value for key, value in chosen.items() if key != "reached"}
    assert recorded["reached"] == chosen["reached"]
    assert chosen["reached"]["pictures_within"] >= 0.95
    assert chosen["reached"]["times_ideal"] <= TIMES_IDEAL


def test_every_scenario_is_recorded_with_both_rules_and_all_service_times(recorded):
    found = {(row["scenario"], row["factor"], row["rule"]) for row in recorded["rows"]}
    rules = (command.OURS, command.RIVAL)
    assert found == {
        (one.name, factor, rule) for one in arrivals.SCENARIOS for factor in (1, 2, 4) for rule in rules
    }
    keys = [row["key"] for row in recorded["others"]]
    assert {"night", "timetable", "boot", "patient", "at once", "delay", "readers"} <= set(keys)
    assert all(row["seeds"] >= 1 for row in recorded["rows"])


def test_tables_are_written_without_simulating(tmp_path, monkeypatch, recorded, capsys):
    page = tmp_path / "README.md"
    page.write_text("# Head\n<!-- simulation:begin -->\nold\n<!-- simulation:end -->\nfoot\n")
    monkeypatch.setattr(command, "README", page)
    monkeypatch.setattr(command, "record", lambda *_: pytest.fail("simulated again"))
    assert command.main(["--tables"]) == 0
    text = page.read_text()
    assert (
        text
        == f"# Head\n<!-- simulation:begin -->\n{report.content(recorded)}\n<!-- simulation:end -->\nfoot\n"
    )
    assert report.content(recorded) in capsys.readouterr().out


@pytest.mark.parametrize("name", ["waiting", "instances"])
def test_drawings_are_small_and_can_be_read_in_the_light_and_in_the_dark(name):
    path = drawing.FIGURES / f"{name}.svg"
    assert path.stat().st_size < 100_000
    root = ET.fromstring(path.read_text())
    assert root.tag.endswith("svg")
    texts = ["".join(node.itertext()) for node in root.iter() if node.tag.endswith("}text")]
    assert "target tracking" in texts
    assert "one instance a message" in texts
    assert "prefers-color-scheme:dark" in path.read_text()
    assert f"figures/{name}.svg" in command.README.read_text()


def test_a_drawing_is_the_same_each_time(service, policies):
    ours = simulate(arrivals.LECTURE, service, policies, 0)
    assert drawing.waiting(ours, ours) == drawing.waiting(ours, ours)
    assert drawing.steps([1, 1, 2, 2, 1]) == ([0, 2, 4], [1, 2, 1])


def test_quantiles_count_pictures_and_not_claims():
    found = quantiles([1.0, 10.0, 100.0], [90, 6, 4])
    assert found == {"count": 100, "p50": 1.0, "p95": 10.0, "p99": 100.0, "most": 100.0}
    assert quantiles([]) is None
