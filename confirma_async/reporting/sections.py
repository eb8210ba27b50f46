"""The parts of the page: verdict, counts, windows, and one part per chart."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from itertools import groupby

from ..backfill import WindowProof
from ..reports import Verdict
from . import markup
from .charts import Plot
from .counting import Breakdown, Durations
from .periods import PeriodCount, finest
from .results import DayCount, DeliveryResults, HandOver
from .summary import Summary
from .wording import counted, moment, named, number, share, span_of, visible

Charts = dict[str, list[Plot]]

_SIGNS = {Verdict.COMPLETE: "✓", Verdict.UNVERIFIED: "?", Verdict.INCOMPLETE: "✗"}
_MEANS = {
    Verdict.COMPLETE: "Every window brought as many rows as the service promised for it.",
    Verdict.UNVERIFIED: "Nothing was contradicted, but something could not be proved.",
    Verdict.INCOMPLETE: "Something is missing, or was not read yet.",
}
_REASONS_SHOWN = 8
_OPEN_WINDOWS = 20
_ALL_WINDOWS = 1000
_DOUBTS = 300
_TABLE_ROWS = 400
_VALUES = 100
_STATUS_COLUMNS = 8


def verdict(summary: Summary) -> str:
    """The verdict, what it means, as of when, and every reason."""
    fetched = summary.fetched
    when = "no window was read" if fetched is None else f"{moment(fetched[0])} to {moment(fetched[1])}"
    shown, rest = summary.reasons[:_REASONS_SHOWN], summary.reasons[_REASONS_SHOWN:]
    more = markup.folded(f"{counted(len(rest), 'reason')} more", _list(rest)) if rest else ""
    rests = "".join(f"<p>Rests on: {markup.text(visible(one, 500))}</p>" for one in summary.proof.rests_on)
    return (
        f'<div class="verdict {summary.verdict}"><strong><span aria-hidden="true">{_SIGNS[summary.verdict]}</span> '
        f"{summary.verdict}</strong><p>{_MEANS[summary.verdict]} As of each window's fetch time: "
        f"{markup.text(when)}.</p>{_list(shown)}{more}{rests}</div>"
    )


def _list(reasons: Sequence[str]) -> str:
    items = "".join(f'<li class="outside">{markup.text(visible(reason, 500))}</li>' for reason in reasons)
    return f"<ul>{items}</ul>" if items else ""


def counts(summary: Summary) -> str:
    """What was promised, what came, what is stored."""
    proof = summary.proof
    total, known = len(proof.windows), len(proof.windows) - summary.without_total
    promised = "promised" if known == total else f"promised, by {known:,} of {total:,} windows"
    pairs = [
        (promised, number(summary.promised)),
        ("came", number(summary.received)),
        ("stored", number(proof.records)),
        ("in the target now", number(summary.results.records)),
        ("windows", number(total)),
        ("duplicates dropped", number(proof.duplicates)),
        ("conflicts", number(proof.conflicts)),
        ("re-reads", number(proof.rereads)),
        ("halvings", number(proof.halvings)),
        ("invalid rows", number(proof.invalid)),
        ("in quarantine", number(proof.quarantined)),
        ("requests, latest run", number(proof.requests)),
    ]
    return markup.facts(pairs)


def windows(summary: Summary) -> str:
    """The proof window by window; thousands of them as years, with those in doubt by name."""
    proofs, several = summary.proof.windows, len(summary.accounts) > 1
    if not proofs:
        return markup.paragraph("No window was read.", kind="empty")
    if len(proofs) <= _ALL_WINDOWS:
        title = f"Every window ({len(proofs):,})"
        return markup.folded(title, _proofs(title, proofs, several), unfolded=len(proofs) <= _OPEN_WINDOWS)
    doubts = summary.in_doubt
    parts = [_by_year(proofs, several)]
    if doubts:
        title = f"Windows that are not COMPLETE: {min(len(doubts), _DOUBTS):,} of {len(doubts):,}"
        parts.append(markup.folded(title, _proofs(title, doubts[:_DOUBTS], several), unfolded=True))
    else:
        parts.append(markup.paragraph("Every single window is COMPLETE."))
    parts.append(markup.paragraph("confirma report --json lists every window."))
    return "".join(parts)


_PROOF_HEAD = ("promised", "came", "stored", "duplicates", "re-reads", "halvings")


def _proofs(title: str, proofs: Sequence[WindowProof], several: bool) -> str:  # noqa: FBT001  # private
    head = (*(("account",) if several else ()), "first day", "last day", "verdict", "fetched at", *_PROOF_HEAD)
    rows = [
        (
            *((named(one.account),) if several else ()),
            str(one.window_start),
            str(one.window_end),
            f"{_SIGNS[one.verdict]} {one.verdict}",
            moment(one.fetched_at),
            "no total" if one.promised is None else number(one.promised),
            *(number(count) for count in (one.received, one.stored, one.duplicates, one.rereads, one.halvings)),
        )
        for one in proofs
    ]
    return markup.table(title, head, rows, texts=4 + several)


def _by_year(proofs: Sequence[WindowProof], several: bool) -> str:  # noqa: FBT001  # private
    head = (*(("account",) if several else ()), "year", "verdict", "windows", *_PROOF_HEAD)
    rows = []
    for (account, year), group in groupby(proofs, key=lambda one: (one.account, one.window_start.year)):
        some = list(group)
        worst = reduce(Verdict.worse, (one.verdict for one in some), Verdict.COMPLETE)
        promised = sum(one.promised or 0 for one in some)
        at_least = "≥ " if any(one.promised is None for one in some) else ""
        sums = (
            sum(one.received for one in some),
            sum(one.stored for one in some),
            sum(one.duplicates for one in some),
            sum(one.rereads for one in some),
            sum(one.halvings for one in some),
        )
        first = (named(account),) if several else ()
        verdict_of = f"{_SIGNS[worst]} {worst}"
        promises = f"{at_least}{promised:,}"
        rows.append((*first, str(year), verdict_of, number(len(some)), promises, *map(number, sums)))
    return markup.table("Windows by the year they start in", head, rows, texts=2 + several)


def volume(summary: Summary, charts: Charts) -> str:
    """Records by time of creation and status."""
    results, title = summary.results, "Volume by status"
    if "volume" not in charts:
        return markup.no_chart("volume", title, "No record has a creation time.")
    says = (
        "Invoices by the calendar day of their creation (UTC where the service sent a zone), stacked by status."
        " Invoice dates are not in the records. A first or last week or month may be partial."
    )
    statuses = [status for status, _ in results.by_status.rows[:_STATUS_COLUMNS]]
    head = tuple(named(status, 40) for status in statuses)
    below = _periods(results, head, lambda one: [one.by_status.get(status, 0) for status in statuses])
    return markup.chart("volume", title, says + _not_drawn(summary, charts), below, _labels(charts["volume"]))


def _not_drawn(summary: Summary, charts: Charts) -> str:
    results = summary.results
    outside = results.records - results.undated - sum(sum(trace["y"]) for trace in charts["volume"][0]["data"])
    notes = [
        (outside, "created more than a year outside the days that were read: in the table only"),
        (results.undated, "without a creation time"),
    ]
    return "".join(f" Not drawn: {counted(count, 'record')} {why}." for count, why in notes if count > 0)


def _labels(plots: Sequence[Plot]) -> list[str]:
    return [plot["label"] for plot in plots]


def _periods(results: DeliveryResults, head: markup.Row, values: Callable[[PeriodCount], list[int]]) -> str:
    period, rows = finest(results.days, _TABLE_ROWS)
    title = f"Table: by {period}" + ("" if str(period) == "day" else " (confirma report --json lists every day)")
    cells = [(str(one.start), number(one.records), number(one.with_errors), *map(number, values(one))) for one in rows]
    return markup.folded(title, markup.table(title, (str(period), "records", "with errors", *head), cells))


def status_and_method(summary: Summary, charts: Charts) -> str:
    """Records by method and status."""
    results, title = summary.results, "Delivery by method and status"
    if "methods" not in charts:
        return markup.no_chart("methods", title, "The target holds no record.")
    says = f"All {counted(results.records, 'record')} that the target holds, as they stand now."
    below = (
        _shares("Table: status", ("status",), results.by_status, results.records)
        + _shares("Table: method", ("method",), results.by_method, results.records)
        + _shares("Table: status and method", ("status", "method"), results.by_status_and_method, results.records)
    )
    return markup.chart("methods", title, says, below)


def _shares(
    title: str,
    names: tuple[str, ...],
    breakdown: Breakdown[str | None] | Breakdown[tuple[str | None, str | None]],
    whole: int,
) -> str:
    rows = []
    for value, count in breakdown.rows[:_VALUES]:
        values = value if isinstance(value, tuple) else (value,)
        rows.append((*(named(one) for one in values), number(count), share(count, whole)))
    if rest := breakdown.total - sum(count for _, count in breakdown.rows[:_VALUES]):
        rows.append(("all others", *("",) * (len(names) - 1), number(rest), share(rest, whole)))
    return markup.folded(title, markup.table(title, (*names, "records", "share"), rows, texts=len(names)))


def failures(summary: Summary, charts: Charts) -> str:
    """Errors by code."""
    results, title = summary.results, "Failures by error code"
    if "failures" not in charts:
        return markup.no_chart("failures", title, "No failures: no record carries an error.")
    says = (
        f"{counted(results.errors, 'error')} in {counted(results.with_errors, 'record')}"
        f" ({share(results.with_errors, results.records)} of all). One record may carry several."
    )
    rows = [
        (
            named(one.code),
            named(one.kind),
            named(one.description, 300),
            number(one.errors),
            share(one.errors, results.errors),
        )
        for one in results.error_codes[:_VALUES]
    ]
    if rest := results.errors - sum(one.errors for one in results.error_codes[:_VALUES]):
        rows.append(("all others", "", "", number(rest), share(rest, results.errors)))
    head = ("error code", "type (first seen)", "description (first seen)", "errors", "share")
    name = "Table: error codes"
    return markup.chart("failures", title, says, markup.folded(name, markup.table(name, head, rows, texts=3)))


def distribution_time(summary: Summary, charts: Charts) -> str:
    """The time from creation to distribution."""
    took, title = summary.results.distribution, "Time from creation to distribution"
    if "durations" not in charts:
        return markup.no_chart("durations", title, "No record has both a creation and a distribution time.")
    says = (
        f"{_halves(took)} Mind that the bars stand for lengths of time of different widths;"
        " a time that came as a bare date counts as its midnight." + _unknown(took)
    )
    rows = [(name, number(count), share(count, took.known)) for name, count in took.buckets]
    name = "Table: time to distribution"
    below = markup.folded(name, markup.table(name, ("time to distribution", "records", "share"), rows))
    return markup.chart("durations", title, says, below)


def _halves(took: Durations) -> str:
    return (
        f"Of {counted(took.known, 'record')}, half were distributed within {span_of(took.median)}"
        f" and nine in ten within {span_of(took.ninety)}."
    )


def _unknown(took: Durations) -> str:
    notes = [(took.missing, "without one of the times"), (took.incomparable, "with a zone on one of the times only")]
    return "".join(f" Not counted: {counted(count, 'record')} {why}." for count, why in notes if count)


def hand_over(summary: Summary, charts: Charts) -> str:
    """How far the invoices came on their way to payment control."""
    results, title = summary.results, "Hand-over to payment control"
    if "hand_over" not in charts:
        return markup.no_chart("hand_over", title, "No record has a creation time.")
    cases, took = results.by_hand_over[HandOver.CASE], results.activation
    says = f"{counted(cases, 'record')} ({share(cases, results.records)}) have a case id. By day of creation."
    if took.known:
        says += f" Payment control began within {span_of(took.median)} of creation for half of those that say when."
    name = "Table: payment control"
    rows = [(str(state), number(count), share(count, results.records)) for state, count in results.by_hand_over.items()]
    below = (
        markup.folded(name, markup.table(name, ("payment control", "records", "share"), rows))
        + _shares("Table: agency and case status", ("agency", "status"), results.by_agency_and_status, results.records)
        + _periods(results, tuple(HandOver), lambda one: [one.by_hand_over.get(state, 0) for state in HandOver])
    )
    return markup.chart("hand_over", title, says, below, _labels(charts["hand_over"]))


def drawable(summary: Summary) -> list[DayCount]:
    """Return the days that a chart shows: a stray year would squeeze all others into one bar."""
    days, proofs = summary.results.days, summary.proof.windows
    if not proofs:
        return list(days)
    year = 366
    first = min(one.window_start for one in proofs).toordinal() - year
    last = max(one.window_end for one in proofs).toordinal() + year
    return [one for one in days if first <= one.day.toordinal() <= last]
