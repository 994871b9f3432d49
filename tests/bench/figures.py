"""Figures of a benchmark's results: each round by itself, so that what is compared ran side by side."""

import statistics


def figures(found: dict, case: str, variant: str, key: str = "cpu") -> list[float]:
    """One figure of every round; empty where it was not run."""
    return [run[key] for run in found["cases"].get(case, {}).get(variant, [])]


def ratio(found: dict, case: str, rival: str, variant: str = "weir") -> float | None:
    """Median of the ratios of CPU time in the same round."""
    pairs = list(zip(figures(found, case, variant), figures(found, case, rival)))
    return statistics.median(a / b for a, b in pairs) if pairs else None


def waits(found: dict, case: str, variant: str, kind: str, share: str) -> list[float]:
    """A percentile of every round, in milliseconds: of `event`, `first` or `whole`."""
    times = (each[share] for each in figures(found, case, variant, kind))
    return [time / 1000 for time in times if time is not None]


def wait(found: dict, case: str, variant: str, kind: str, share: str) -> float | None:
    """Its median."""
    times = waits(found, case, variant, kind, share)
    return statistics.median(times) if times else None


def added(found: dict, case: str, variant: str, kind: str, share: str, rival: str = "none") -> float | None:
    """Milliseconds that a variant adds to a percentile of the rival in the same round, their median."""
    pairs = list(zip(waits(found, case, variant, kind, share), waits(found, case, rival, kind, share)))
    return statistics.median(a - b for a, b in pairs) if pairs else None


def held(found: dict, case: str, variant: str) -> tuple[float, float] | None:
    """The share of events that waited in Weir, and for how many milliseconds each of them, by Weir's own counts."""
    runs = [run["weir"] for run in found["cases"].get(case, {}).get(variant, []) if "weir" in run]
    events, waited, micros = (sum(run[key] for run in runs) for key in ("events", "held", "micros"))
    return (waited / events, micros / waited / 1000 if waited else 0.0) if events else None
