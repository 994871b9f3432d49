"""What is compared with a goal is of the same round, and nothing is rounded in Weir's favor."""

import pytest

import goals
from figures import added, held, ratio, wait


def run(cpu=1.0, p50=1000, p99=2000, **more) -> dict:
    return {"cpu": cpu, "event": {"p50": p50, "p99": p99}, "first": {"p50": p50, "p99": None}, **more}


def results(cases: dict, **more) -> dict:
    return {"cases": cases, "rest": {}, "loaded": {}, "streams": {}, **more}


def one(found: dict, case: str, what: str) -> dict:
    """The only goal of a case whose words hold `what`."""
    [goal] = [each for each in goals.judge(found) if each["case"] == case and what in each["what"]]
    return goal


def test_a_ratio_is_of_the_same_round():
    found = results({"a": {"weir": [run(2), run(30), run(4)], "none": [run(1), run(10), run(4)]}})
    assert ratio(found, "a", "none") == 2
    assert ratio(found, "a", "lua") is None
    assert ratio(found, "b", "none") is None


def test_what_is_added_is_of_the_same_round():
    found = results({"a": {"weir": [run(p50=1500), run(p50=9100)], "none": [run(p50=1000), run(p50=9000)]}})
    assert added(found, "a", "weir", "event", "p50") == pytest.approx(0.3)
    assert wait(found, "a", "weir", "event", "p50") == pytest.approx(5.3)
    assert wait(found, "a", "weir", "first", "p99") is None


def test_events_that_waited_are_counted_over_all_rounds():
    rounds = [run(weir={"events": 100, "held": 10, "micros": 20_000}), run(weir={"events": 100, "held": 30, "micros": 60_000})]
    found = results({"a": {"weir": rounds, "none": [run()]}})
    assert held(found, "a", "weir") == (0.2, 2.0)
    assert held(found, "a", "none") is None


@pytest.mark.parametrize("cpu,met", [(1.5, True), (1.5000001, False), (0.2, True)])
def test_a_goal_is_met_or_not(cpu, met):
    found = results({"answer 1 KiB": {"weir": [run(cpu)], "none": [run(1)]}})
    assert one(found, "answer 1 KiB", "no filter")["met"] is met
    assert one(found, "answer 1 KiB", "extproc-idle")["met"] is None


@pytest.mark.parametrize("number,shown", [(1.5, 1.5), (1.5001, 1.51), (0.0, 0.0), (0.001, 0.01)])
def test_a_figure_is_rounded_up(number, shown):
    assert goals.rounded_up(number) == shown


def test_rows_say_what_was_not_run():
    found = results({"answer 1 KiB": {"weir": [run(1.501)], "none": [run(1)]}})
    rows = goals.rows(found)
    assert rows[0] == ["answer 1 KiB: CPU, of no filter", "1.51", "1.50", "**not met**"]
    assert [row[3] for row in rows[1:]] == ["not run"] * (len(goals.GOALS) - 1)


def test_memory_is_the_worse_of_two_moments():
    rest, loaded = {"weir": 100_000_000, "none": 60_000_000}, {"weir": 180_000_000, "none": 80_000_000}
    streams = {"weir": {"100": 9000, "1000": 6000, "5000": 5000}, "none": {"100": 1000, "1000": 1904, "5000": 1000}}
    found = results({}, rest=rest, loaded=loaded, streams=streams)
    assert one(found, "memory", "MB")["measured"] == 100
    assert one(found, "memory", "the most")["measured"] == pytest.approx(8000 / 1024)
    assert one(found, "memory", "5,000") | {"what": ""} == {"case": "memory", "what": "", "measured": 4.0, "most": 4.0, "met": True}
