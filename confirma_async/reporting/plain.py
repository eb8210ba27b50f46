"""A summary as numbers, text, lists and None."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..backfill.proof import to_plain
from .counting import Breakdown, Durations
from .results import DayCount, DeliveryResults

if TYPE_CHECKING:
    from .summary import Summary

Plain = dict[str, object]


def plain_summary(summary: Summary) -> Plain:
    """Return the whole summary, every window and every day; absent values are null."""
    proof, fetched = summary.proof, summary.fetched
    return {
        "target": summary.target,
        "accounts": list(summary.accounts),
        "generated_at": summary.generated_at.isoformat(),
        "verdict": str(summary.verdict),
        "reasons": list(summary.reasons),
        "rests_on": list(proof.rests_on),
        "as_of": None if fetched is None else {"first": fetched[0].isoformat(), "last": fetched[1].isoformat()},
        "promised": summary.promised,
        "windows_without_total": summary.without_total,
        "received": summary.received,
        "stored": proof.records,
        "duplicates": proof.duplicates,
        "conflicts": proof.conflicts,
        "rereads": proof.rereads,
        "halvings": proof.halvings,
        "invalid": proof.invalid,
        "quarantined": proof.quarantined,
        "requests": proof.requests,
        "retries": proof.retries,
        "windows": [to_plain(window) for window in proof.windows],
        "runs": [to_plain(run) for run in proof.runs],
        "results": _results(summary.results),
    }


def _results(results: DeliveryResults) -> Plain:
    return {
        "records": results.records,
        "with_errors": results.with_errors,
        "by_status": _breakdown(results.by_status, "status"),
        "by_method": _breakdown(results.by_method, "method"),
        "by_status_and_method": _breakdown(results.by_status_and_method, "status", "method"),
        "errors": results.errors,
        "by_error_code": [
            {"code": one.code, "type": one.kind, "description": one.description, "errors": one.errors}
            for one in results.error_codes
        ],
        "other_errors": results.other_errors,
        "by_day": [_day(day) for day in results.days],
        "without_created_at": results.undated,
        "days_not_listed": results.unlisted_days,
        "hand_over": {state.name.lower(): count for state, count in results.by_hand_over.items()},
        "by_agency_and_case_status": _breakdown(results.by_agency_and_status, "agency", "status"),
        "creation_to_distribution": _durations(results.distribution),
        "creation_to_payment_control": _durations(results.activation),
    }


def _breakdown(breakdown: Breakdown[str | None] | Breakdown[tuple[str | None, str | None]], *names: str) -> Plain:
    rows: list[Plain] = []
    for value, records in breakdown.rows:
        values = value if isinstance(value, tuple) else (value,)
        rows.append({**dict(zip(names, values, strict=True)), "records": records})
    return {"rows": rows, "others": breakdown.others}


def _day(day: DayCount) -> Plain:
    return {
        "day": day.day.isoformat(),
        "records": day.records,
        "with_errors": day.with_errors,
        "by_status": [{"status": status, "records": count} for status, count in day.by_status.items()],
        "other_statuses": day.other_statuses,
        "hand_over": {state.name.lower(): count for state, count in day.by_hand_over.items()},
    }


def _durations(durations: Durations) -> Plain:
    return {
        "known": durations.known,
        "median_minutes": durations.median,
        "ninety_percent_within_minutes": durations.ninety,
        "buckets": [{"length": name, "records": count} for name, count in durations.buckets],
        "missing": durations.missing,
        "incomparable": durations.incomparable,
    }
