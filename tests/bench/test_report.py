"""The tables have every figure of the results, and a place for each that was not measured."""

import pytest

import goals
import micro_report
import report
from tables import short, table

TIMES = {"p50": 1000, "p90": 1500, "p99": 2000}
NONE = {"p50": None, "p90": None, "p99": None}


@pytest.mark.parametrize("number,text", [(0.123, "0.12"), (9.999, "10.00"), (12.34, "12.3"), (1234.5, "1,234")])
def test_numbers_have_three_digits(number, text):
    assert short(number) == text


def test_a_table_has_a_rule():
    assert table(["", "a"], [["b", "1"]]) == ["|  | a |", "| --- | --: |", "| b | 1 |"]


def answers(cpu: float) -> dict:
    return {"cpu": cpu, "rate": 1000.0, "busy": 0.5, "event": NONE, "first": NONE, "whole": TIMES, "refused": 0, "requests": 8}


def streams(cpu: float, **more) -> dict:
    return {"cpu": cpu, "rate": 1000.0, "busy": 0.5, "event": TIMES, "first": TIMES, "whole": TIMES, "refused": 0, "requests": 8, **more}


@pytest.fixture
def found() -> dict:
    """Results of two variants and of every kind of case."""
    waited = {"events": 100, "held": 50, "micros": 100_000}
    cases = {
        "answer 1 KiB": {"none": [answers(40.0)], "weir": [answers(80.0)]},
        "200 streams": {"none": [streams(20.0)], "weir": [streams(30.0, weir=waited)]},
        "saturation, answer 1 KiB": {"none": [answers(40.0)], "weir": [answers(80.0)]},
        "400 a second, answer 1 KiB": {"none": [answers(40.0)], "weir": [answers(80.0)]},
        "image 5 MiB": {"none": [answers(40.0)]},
    }
    asks = {name: "cpu" for name in cases} | {"saturation, answer 1 KiB": "saturation", "400 a second, answer 1 KiB": "rate"}
    sizes = {"none": 60e6, "weir": 120e6}
    return {
        "command": "./just bench",
        "machine": {"envoy": "1.40.0", "cpu": "a", "cores": 2, "kernel": "b", "date": "2026-11-24"},
        "module": 700_000,
        "variants": ["none", "weir"],
        "cases": cases,
        "asks": asks,
        "units": {name: "event" if "streams" in name else "request" for name in cases},
        "started": {"none": 0.1, "weir": 0.5},
        "rest": sizes,
        "loaded": sizes,
        "streams": {},
        "compile": {"weir": {"native": 0.009, "V8": 0.011}},
    }


def test_every_figure_is_in_a_table(found):
    lines = report.markdown(found).splitlines()
    assert "| answer 1 KiB: CPU, of no filter | 2.00 | 1.50 | **not met** |" in lines
    assert "| answer 1 KiB | 40.0 (40.0) | 80.0 (80.0) |" in lines
    assert "| image 5 MiB | 40.0 (40.0) |  |" in lines
    assert "| answer 1 KiB | 2.00 |" in lines
    assert "| saturation, answer 1 KiB | 1,000 (0.50) | 1,000 (0.50) |" in lines
    assert "| 400 a second, answer 1 KiB | 1.00 / 2.00 | 1.00 / 2.00 |" in lines
    assert "| added | +0.00 / +0.00 / +0.00 / +0.00 | +0.00 / +0.00 / +0.00 / +0.00 |" in lines
    assert "| 200 streams | 50.0%, 2.0 |" in lines
    assert "| compiling the policy, V8, ms |  | 11.0 |" in lines
    assert "| 200 streams: share of events held | 50% |  | printed |" in lines
    assert len(goals.rows(found)) == len(goals.GOALS) + 1


def test_what_was_refused_is_told(found):
    assert "Refused" not in report.markdown(found)
    found["cases"]["image 5 MiB"]["none"][0]["refused"] = 3
    assert "**Refused**: 3 of 8, image 5 MiB, none." in report.markdown(found).splitlines()


def test_a_drawing_has_only_what_costs_cpu_time(found):
    drawings = report.plots(found)
    assert set(drawings) == {"requests", "streams"}
    assert "answer 1 KiB" in drawings["requests"] and "saturation" not in drawings["requests"]


def test_a_column_that_could_not_be_run_says_so():
    runs = {"weir": [{"rate": 100.0, "found": 0}], "weir, V8": [{"rate": 50.0, "found": 0}]}
    found = {
        "command": "./just bench micro",
        "machine": {"v8": "11", "vectorscan": "not installed", "cpu": "a", "cores": 2, "kernel": "b", "date": "2026-11-24"},
        "patterns": {"response.text": {"rules": 28, "patterns": 28, "regex": 28, "vectorscan": 0}},
        "texts": {"response.text": {"prose": runs}},
        "bodies": {"burst of events": {"weir, native": [{"rate": 1.0, "micros": 2.5, "found": 0}]}},
        "units": {"burst of events": "event"},
        "compile": {"weir": {"native": 0.009, "V8": 0.011}},
    }
    lines = micro_report.markdown(found).splitlines()
    assert "| prose | 100 (100) | 50.0 (50.0) | – |" in lines
    assert any(line.endswith("Vectorscan is not installed.") for line in lines)
    assert "| prose | 0.50 |  |  |  |  |  | 0.00 |" in lines
    assert "| burst of events, µs | 2.50 (2.50) |" in lines
    assert "| weir | 9.0 | 11.0 |" in lines
