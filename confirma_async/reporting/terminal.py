"""A summary as text for a terminal: everything counted, long lists shortened and said to be."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from ..backfill import WindowProof
from ..reports import Verdict
from .counting import Breakdown, Durations
from .periods import finest
from .results import DeliveryResults
from .wording import counted, moment, named, number, share, span_of, visible

if TYPE_CHECKING:
    from .summary import Summary

_REASONS = 10
_WINDOWS = 40
_ENDS = 10
_VALUES = 12
_DAYS = 45
_LABEL = 32

Row = tuple[str, ...]


def summary_text(summary: Summary) -> str:
    """Return the text; parts are a line apart."""
    parts = (_head(summary), _counts(summary), _windows(summary), *_delivery(summary.results))
    return "\n\n".join("\n".join(part) for part in parts if part)


def _head(summary: Summary) -> list[str]:
    fetched = summary.fetched
    when = "no window was read" if fetched is None else f"{moment(fetched[0])} to {moment(fetched[1])}"
    labels = ", ".join(named(label) for label in summary.accounts[:_VALUES] if label)
    lines = [
        f"{summary.verdict}: {visible(summary.target)}{f' (account {labels})' if labels else ''}",
        f"  as of each window's fetch time: {when}",
    ]
    lines += [f"  {visible(reason, 400)}" for reason in summary.reasons[:_REASONS]]
    if (left := len(summary.reasons) - _REASONS) > 0:
        lines.append(f"  and {counted(left, 'reason')} more (--json lists them)")
    return [*lines, *(f"  rests on: {visible(belief, 400)}" for belief in summary.proof.rests_on)]


def _counts(summary: Summary) -> list[str]:
    proof = summary.proof
    promised = number(summary.promised)
    if summary.without_total:
        promised += f" (no total for {counted(summary.without_total, 'window')})"
    return [
        f"{counted(len(proof.windows), 'window')}: promised {promised}, came {number(summary.received)}, "
        f"stored {number(proof.records)}; {counted(summary.results.records, 'record')} in the target now",
        f"duplicates {number(proof.duplicates)}, conflicts {number(proof.conflicts)}, "
        f"invalid {number(proof.invalid)}, in quarantine {number(proof.quarantined)}, "
        f"re-reads {number(proof.rereads)}, halvings {number(proof.halvings)}; "
        f"latest run: {counted(proof.requests, 'request')}, {counted(proof.retries, 'retry', 'retries')}",
    ]


def _windows(summary: Summary) -> list[str]:
    proofs = summary.proof.windows
    if not proofs:
        return []
    shown, note = _chosen(proofs)
    several = len(summary.accounts) > 1
    head = ("window", "verdict", "promised", "came", "stored", "dupl.", "re-reads", "halvings", "fetched at")
    rows = [(*((named(one.account, 16),) if several else ()), *_window(one)) for one in shown]
    return [*_table((*(("account",) if several else ()), *head), rows, numbers_from=2 + several), *note]


def _chosen(proofs: Sequence[WindowProof]) -> tuple[Sequence[WindowProof], list[str]]:
    if len(proofs) <= _WINDOWS:
        return proofs, []
    doubtful = [proof for proof in proofs if proof.verdict is not Verdict.COMPLETE]
    if doubtful:
        shown = doubtful[:_WINDOWS]
        left = len(doubtful) - len(shown)
        more = f"{counted(left, 'window')} more in doubt, " if left else ""
        complete = len(proofs) - len(doubtful)
        return shown, [f"{more}{counted(complete, 'COMPLETE window')} not shown (--json lists every window)"]
    left = len(proofs) - 2 * _ENDS
    note = f"first and last {_ENDS} shown; the {left:,} between are COMPLETE, too (--json lists every window)"
    return (*proofs[:_ENDS], *proofs[-_ENDS:]), [note]


def _window(proof: WindowProof) -> Row:
    return (
        f"{proof.window_start} {proof.window_end}",
        str(proof.verdict),
        "?" if proof.promised is None else number(proof.promised),
        *(number(n) for n in (proof.received, proof.stored, proof.duplicates, proof.rereads, proof.halvings)),
        moment(proof.fetched_at),
    )


def _delivery(results: DeliveryResults) -> Iterator[list[str]]:
    if not results.records:
        return
    yield _breakdown("status", results.by_status)
    yield _breakdown("method", results.by_method)
    yield _errors(results)
    yield _days(results)
    yield _hand_over(results)


def _breakdown(title: str, breakdown: Breakdown[str | None]) -> list[str]:
    top, left = breakdown.top(_VALUES)
    whole = breakdown.total
    rows = [(named(value, _LABEL), number(count), share(count, whole)) for value, count in top]
    if left:
        rows.append(("all others", number(left), share(left, whole)))
    return _table((title, "records", "share"), rows)


def _errors(results: DeliveryResults) -> list[str]:
    if not results.errors:
        return ["no record carries an error"]
    shown = results.error_codes[:_VALUES]
    rows = [(named(one.code, _LABEL), number(one.errors), share(one.errors, results.errors)) for one in shown]
    if left := results.errors - sum(one.errors for one in shown):
        rows.append(("all others", number(left), share(left, results.errors)))
    note = f"{counted(results.errors, 'error')} in {counted(results.with_errors, 'record')}: one may carry several"
    return [*_table(("error code", "errors", "share"), rows), note]


def _days(results: DeliveryResults) -> list[str]:
    period, periods = finest(results.days, _DAYS)
    statuses = [status for status, _ in results.by_status.rows[:4]]
    rows = [
        (
            str(one.start),
            number(one.records),
            number(one.with_errors),
            *(number(one.by_status.get(status, 0)) for status in statuses),
        )
        for one in periods[-_DAYS:]
    ]
    head = (f"created, by {period}", "records", "with errors", *(named(status, 16) for status in statuses))
    note = "by the day of creation (UTC where the service sent a zone); invoice dates are not in the records"
    lines = [*_table(head, rows), note]
    if (left := len(periods) - _DAYS) > 0:
        lines.append(f"{left:,} earlier {period}s not shown (--json lists every day)")
    if results.undated:
        lines.append(f"{counted(results.undated, 'record')} without a creation time")
    return lines


def _hand_over(results: DeliveryResults) -> list[str]:
    counts = results.by_hand_over.items()
    rows = [(str(state), number(count), share(count, results.records)) for state, count in counts]
    return [
        *_table(("payment control", "records", "share"), rows),
        _time("creation to distribution", results.distribution),
        _time("creation to payment control", results.activation),
    ]


def _time(what: str, took: Durations) -> str:
    if not took.known:
        return f"{what}: no record says it"
    return (
        f"{what}: half within {span_of(took.median)}, nine in ten within {span_of(took.ninety)} "
        f"({counted(took.known, 'record')})"
    )


def _table(head: Row, rows: Sequence[Row], *, numbers_from: int = 1) -> list[str]:
    widths = [max(len(row[place]) for row in (head, *rows)) for place in range(len(head))]
    lines = []
    for row in (head, *rows):
        cells = [
            cell.ljust(width) if place < numbers_from else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    return lines
