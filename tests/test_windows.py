"""Windows of days: adjacent, every day once, for any range and any size."""

from __future__ import annotations

import itertools
import pickle
from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from confirma_async import ConfigurationError, DateWindow, split_date_range

some_range = st.tuples(st.dates(), st.dates()).map(sorted).map(tuple)
short_range = st.builds(
    lambda start, days: (start, start + timedelta(days=days)),
    st.dates(max_value=date(9990, 1, 1)),
    st.integers(0, 800),
)


@given(short_range, st.integers(1, 400))
def test_every_day_is_in_exactly_one_window(days: tuple[date, date], size: int) -> None:
    start, end = days
    whole = [start + timedelta(days=place) for place in range((end - start).days + 1)]
    assert whole == [
        window.start + timedelta(days=place)
        for window in split_date_range(start, end, size)
        for place in range(window.days)
    ]


@given(some_range, st.integers(1, 4_000_000))
def test_only_the_last_window_may_be_short(days: tuple[date, date], size: int) -> None:
    windows = split_date_range(*days, size)
    assert days == (windows[0].start, windows[-1].end)
    assert (len(windows) - 1) * size < (days[1] - days[0]).days + 1 <= len(windows) * size


@given(short_range, st.integers(1, 90))
def test_windows_are_adjacent(days: tuple[date, date], size: int) -> None:
    windows = list(split_date_range(*days, size))
    assert all(a.end + timedelta(days=1) == b.start for a, b in itertools.pairwise(windows))


@given(short_range)
def test_halves_cover_their_window(days: tuple[date, date]) -> None:
    window = DateWindow(days[0], days[1] + timedelta(days=1))
    left, right = window.halves()
    assert (window.start, window.end) == (left.start, right.end)
    assert left.end + timedelta(days=1) == right.start
    assert right.days - left.days in {0, 1}


def test_a_leap_day_belongs_to_its_window() -> None:
    assert [
        DateWindow(date(2024, 2, 28), date(2024, 2, 29)),
        DateWindow(date(2024, 3, 1), date(2024, 3, 1)),
    ] == list(split_date_range(date(2024, 2, 28), date(2024, 3, 1), 2))


def test_a_window_runs_over_the_end_of_a_year() -> None:
    assert [DateWindow(date(2024, 12, 30), date(2025, 1, 2))] == list(
        split_date_range(date(2024, 12, 30), date(2025, 1, 2), 30)
    )


def test_one_day_is_one_window() -> None:
    assert [DateWindow(date(2025, 3, 30), date(2025, 3, 30))] == list(
        split_date_range(date(2025, 3, 30), date(2025, 3, 30), 1)
    )


def test_the_whole_calendar_costs_no_more_than_a_day() -> None:
    windows = split_date_range(date.min, date.max, 1)
    assert len(windows) == 3_652_059
    assert DateWindow(date.max, date.max) == windows[-1]
    assert DateWindow(date.min, date.min) == windows[0]


def test_windows_behave_as_a_sequence() -> None:
    windows = split_date_range(date(2025, 1, 1), date(2025, 1, 10), 3)
    assert list(windows) == [windows[place] for place in range(4)]
    assert [windows[3], windows[2]] == list(windows[:1:-1])
    assert windows.index(windows[2]) == 2
    with pytest.raises(IndexError):
        windows[4]


def test_a_window_can_be_compared_hashed_and_pickled() -> None:
    window = DateWindow(date(2025, 1, 1), date(2025, 1, 2))
    assert window == pickle.loads(pickle.dumps(window))
    assert {window} == {DateWindow(date(2025, 1, 1), date(2025, 1, 2))}
    assert window < DateWindow(date(2025, 1, 2), date(2025, 1, 2))


def test_a_single_day_has_no_halves() -> None:
    with pytest.raises(ConfigurationError):
        DateWindow(date(2025, 1, 1), date(2025, 1, 1)).halves()


@pytest.mark.parametrize("days", [0, -1, True, 1.0, "30", None])
def test_a_size_that_is_no_count_of_days_is_refused(days: int) -> None:
    with pytest.raises(ConfigurationError):
        split_date_range(date(2025, 1, 1), date(2025, 1, 2), days)


@pytest.mark.parametrize("other", [datetime(2025, 1, 1), "2025-01-01", "20250101", 20250101, None])
def test_anything_but_a_date_is_refused(other: date) -> None:
    with pytest.raises(ConfigurationError):
        split_date_range(other, date(2025, 1, 2))
    with pytest.raises(ConfigurationError):
        split_date_range(date(2025, 1, 1), other)


def test_an_inverted_range_is_refused() -> None:
    with pytest.raises(ConfigurationError):
        split_date_range(date(2025, 1, 2), date(2025, 1, 1))
    with pytest.raises(ConfigurationError):
        DateWindow(date(2025, 1, 2), date(2025, 1, 1))
