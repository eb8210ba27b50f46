"""The charts of the page, as plotly traces and layouts; every label from the outside is made harmless here.

plotly reads a small HTML dialect in its texts, and guesses types of axes. So labels are escaped, stand beside
numeric positions, and never enter a template.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import attrs
import plotly.graph_objects as go  # type: ignore[import-untyped]  # plotly ships no types

from .look import PATTERNS
from .periods import Period, PeriodCount, gathered
from .results import DayCount, DeliveryResults, HandOver
from .wording import named

Plot: TypeAlias = dict[str, Any]
"""One drawing of a chart: how many bars wide, its traces and layout; lying bars have short labels, too."""

SERIES = len(PATTERNS) - 1
_LONG, _SHORT = 34, 17
_ROW = 34
_MOST_ROWS = 12
_MILLISECONDS = 86_400_000
_OTHERS = "all others"
_ALARM = -1


@attrs.frozen
class Series:
    """One colour of a stack: its label, and its value for each bar; `place` chooses colour and pattern."""

    label: str
    values: Sequence[int]
    place: int


def harmless(label: str) -> str:
    """Return a label that plotly shows as it is."""
    return html.escape(label, quote=False)


def volume(results: DeliveryResults, days: Sequence[DayCount]) -> list[Plot]:
    """Records by time of creation, stacked by status."""
    statuses = [status for status, _ in results.by_status.rows[:SERIES]]

    def series(periods: Sequence[PeriodCount]) -> list[Series]:
        stack = [
            Series(named(status, _LONG), [one.by_status.get(status, 0) for one in periods], place)
            for place, status in enumerate(statuses)
        ]
        rest = [one.records - sum(one.by_status.get(status, 0) for status in statuses) for one in periods]
        return [*stack, *([Series(_OTHERS, rest, SERIES)] if any(rest) else [])]

    return _over_time(days, series)


def hand_over(days: Sequence[DayCount]) -> list[Plot]:
    """Records by time of creation, stacked by how far they came on their way to payment control."""

    def series(periods: Sequence[PeriodCount]) -> list[Series]:
        stack = [
            Series(str(state), [one.by_hand_over.get(state, 0) for one in periods], place)
            for place, state in zip((0, 1, 3, SERIES), HandOver, strict=True)
        ]
        return [one for one in stack if any(one.values)]

    return _over_time(days, series)


def _over_time(days: Sequence[DayCount], series: Callable[[Sequence[PeriodCount]], list[Series]]) -> list[Plot]:
    plots: list[Plot] = []
    for period in Period:
        periods = gathered(days, period)
        if plots and len(periods) <= 1:
            break
        plots.append(_stack_over_time(period, periods, series(periods)))
    return plots


def _stack_over_time(period: Period, periods: Sequence[PeriodCount], stack: Sequence[Series]) -> Plot:
    starts = [one.start.isoformat() for one in periods]
    width = {Period.DAY: _MILLISECONDS, Period.WEEK: 7 * _MILLISECONDS, Period.MONTH: "M1"}[period]
    traces = [
        go.Bar(
            name=harmless(one.label),
            x=starts,
            y=list(one.values),
            xperiod=width,
            xperiod0=starts[0],
            xperiodalignment="middle",
            xhoverformat=_hover_date(period),
            yhoverformat=",d",
            marker=_marker(one.place),
            meta={"place": one.place},
        )
        for one in stack
    ]
    highest = max((one.records for one in periods), default=0)
    layout = go.Layout(
        barmode="stack",
        bargap=0.12 if len(periods) < 100 else 0,  # thin bars have no room for gaps
        hovermode="x unified",
        showlegend=True,
        legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "traceorder": "normal"},
        margin={"l": 8, "r": 8, "t": 8, "b": 8},
        xaxis={"type": "date", "title": {"text": f"{period} of creation"}, "showgrid": False, "ticks": "outside"},
        yaxis=_count_axis(f"records per {period}", highest),
        height=400,
    )
    first, last = periods[0].start, periods[-1].start
    bars = (last - first).days // {Period.DAY: 1, Period.WEEK: 7, Period.MONTH: 30}[period] + 1
    return {"label": str(period), "bars": bars, "data": _plain(traces), "layout": layout.to_plotly_json()}


def _hover_date(period: Period) -> str:
    return {Period.DAY: "%a %Y-%m-%d", Period.WEEK: "week from %Y-%m-%d", Period.MONTH: "%B %Y"}[period]


def methods(results: DeliveryResults) -> list[Plot]:
    """Records by method, stacked by status."""
    pairs = results.by_status_and_method.rows
    top = [method for method, _ in results.by_method.rows[:_MOST_ROWS]]
    statuses = [status for status, _ in results.by_status.rows[:SERIES]]
    counts: dict[tuple[int, int], int] = {}
    for (status, method), count in pairs:
        row = top.index(method) if method in top else len(top)
        place = statuses.index(status) if status in statuses else SERIES
        counts[row, place] = counts.get((row, place), 0) + count
    rows = len(top) + any(row == len(top) for row, _ in counts)
    labels = [*(named(method) for method in top), _OTHERS][:rows]
    stack = [
        Series(
            named(statuses[place], _LONG) if place < SERIES else _OTHERS,
            [counts.get((row, place), 0) for row in range(rows)],
            place,
        )
        for place in sorted({place for _, place in counts})
    ]
    return [_lying(labels, stack, "method", "records", stacked=True)]


def failures(results: DeliveryResults) -> list[Plot]:
    """Errors by code."""
    top = results.error_codes[:_MOST_ROWS]
    rest = results.errors - sum(one.errors for one in top)
    labels = [*(named(one.code) for one in top), *([_OTHERS] if rest else [])]
    values = [*(one.errors for one in top), *([rest] if rest else [])]
    return [_lying(labels, [Series("errors", values, _ALARM)], "error code", "errors")]


def durations(results: DeliveryResults) -> list[Plot]:
    """Records by the time from creation to distribution."""
    buckets = results.distribution.buckets
    stack = [Series("records", [count for _, count in buckets], 0)]
    return [_lying([name for name, _ in buckets], stack, "time to distribution", "records")]


def _lying(labels: Sequence[str], stack: Sequence[Series], rows: str, unit: str, *, stacked: bool = False) -> Plot:
    places = list(range(len(labels)))
    totals = [sum(one.values[place] for one in stack) for place in places]
    traces = [
        go.Bar(
            name=harmless(one.label),
            orientation="h",
            x=list(one.values),
            y=places,
            customdata=[harmless(label) for label in labels],
            hovertemplate=f"%{{customdata}}<br>%{{x:,d}} {unit}<extra>{'%{fullData.name}' if stacked else ''}</extra>",
            marker=_marker(one.place),
            meta={"place": one.place},
        )
        for one in stack
    ]
    layout = go.Layout(
        barmode="stack",
        bargap=0.28,
        hovermode="closest",
        showlegend=stacked,
        legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "traceorder": "normal"},
        margin={"l": 8, "r": 8, "t": 8, "b": 8},
        xaxis=_count_axis(unit, max(totals, default=0)),
        yaxis={
            "tickvals": places,
            "ticktext": [harmless(named(label, _LONG)) for label in labels],
            "range": [len(labels) - 0.5, -0.5],
            "ticklabelstandoff": 5,
            "showgrid": False,
            "zeroline": False,
        },
        annotations=[_end_of_bar(place, total) for place, total in enumerate(totals)],
        height=96 + _ROW * len(labels) + (34 if stacked else 0),
    )
    return {
        "label": rows,
        "bars": 0,
        "data": _plain(traces),
        "layout": layout.to_plotly_json(),
        "longest": max([1, *totals]),
        "short": [harmless(named(label, _SHORT)) for label in labels],
    }


def _end_of_bar(place: int, total: int) -> Plot:
    return {"x": total, "y": place, "text": f"{total:,}", "showarrow": False, "xanchor": "left", "xshift": 4}


def _marker(place: int) -> Plot:
    """Return the pattern of a place; its colour is the theme's, which the page fills in by `meta`."""
    shape = "" if place == _ALARM else PATTERNS[place]
    return {"pattern": {"shape": shape, "size": 7, "solidity": 0.25}, "line": {"width": 0}}


def _count_axis(title: str, highest: int) -> Plot:
    """Return an axis from zero whose ticks are whole numbers."""
    few = 5
    return {
        "title": {"text": title, "standoff": 10},
        "rangemode": "tozero",
        "tickformat": ",d",
        "nticks": 6,
        **({"dtick": 1} if highest <= few else {}),
    }


def _plain(traces: Sequence[Any]) -> list[Plot]:
    return [trace.to_plotly_json() for trace in traces]
