"""The closing line of `./just test` is the sum of every runner's, and nothing that fails stays out of it."""

import pytest

from suite import Count, count_line, judge


@pytest.mark.parametrize(
    "line,expected",
    [
        ("test result: ok. 12 passed; 0 failed; 3 ignored; 0 measured; 0 filtered out; finished in 0.10s", Count(12, 0, 3)),
        ("test result: \x1b[31mFAILED\x1b[0m. 4 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out", Count(4, 2)),
        ("======== 3 failed, 10 passed, 1 skipped, 2 warnings in 4.21s ========", Count(10, 3, 1)),
        ("====== 7 passed, 2 errors in 65.00s (0:01:05) ======", Count(7, 2)),
        ("5 passed in 0.02s", Count(5)),
        ("1 xfailed, 1 xpassed in 0.02s", Count(1, 0, 1)),
        ("======== no tests ran in 0.00s ========", Count()),
        ("test scan::tests::every_cut ... ok", Count()),
        ("we passed 5 tests in 0.02s", Count()),
        ("    Finished `test` profile in 0.02s", Count()),
    ],
)
def test_a_line_is_counted(line, expected):
    assert count_line(line) == expected


GREEN = "test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured\n"
RED = "test result: FAILED. 1 passed; 1 failed; 0 ignored; 0 measured\n"


@pytest.mark.parametrize(
    "lines,status,must_test,expected",
    [
        ([GREEN, GREEN], 0, True, Count(2)),
        ([GREEN, RED], 101, True, Count(2, 1)),
        ([GREEN], 101, True, Count(1, 1)),
        ([], 0, True, Count(0, 1)),
        ([], 0, False, Count()),
        ([], 1, False, Count(0, 1)),
    ],
    ids=["sum", "failed once", "died after a pass", "ran nothing", "check", "failed check"],
)
def test_a_recipe_is_judged(lines, status, must_test, expected):
    assert judge(lines, status, must_test) == expected


def test_the_closing_line_names_skips_only_where_there_are_some():
    assert str(Count(3, 1)) == "3 passed, 1 failed"
    assert str(Count(3, 0, 2)) == "3 passed, 0 failed, 2 skipped"
