"""How many instances are wanted: target tracking as Amazon documents it, and the rule of a predecessor.

Target tracking of EC2 Auto Scaling (read in November 2026; where the guide leaves something open, what costs more or
comes later is taken):

- It makes two alarms on a metric of one value a minute: three minutes above the target for scaling out, fifteen minutes
  below nine tenths of it for scaling in. An alarm of a scaling policy acts again each minute for as long as it stands.
- Out: capacity x metric / target, rounded up, at once. Instances that warm up are no capacity for this sum, but
  count as already added, so that one peak is not answered twice.
- In: never while anything warms up, never further than the same sum says, and here one instance a minute.
- It has no cooldown beside the warm-up; that is for simple scaling.
- From zero instances it never starts: zero x metric / target is zero. A second policy does (``WakeUp``).

docs.aws.amazon.com/autoscaling/ec2/userguide/ as-scaling-target-tracking.html and
ec2-auto-scaling-default-instance-warmup.html, repost.aws/knowledge-center/autoscaling-policy-cloudwatch-alarm. The
numbers of datapoints are those that the alarms have, as seen by those who looked (github.com/
aws-samples/amazon-aurora-labs-for-mysql/issues/3).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

MINUTE = 60.0
BOOT = 71.53
"""Seconds from a launch to an instance that works: the one figure that was published for such a site."""
BUNDLE_BOOT = 120.0
"""What is reckoned for this project's bundle (deploy/README.md). The workers' parameters have to do for it too."""
BOOTS = (45.0, BOOT, BUNDLE_BOOT, 180.0, 300.0)
IDEAL_LOAD = 0.8


@dataclass(frozen=True)
class TargetTracking:
    """The policy's parameters; ``decide`` is its arithmetic."""

    target: float
    warmup: float
    minimum: int = 1
    maximum: int = 15
    out_points: int = 3
    in_points: int = 15
    in_share: float = 0.9
    in_step: int = 1
    delay: float = MINUTE
    """Seconds from a value's publication until an alarm has seen it."""

    def decide(self, values: Sequence[float], desired: int, warm: int) -> int:
        """How many are wanted, after the alarms have seen ``values``, the last of them the youngest.

        ``desired`` are wanted so far, ``warm`` of them work and are past their warm-up.
        """
        last = values[-self.out_points :]
        if len(last) == self.out_points and all(value > self.target for value in last):
            needed = math.ceil(warm * last[-1] / self.target)
            return self.bounded(max(desired, needed))
        last = values[-self.in_points :]
        low = len(last) == self.in_points and all(value < self.in_share * self.target for value in last)
        if low and warm >= desired:
            needed = math.ceil(desired * last[-1] / self.target)
            return self.bounded(max(needed, desired - self.in_step))
        return self.bounded(desired)

    def bounded(self, wanted: int) -> int:
        return max(self.minimum, min(self.maximum, wanted))


@dataclass(frozen=True)
class OneEach:
    """The rule of a predecessor: one instance for each message that waits, at most so many, none when nothing does."""

    maximum: int = 15
    every: float = 5.0
    """Seconds between two looks at the queue. It was not published; less would be hidden by the boots."""
    minimum: int = 0

    def decide(self, waiting: int, in_progress: int, desired: int) -> int:
        wanted = min(self.maximum, waiting + in_progress)
        return wanted if waiting + in_progress == 0 else max(desired, wanted)


@dataclass(frozen=True)
class Night:
    """No instance from ``begin`` to ``end`` o'clock unless something waits, by two scheduled actions."""

    begin: float = 23.0
    end: float = 6.0

    def holds(self, seconds: float) -> bool:
        hour = seconds / 3600 % 24
        return hour >= self.begin or hour < self.end

    def morning(self, seconds: float) -> int:
        """The number of the morning after which this is."""
        return int((seconds / 3600 - self.end) // 24)


@dataclass(frozen=True)
class Timetable:
    """More instances around the beginning of each lecture of a working day, by scheduled actions."""

    hours: tuple[float, ...]
    minimum: int
    before: float = 300.0
    after: float = 600.0

    def holds(self, seconds: float) -> bool:
        day, second = divmod(seconds, 86400)
        return day % 7 < 5 and any(
            hour * 3600 - self.before <= second < hour * 3600 + self.after for hour in self.hours
        )


@dataclass(frozen=True)
class WakeUp:
    """From zero to one: a step policy on one minute with a waiting row, without which no worker would ever start."""

    points: int = 1

    def decide(self, rows: Sequence[float], desired: int) -> int:
        last = rows[-self.points :]
        return 1 if desired == 0 and len(last) == self.points and all(row > 0 for row in last) else desired


def ideal(work: Sequence[float], least: int = 1) -> list[int]:
    """Instances that would be right in each minute, for its instance-seconds of work that come in it."""
    return [max(least, math.ceil(round(seconds / MINUTE / IDEAL_LOAD, 9))) for seconds in work]
