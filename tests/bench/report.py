"""The table and the plots of a benchmark's results."""

import statistics

from tables import short, table

RIVALS = ["none", "noop", "reader", "extproc-idle"]
"""What Weir is compared with in ratios."""


def markdown(found: dict) -> str:
    """The whole table."""
    machine = found["machine"]
    lines = [
        f"`{found['command']}`, Envoy {machine['envoy']}, one worker, {machine['cpu']}, {machine['cores']} cores, "
        f"Linux {machine['kernel']}, {machine['date']}.",
        f"The module is {found['module']:,} bytes.",
        "",
        "CPU time of the proxy, and of the process beside it where there is one: microseconds a request; for streams and",
        "bursts, microseconds an event, which is seconds for a million. Median over the rounds (least).",
        "",
        *table(["", *found["variants"]], [[name, *_cells(found, name)] for name in found["cases"]]),
        "",
        "Weir's part: ratios of each round, their median.",
        "",
        *table(["weir over", *_rivals(found)], [[name, *_ratios(found, name)] for name in found["cases"]]),
    ]
    waits = [[name, *_waits(found, name)] for name, unit in found["units"].items() if unit == "event" and "streams" in name]
    lines += ["", "Delay of an event, from when it was made: p50 / p99 in ms; first event, p50.", ""]
    lines += table(["", *found["variants"]], waits)
    rows = [["start, s", *(f"{found['started'][v]:.2f}" for v in found["variants"])]]
    rows += [["resident, MB", *(f"{found['rest'][v] / 1e6:.0f}" for v in found["variants"])]]
    rows += [["the same after load", *(f"{found['loaded'][v] / 1e6:.0f}" for v in found["variants"])]]
    for streams in ("100", "1000", "5000") if found["streams"] else ():
        rows.append([f"KiB a stream, {streams}", *(f"{found['streams'][v][streams] / 1024:.1f}" for v in found["variants"])])
    return "\n".join([*lines, "", *table(["", *found["variants"]], rows), ""])


def _figures(found: dict, case: str, variant: str, key: str = "cpu") -> list[float]:
    return [run[key] for run in found["cases"][case].get(variant, [])]


def _cells(found: dict, case: str) -> list[str]:
    cells = []
    for variant in found["variants"]:
        figures = _figures(found, case, variant)
        cells.append(f"{short(statistics.median(figures))} ({short(min(figures))})" if figures else "")
    return cells


def _rivals(found: dict) -> list[str]:
    return [name for name in RIVALS if name in found["variants"]]


def ratio(found: dict, case: str, rival: str, variant: str = "weir") -> float | None:
    """Median of the ratios of CPU time in the same round."""
    pairs = list(zip(_figures(found, case, variant), _figures(found, case, rival)))
    return statistics.median(a / b for a, b in pairs) if pairs else None


def _ratios(found: dict, case: str) -> list[str]:
    ratios = (ratio(found, case, rival) for rival in _rivals(found))
    return ["" if r is None else f"{r:.2f}" for r in ratios]


def _waits(found: dict, case: str) -> list[str]:
    cells = []
    for variant in found["variants"]:
        runs = found["cases"][case].get(variant, [])
        figures = [statistics.median(run[kind][share] for run in runs) / 1000 for kind, share in WAITS] if runs else []
        cells.append(" / ".join(f"{f:.2f}" for f in figures))
    return cells


WAITS = [("event", "p50"), ("event", "p99"), ("first", "p50")]

BAR, GAP, LEFT, WIDTH = 18, 10, 150, 520


def plots(found: dict) -> dict[str, str]:
    """A drawing of the answers and requests, and one of the streams."""
    kinds = {"requests": "request", "streams": "event"}
    return {name: _bars(found, [c for c, u in found["units"].items() if u == unit], unit) for name, unit in kinds.items()}


def _bars(found: dict, cases: list[str], unit: str) -> str:
    """Horizontal bars, each case in a scale of its own, as the sizes lie three orders of magnitude apart."""
    body, y = [], 24
    for case in cases:
        rows = [(v, statistics.median(_figures(found, case, v))) for v in found["variants"] if _figures(found, case, v)]
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
