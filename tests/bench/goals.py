"""What the benchmark must reach, and whether it does. Nothing is rounded before it is compared."""

import math
import statistics
from collections.abc import Callable
from dataclasses import dataclass

from figures import added, figures, held, ratio, wait

STREAMS, LONGER, TURNS = "200 streams", "bursts, 4 times as long", "conversation, 60 turns"
INTERVAL = 20.0
"""Milliseconds between two events of one of the 200 streams."""

MB, KIB = 1e6, 1024


@dataclass(frozen=True)
class Goal:
    """A figure and the most that it may be."""

    case: str
    what: str
    most: float
    measure: Callable[[dict], float | None]


def _cpu(case: str, most: float, rival: str, of: str = "") -> Goal:
    return Goal(case, f"CPU, of {of or rival}", most, lambda found: ratio(found, case, rival))


def _added(what: str, variant: str, kind: str, most: float) -> Goal:
    return Goal(STREAMS, what, most, lambda found: added(found, STREAMS, variant, kind, "p50"))


def _between(found: dict, case: str, other: str) -> float | None:
    """Median of the ratios of Weir's CPU time in two cases of the same round."""
    pairs = list(zip(figures(found, case, "weir"), figures(found, other, "weir")))
    return statistics.median(a / b for a, b in pairs) if pairs else None


def _bursts(found: dict) -> float | None:
    costs = figures(found, "bursts", "weir")
    return statistics.median(costs) if costs else None


def _last(found: dict) -> float | None:
    ours, theirs = (wait(found, STREAMS, name, "event", "p99") for name in ("weir-open", "noop"))
    return ours / theirs if ours and theirs else None


def _memory(found: dict) -> float | None:
    sizes = [found[when] for when in ("rest", "loaded")]
    above = [each["weir"] - each["none"] for each in sizes if {"weir", "none"} <= each.keys()]
    return max(above) / MB if above else None


def _stream(found: dict, counts: list[str]) -> float | None:
    streams = found["streams"]
    if not {"weir", "none"} <= streams.keys():
        return None
    return max(streams["weir"][count] - streams["none"][count] for count in counts) / KIB


GOALS = [
    _cpu("answer 1 KiB", 1.5, "none", "no filter"),
    _cpu("answer 1 KiB", 0.25, "extproc-idle"),
    _cpu("answer 8 KiB", 2.2, "none", "no filter"),
    _cpu("answer 8 KiB", 0.25, "extproc-idle"),
    _cpu("answer 64 KiB", 0.4, "extproc-idle"),
    _cpu("answer 1 MiB", 0.7, "extproc-idle"),
    _cpu("answer 1 MiB", 0.4, "extproc-idle", "extproc-idle (stretch)"),
    _cpu("request 8 KiB", 0.3, "extproc-idle"),
    _cpu("request 64 KiB", 0.5, "extproc-idle"),
    _cpu(STREAMS, 1.15, "reader"),
    _cpu("1,000 streams", 1.15, "reader"),
    Goal("bursts", "CPU seconds for a million events", 1.0, _bursts),
    Goal(LONGER, "CPU an event, of the shorter stream's", 1.1, lambda found: _between(found, LONGER, "bursts")),
    _added("added to an event, p50, ms, weir-open", "weir-open", "event", 0.1),
    _added("added to the first event, p50, ms, weir-open", "weir-open", "first", 0.1),
    Goal(STREAMS, "delay of an event, p99, of noop's, weir-open", 1.3, _last),
    _added("added to an event, p50, ms, weir", "weir", "event", INTERVAL + 0.1),
    _added("added to the first event, p50, ms, weir", "weir", "first", INTERVAL + 0.1),
    Goal(TURNS, "CPU, of the same in new words each turn", 1 / 3, lambda found: _between(found, TURNS, "conversation, new words")),
    Goal("memory", "MB above no filter, at rest and after load", 65.0, _memory),
    Goal("memory", "KiB a stream above no filter, the most", 64.0, lambda found: _stream(found, ["100", "1000", "5000"])),
    Goal("memory", "KiB a stream above no filter, 1,000 and 5,000", 4.0, lambda found: _stream(found, ["1000", "5000"])),
]


def judge(found: dict) -> list[dict]:
    """Every goal with its figure; `met` is none where something that it needs was not run."""
    judged = []
    for goal in GOALS:
        measured = goal.measure(found)
        met = None if measured is None else measured <= goal.most
        judged.append({"case": goal.case, "what": goal.what, "measured": measured, "most": goal.most, "met": met})
    return judged


def rows(found: dict) -> list[list[str]]:
    """The lines of their table; a figure is rounded up, a limit down."""
    lines = []
    for goal in judge(found):
        measured = "" if goal["measured"] is None else f"{rounded_up(goal['measured']):,.2f}"
        most = f"{math.floor(goal['most'] * 100 + 1e-9) / 100:.2f}"
        verdict = {None: "not run", True: "met", False: "**not met**"}[goal["met"]]
        lines.append([f"{goal['case']}: {goal['what']}", measured, most, verdict])
    if waited := held(found, STREAMS, "weir"):
        lines.append([f"{STREAMS}: share of events held", f"{waited[0]:.0%}", "", "printed"])
    return lines


def rounded_up(number: float) -> float:
    """To two places, never in favor of what should be small."""
    return math.ceil(number * 100) / 100
