"""Which windows are asked for: laws of the arithmetic on days."""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from confirma_async.backfill.coverage import PlannedWindow, Staleness, WindowState, plan_windows, uncovered, unfinished
from confirma_async.backfill.proof import AccountState, RunRecord, WindowProof
from confirma_async.reports import Verdict
from confirma_async.windows import DateWindow, split_date_range

ORIGIN = date(2025, 1, 1)
ALL_SETTLED = Staleness(0, date(2030, 1, 1))


def day(number: int) -> date:
    return ORIGIN + timedelta(days=number)


def proof(
    start: int, end: int, *, read_on: int = 10_000, run: int = 1, verdict: Verdict = Verdict.COMPLETE
) -> WindowProof:
    return WindowProof(
        account="",
        window_start=day(start),
        window_end=day(end),
        run=run,
        read_on=day(read_on),
        fetched_at=datetime(2030, 1, 1, tzinfo=UTC),
        verdict=verdict,
    )


def span(start: int, end: int) -> DateWindow:
    return DateWindow(day(start), day(end))


def plan(
    asked: DateWindow, step: int, held: list[WindowProof], staleness: Staleness = ALL_SETTLED
) -> list[PlannedWindow]:
    return list(plan_windows(asked, step, held, staleness))


spans = st.tuples(st.integers(0, 200), st.integers(0, 200)).map(lambda ends: span(min(ends), max(ends)))
steps = st.integers(1, 60)


@st.composite
def held_windows(draw: st.DrawFn) -> list[WindowProof]:
    """Disjoint windows in order, with gaps, some of them due."""
    held, cursor = [], draw(st.integers(-40, 60))
    for _ in range(draw(st.integers(0, 6))):
        start = cursor + draw(st.integers(0, 30))
        end = start + draw(st.integers(0, 40))
        held.append(proof(start, end, read_on=draw(st.sampled_from([end, end + 10_000]))))
        cursor = end + 1
    return held


@given(spans, steps, held_windows())
def test_every_day_of_the_range_is_in_exactly_one_window(asked: DateWindow, step: int, held: list[WindowProof]) -> None:
    planned = [one.window for one in plan(asked, step, held)]
    assert all(left.end < right.start for left, right in itertools.pairwise(planned))
    assert list(uncovered(asked, [_as_proof(window) for window in planned])) == []


@given(spans, steps, held_windows())
def test_a_held_window_is_kept_or_replaced_from_its_first_day_on(
    asked: DateWindow, step: int, held: list[WindowProof]
) -> None:
    by_start = {one.window_start: one for one in held}
    for planned in plan(asked, step, held):
        for one in held:
            inside = planned.window.start <= one.window_start <= planned.window.end
            touches = planned.window.start <= one.window_end and one.window_start <= planned.window.end
            assert not touches or (inside and one.window_start == planned.window.start)
            assert not touches or planned.window.end >= one.window_end
        assert planned.proof is by_start.get(planned.window.start)


@given(spans, steps, held_windows())
def test_after_a_run_the_same_question_finds_nothing_missing(
    asked: DateWindow, step: int, held: list[WindowProof]
) -> None:
    after = {one.window_start: one for one in held}
    after |= {one.window.start: _as_proof(one.window) for one in plan(asked, step, held) if one.asked}
    again = plan(asked, step, [after[start] for start in sorted(after)])
    assert [one for one in again if one.state is WindowState.MISSING] == []


@given(spans, steps)
def test_an_empty_target_is_asked_for_like_a_plain_range(asked: DateWindow, step: int) -> None:
    assert [one.window for one in plan(asked, step, [])] == list(split_date_range(asked.start, asked.end, step))


@given(spans, steps, held_windows())
def test_no_asked_window_is_longer_than_the_step_unless_it_was_held_as_such(
    asked: DateWindow, step: int, held: list[WindowProof]
) -> None:
    for one in plan(asked, step, held):
        assert one.window.days <= step or (one.proof is not None and one.window.end == one.proof.window_end)


@given(spans, held_windows())
def test_uncovered_days_and_held_days_make_up_the_range(asked: DateWindow, held: list[WindowProof]) -> None:
    gaps = {number for gap in uncovered(asked, held) for number in _days(gap)}
    covered = {number for one in held for number in _days(one.window)}
    assert gaps == _days(asked) - covered


def _days(window: DateWindow) -> set[int]:
    return set(range(window.start.toordinal(), window.end.toordinal() + 1))


def _as_proof(window: DateWindow) -> WindowProof:
    first = ORIGIN.toordinal()
    return proof(window.start.toordinal() - first, window.end.toordinal() - first)


def test_a_longer_range_asks_only_for_the_new_days() -> None:
    held = [proof(0, 29), proof(30, 45)]
    assert [(one.window, one.state) for one in plan(span(0, 70), 30, held)] == [
        (span(0, 29), WindowState.DONE),
        (span(30, 45), WindowState.DONE),
        (span(46, 59), WindowState.MISSING),
        (span(60, 70), WindowState.MISSING),
    ]


def test_a_window_that_was_open_grows_over_the_new_days_of_its_cell() -> None:
    held = [proof(0, 29), proof(30, 45, read_on=45)]
    asked = [one.window for one in plan(span(0, 70), 30, held) if one.asked]
    assert asked == [span(30, 59), span(60, 70)]


@pytest.mark.parametrize(
    ("refresh_days", "ended_before_reading", "due"),
    [(0, -1, True), (0, 0, True), (0, 1, False), (30, 30, True), (30, 31, False)],
)
def test_a_window_is_due_that_had_not_settled_when_it_was_read(
    refresh_days: int, ended_before_reading: int, due: bool
) -> None:
    read = proof(0, 10, read_on=10 + ended_before_reading)
    assert Staleness(refresh_days, date(2040, 1, 1)).is_due(read) is due


def test_an_incomplete_window_is_due_whatever_its_age() -> None:
    assert ALL_SETTLED.is_due(proof(0, 9, verdict=Verdict.INCOMPLETE))


def run_record(number: int, *, ended: bool) -> RunRecord:
    now = datetime(2030, 1, 1, tzinfo=UTC)
    return RunRecord(
        account="",
        run=number,
        base_url="https://service.example",
        environment="custom",
        fetch_type=None,
        from_date=day(0),
        to_date=day(99),
        window_days=30,
        refresh_days=30,
        started_at=now,
        finished_at=now if ended else None,
    )


def test_what_an_unfinished_run_has_read_today_is_not_asked_again() -> None:
    going_on = run_record(2, ended=False)
    fresh = proof(0, 9, read_on=9, run=2, verdict=Verdict.INCOMPLETE)
    assert not Staleness(30, day(9), going_on).is_due(fresh)
    assert Staleness(30, day(9), going_on).is_due(proof(0, 9, read_on=9, run=1))


def test_what_an_unfinished_run_read_while_it_was_open_is_asked_again_on_another_day() -> None:
    going_on = run_record(2, ended=False)
    assert Staleness(0, day(10), going_on).is_due(proof(0, 9, read_on=9, run=2))
    assert not Staleness(30, day(11), going_on).is_due(proof(0, 9, read_on=10, run=2))


def test_only_the_latest_run_can_be_unfinished() -> None:
    state = AccountState([run_record(1, ended=False), run_record(2, ended=True)])
    assert unfinished(state) is None
    assert unfinished(AccountState([run_record(3, ended=False)])) is not None
    assert unfinished(AccountState()) is None
