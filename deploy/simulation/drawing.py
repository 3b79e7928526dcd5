"""The two drawings of README.md beside this file, for light pages and for dark ones."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from deploy.simulation.runs import SHARE, WITHIN
from deploy.simulation.site import Seen

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FIGURES = Path(__file__).parent / "figures"
OURS, RIVAL, IDEAL, GREY = "#2f8f6b", "#d9722e", "#5b7fd1", "#8a8a8a"
STYLE = (
    "<style>text{fill:#333!important;font-family:system-ui,sans-serif!important}"
    "@media(prefers-color-scheme:dark){text{fill:#ddd!important}}</style>"
)
POINTS = 300


def _figure(width: float, height: float, rows: int, columns: int) -> tuple[Figure, Any]:
    import matplotlib as mpl

    mpl.use("agg")
    import matplotlib.pyplot as plt

    mpl.rcParams.update(
        {
            "svg.fonttype": "none",
            "svg.hashsalt": "convoscope",
            "font.size": 10,
            "axes.edgecolor": GREY,
            "xtick.color": GREY,
            "ytick.color": GREY,
            "axes.spines.top": False,
            "axes.spines.right": False,
        }
    )
    return plt.subplots(
        rows, columns, figsize=(width, height), layout="constrained", sharex=rows > 1, sharey=rows > 1
    )


def _svg(figure: Figure) -> str:
    import matplotlib.pyplot as plt

    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    plt.close(figure)
    styled = re.sub(r"(<svg\b[^>]*>)", lambda found: found.group(1) + STYLE, buffer.getvalue(), count=1)
    # A tenth of a point is enough.
    return re.sub(r' d="[^"]*"', lambda found: re.sub(r"(\.\d)\d+", r"\1", found.group()), styled)


def waiting(ours: Seen, rival: Seen) -> str:
    """Which share of a lecture's pictures and figures is there after how long."""
    figure, axes = _figure(9, 3.8, 1, 2)
    for axis, kind, title in (
        (axes[0], "pictures", "Students’ pictures in a lecture"),
        (axes[1], "figures", "Figures in a lecture"),
    ):
        for seen, name, colour, dashes in (
            (ours, "target tracking", OURS, "-"),
            (rival, "one instance a message", RIVAL, "--"),
        ):
            times = np.sort(getattr(seen, kind))
            places = np.unique(np.linspace(0, len(times) - 1, POINTS).astype(int))
            axis.plot(times[places], 100 * (places + 1) / len(times), dashes, color=colour, lw=2, label=name)
        axis.set_xscale("log")
        _plain_seconds(axis)
        axis.set_title(title, fontsize=11)
        axis.set_xlabel("seconds until answered")
        axis.set_ylim(0, 101)
    axes[0].set_ylabel("% answered")
    axes[0].axvline(WITHIN, color=GREY, lw=1, ls=":")
    axes[0].axhline(100 * SHARE, color=GREY, lw=1, ls=":")
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, frameon=False, ncols=2, loc="outside upper center")
    return _svg(figure)


def _plain_seconds(axis: Axes) -> None:
    axis.xaxis.set_major_formatter(lambda value, _place: f"{value:g}")
    axis.minorticks_off()


def instances(ours: Seen, rival: Seen, best: list[int], hours: tuple[float, float]) -> str:
    """How many worker instances there are on the first day of the exam week, beside what would be right."""
    figure, (above, below) = _figure(9, 4.6, 2, 1)
    begin, end = (int(hour * 60) for hour in hours)
    for axis, counts, name, colour in (
        (above, best, "ideal", IDEAL),
        (above, ours.workers, "target tracking", OURS),
        (below, rival.workers, "one instance a message", RIVAL),
    ):
        minutes, values = steps(counts[begin:end])
        x = (np.asarray(minutes) + begin) / 60
        axis.step(x, values, where="post", color=colour, lw=1.4, label=name)
        axis.fill_between(x, values, step="post", color=colour, alpha=0.25, lw=0)
        axis.set_ylabel("worker instances")
    below.set_xlabel("hour of the first day of the exam week")
    below.set_xticks(range(int(hours[0]), int(hours[1]) + 1))
    below.set_ylim(0, None)
    figure.legend(frameon=False, ncols=3, loc="outside upper center")
    return _svg(figure)


def steps(counts: list[int]) -> tuple[list[int], list[int]]:
    """The places where a number changes, and the last one."""
    places = [
        place
        for place in range(len(counts))
        if place in (0, len(counts) - 1) or counts[place] != counts[place - 1]
    ]
    return places, [counts[place] for place in places]
