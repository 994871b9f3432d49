"""The tables and the plots of a benchmark's results."""

import statistics

import goals
from figures import added, figures, held, ratio, wait
from tables import short, table

RIVALS = ["none", "noop", "reader", "extproc-idle"]
"""What Weir is compared with in ratios."""

WAITS = [("event", "p50"), ("event", "p99"), ("first", "p50"), ("first", "p99")]


def markdown(found: dict) -> str:
    """All tables."""
    machine = found["machine"]
    head = ["", *found["variants"]]
    cpu, saturated, scheduled = (of(found, asks) for asks in ("cpu", "saturation", "rate"))
    streams = [name for name in cpu if "streams" in name]
    lines = [
        f"`{found['command']}`, Envoy {machine['envoy']}, one worker, {machine['cpu']}, {machine['cores']} cores, "
        f"Linux {machine['kernel']}, {machine['date']}.",
        f"The module is {found['module']:,} bytes.",
        *_refused(found),
        "",
        "What must be reached: ratios of the same round, their median, rounded up.",
        "",
        *table(["goal", "measured", "at most", ""], goals.rows(found)),
        "",
        "CPU time of the proxy, and of the process beside it where there is one: microseconds a request, which is milliseconds",
        "for 1,000; for streams and bursts, microseconds an event, which is seconds for a million. Median over the rounds (least).",
        "",
        *table(head, [[name, *_cells(found, name)] for name in cpu]),
        "",
        "Weir's part: ratios of each round, their median.",
        "",
        *table(["weir over", *_rivals(found)], [[name, *_ratios(found, name)] for name in cpu]),
    ]
    if saturated:
        lines += ["", "Requests a second with 32 connections that wait for nothing, and the cores that the proxy had of it.", ""]
        lines += table(head, [[name, *_saturated(found, name)] for name in saturated])
    if scheduled:
        lines += ["", "Answers at a fixed rate, from when they were due to their last byte: p50 / p99 in ms.", ""]
        lines += table(head, [[name, *_scheduled(found, name)] for name in scheduled])
    if streams:
        lines += ["", "Delay of an event, from when it was made, and of the first one, from when it was asked for, without what the"]
        lines += ["provider waited: event p50 / p99, first p50 / p99 in ms; then how much more that is than without a filter.", ""]
        lines += table(head, [row for name in streams for row in _delays(found, name)])
        rows = [[name, *_held(found, name)] for name in cpu if found["units"][name] == "event"]
        own = [name for name in found["variants"] if name.startswith("weir")]
        lines += ["", "Events that waited in Weir, and for how long each of them, in ms.", "", *table(["", *own], rows)]
    return "\n".join([*lines, "", *table(head, _sizes(found)), ""])


def of(found: dict, asks: str) -> list[str]:
    """The cases that ask for CPU time (`cpu`), for the rate at saturation, or for latency at a fixed rate."""
    return [name for name in found["cases"] if found["asks"][name] == asks]


def _refused(found: dict) -> list[str]:
    """What was not answered as it should be: such a figure is not of the work that the row names."""
    lines = []
    for case, variants in found["cases"].items():
        for variant, runs in variants.items():
            if refused := sum(run["refused"] for run in runs):
                lines.append(f"**Refused**: {refused} of {sum(run['requests'] for run in runs)}, {case}, {variant}.")
    return ["", *lines] if lines else []


def _cells(found: dict, case: str) -> list[str]:
    cells = []
    for variant in found["variants"]:
        costs = figures(found, case, variant)
        cells.append(f"{short(statistics.median(costs))} ({short(min(costs))})" if costs else "")
    return cells


def _rivals(found: dict) -> list[str]:
    return [name for name in RIVALS if name in found["variants"]]


def _ratios(found: dict, case: str) -> list[str]:
    ratios = (ratio(found, case, rival) for rival in _rivals(found))
    return ["" if r is None else f"{r:.2f}" for r in ratios]


def _saturated(found: dict, case: str) -> list[str]:
    cells = []
    for variant in found["variants"]:
        rates, busy = (figures(found, case, variant, key) for key in ("rate", "busy"))
        cells.append(f"{statistics.median(rates):,.0f} ({statistics.median(busy):.2f})" if rates else "")
    return cells


def _scheduled(found: dict, case: str) -> list[str]:
    shares = [[wait(found, case, variant, "whole", share) for share in ("p50", "p99")] for variant in found["variants"]]
    return [" / ".join(f"{time:.2f}" for time in times if time is not None) for times in shares]


def _delays(found: dict, case: str) -> list[list[str]]:
    whole = [[wait(found, case, variant, *which) for which in WAITS] for variant in found["variants"]]
    more = [[added(found, case, variant, *which) for which in WAITS] for variant in found["variants"]]
    plain = [" / ".join(f"{time:.2f}" for time in times if time is not None) for times in whole]
    signed = [" / ".join(f"{time:+.2f}" for time in times if time is not None) for times in more]
    return [[case, *plain], ["added", *signed]]


def _held(found: dict, case: str) -> list[str]:
    own = (held(found, case, name) for name in found["variants"] if name.startswith("weir"))
    return [f"{waited[0]:.1%}, {waited[1]:.1f}" if waited else "" for waited in own]


def _sizes(found: dict) -> list[list[str]]:
    names = found["variants"]
    compiled = found.get("compile", {})
    rows = [["start, s", *(f"{found['started'][v]:.2f}" for v in names)]]
    for where in ("native", "V8") if compiled else ():
        cells = (compiled.get(v, {}).get(where) for v in names)
        rows.append([f"compiling the policy, {where}, ms", *("" if s is None else f"{s * 1000:.1f}" for s in cells)])
    rows += [["resident, MB", *(f"{found['rest'][v] / 1e6:.0f}" for v in names)]]
    rows += [["the same after load", *(f"{found['loaded'][v] / 1e6:.0f}" for v in names)]]
    for streams in ("100", "1000", "5000") if found["streams"] else ():
        rows.append([f"KiB a stream, {streams}", *(f"{found['streams'][v][streams] / 1024:.1f}" for v in names)])
    return rows


BAR, GAP, LEFT, WIDTH = 18, 10, 150, 520


def plots(found: dict) -> dict[str, str]:
    """A drawing of the answers and requests, and one of the streams."""
    kinds = {"requests": "request", "streams": "event"}
    cpu = of(found, "cpu")
    return {name: _bars(found, [c for c in cpu if found["units"][c] == unit], unit) for name, unit in kinds.items()}


def _bars(found: dict, cases: list[str], unit: str) -> str:
    """Horizontal bars, each case in a scale of its own, as the sizes lie three orders of magnitude apart."""
    body, y = [], 24
    for case in cases:
        rows = [(v, statistics.median(figures(found, case, v))) for v in found["variants"] if figures(found, case, v)]
        most = max((figure for _, figure in rows), default=1)
        body.append(f'<text x="4" y="{y}" font-weight="bold">{case}, µs of CPU for each {unit}</text>')
        y += GAP
        for variant, figure in rows:
            color = "#2463a8" if variant.startswith("weir") else "#9aa5b1"
            wide = max(1, figure / most * (WIDTH - 90))
            body.append(f'<text x="{LEFT - 6}" y="{y + 13}" text-anchor="end">{variant}</text>')
            body.append(f'<rect x="{LEFT}" y="{y}" width="{wide:.1f}" height="{BAR - 4}" fill="{color}"/>')
            body.append(f'<text x="{LEFT + wide + 6:.1f}" y="{y + 13}">{short(figure)}</text>')
            y += BAR
        y += 2 * GAP + 6
    size = f'width="{LEFT + WIDTH}" height="{y}" viewBox="0 0 {LEFT + WIDTH} {y}"'
    style = 'font-family="sans-serif" font-size="12"'
    back = f'<rect width="{LEFT + WIDTH}" height="{y}" fill="white"/>'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size} {style}>\n{back}\n' + "\n".join(body) + "\n</svg>\n"
