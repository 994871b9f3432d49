"""The tables of the micro-benches."""

import statistics

from tables import short, table

RATIOS = [
    ("V8 over native", "weir, V8", "weir"),
    ("native over regex set", "weir", "regex set"),
    ("V8 over regex set, V8", "weir, V8", "regex set, V8"),
    ("native over vectorscan", "weir", "vectorscan"),
    ("share of memcpy", "weir", "memcpy"),
    ("share of memcpy, V8", "weir, V8", "memcpy, V8"),
]
"""Of rates: above 1 Weir is the faster one."""


def markdown(found: dict) -> str:
    """All tables."""
    machine = found["machine"]
    library = machine["vectorscan"]
    lines = [
        f"`{found['command']}`, V8 {machine['v8']} (Node), Vectorscan {library}, {machine['cpu']}, {machine['cores']} cores, "
        f"Linux {machine['kernel']}, {machine['date']}.",
        "",
        "MB/s of text in pieces of 4 KiB (one-byte: single bytes), the default policy's rules: median over the rounds (the",
        "fastest, which is the least time). Every round reads other texts.",
    ]
    for channel, paths in found["texts"].items():
        count = found["patterns"][channel]
        names = columns(found)
        lines += [
            "",
            f"**{channel}**: {count['rules']} rules, of which {count['patterns']} are patterns; the regex crate has compiled "
            f"{count['regex']}, Vectorscan {count['vectorscan'] or 'is ' + library}.",
            "",
            *table(["", *names], [[path, *(_cell(runs.get(name)) for name in names)] for path, runs in paths.items()]),
            "",
            "Ratios of the same round, their median (above 1: Weir is faster), and Weir's findings in each MB:",
            "",
            *table(["", *(name for name, _, _ in RATIOS), "found"], [[path, *_ratios(runs), _found(runs)] for path, runs in paths.items()]),
        ]
    lines += ["", "**Whole bodies** through the pipeline: microseconds an event of a stream, MB/s of others; median (best).", ""]
    names = list(next(iter(found["bodies"].values())))
    rows = [[f"{name}, {_of(found, name)}", *(_body(runs.get(each)) for each in names)] for name, runs in found["bodies"].items()]
    lines += table(["", *names], rows)
    lines += ["", "**Reading and compiling a policy**, ms, the least.", ""]
    rows = [[name, *(f"{seconds * 1000:.1f}" for seconds in took.values())] for name, took in found["compile"].items()]
    lines += table(["", *next(iter(found["compile"].values()))], rows)
    return "\n".join([*lines, ""])


def columns(found: dict) -> list[str]:
    """What was run, in the order of the first row; what is missing has a column that says so."""
    first = next(iter(next(iter(found["texts"].values())).values()))
    order = ["weir", "weir, V8", "memcpy", "memcpy, V8", "regex set", "regex set, V8", "regex each", "vectorscan"]
    return [name for name in order if name in first or name == "vectorscan"]


def ratio(runs: dict, ours: str, theirs: str) -> float | None:
    """Median of the ratios of rates in the same round."""
    pairs = zip(runs.get(ours, []), runs.get(theirs, []))
    ratios = [a["rate"] / b["rate"] for a, b in pairs]
    return statistics.median(ratios) if ratios else None


def _ratios(runs: dict) -> list[str]:
    found = (ratio(runs, ours, theirs) for _, ours, theirs in RATIOS)
    return ["" if r is None else f"{r:.1g}" if r < 0.1 else f"{r:.2f}" for r in found]


def _found(runs: dict) -> str:
    return short(statistics.median(run["found"] for run in runs["weir"]))


def _cell(runs: list[dict] | None) -> str:
    if not runs:
        return "–"
    rates = [run["rate"] for run in runs]
    return f"{short(statistics.median(rates))} ({short(max(rates))})"


def _of(found: dict, name: str) -> str:
    return "µs" if found["units"][name] == "event" else "MB/s"


def _body(runs: list[dict] | None) -> str:
    if runs and "micros" in runs[0]:
        micros = [run["micros"] for run in runs]
        return f"{short(statistics.median(micros))} ({short(min(micros))})"
    return _cell(runs)
