"""The proof of a backfill as a whole, readable from its target alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import reduce

import attrs

from ..reports import Verdict
from ..windows import DateWindow
from .coverage import uncovered
from .proof import NO_ACCOUNT, AccountState, RunRecord, TargetState, WindowProof

_REASONS_KEPT = 1000


@attrs.frozen
class BackfillReport:
    """What was promised, what came and what is stored, window by window.

    `verdict`: COMPLETE says that every window of the range brought what the service promised for it, each as
    of its own `fetched_at`; UNVERIFIED that nothing was contradicted but something could not be proved;
    INCOMPLETE that something is missing, in quarantine, or not read yet. `reasons`: why it is not COMPLETE,
    at most the first 1,000. `windows`: the proofs, in the order of account and days. `records`: rows of these
    windows that the target holds. `duplicates`, `conflicts`, `rereads`, `halvings`, `invalid`, `quarantined`:
    sums over the windows. `requests`, `retries`: of the latest run of each account, interruptions included,
    as far as the windows became durable. `runs`: the latest run of each account. `rests_on`: beliefs about
    the service that no answer can confirm.
    """

    verdict: Verdict
    reasons: tuple[str, ...]
    windows: tuple[WindowProof, ...]
    records: int
    duplicates: int
    conflicts: int
    rereads: int
    halvings: int
    invalid: int
    quarantined: int
    requests: int
    retries: int
    runs: tuple[RunRecord, ...]
    rests_on: tuple[str, ...]

    def __str__(self) -> str:
        counts = (
            f"{self.verdict}: {self.records:,} records in {len(self.windows):,} windows "
            f"({self.requests:,} requests in the latest run, {self.duplicates:,} duplicates dropped, "
            f"{self.conflicts:,} conflicts, {self.invalid:,} invalid, {self.quarantined:,} in quarantine)"
        )
        return "\n".join(
            [
                counts,
                *(f"  {reason}" for reason in self.reasons),
                *(f"  rests on: {belief}" for belief in self.rests_on),
            ]
        )


def report_on(state: TargetState, account: str | None = None, span: DateWindow | None = None) -> BackfillReport:
    """Return the report on one account (None: all) and on one range (None: all that was ever asked for)."""
    chosen = {label: held for label, held in sorted(state.items()) if account is None or label == account}
    proofs = [proof for held in chosen.values() for proof in _within(held, span)]
    doubts = [doubt for label, held in chosen.items() for doubt in _doubts(label, held, span)]
    doubts.sort(key=lambda doubt: doubt[0] is not Verdict.INCOMPLETE)  # what decides the verdict is named first
    if not chosen:
        doubts = [(Verdict.INCOMPLETE, "the target holds no run of a backfill")]
    runs = tuple(held.run for held in chosen.values() if held.run is not None)
    latest = [proof for held in chosen.values() for proof in _of_latest_run(held)]
    return BackfillReport(
        verdict=reduce(Verdict.worse, (verdict for verdict, _ in doubts), Verdict.COMPLETE),
        reasons=tuple(reason for _, reason in doubts[:_REASONS_KEPT]),
        windows=tuple(proofs),
        records=sum(proof.stored for proof in proofs),
        duplicates=sum(proof.duplicates for proof in proofs),
        conflicts=sum(proof.conflicts for proof in proofs),
        rereads=sum(proof.rereads for proof in proofs),
        halvings=sum(proof.halvings for proof in proofs),
        invalid=sum(proof.invalid_count for proof in proofs),
        quarantined=sum(proof.quarantined for proof in proofs),
        requests=sum(proof.requests for proof in latest),
        retries=sum(proof.retries for proof in latest),
        runs=runs,
        rests_on=tuple(dict.fromkeys(belief for run in runs for belief in run.rests_on)),
    )


def finished(run: RunRecord, state: AccountState) -> RunRecord:
    """Return the run with the sums over the windows it read, without its end."""
    proofs = [proof for proof in state.proofs.values() if proof.run == run.run]
    return attrs.evolve(
        run,
        windows=len(proofs),
        records=sum(proof.stored for proof in proofs),
        requests=sum(proof.requests for proof in proofs),
        retries=sum(proof.retries for proof in proofs),
    )


def _within(held: AccountState, span: DateWindow | None) -> list[WindowProof]:
    if span is None:
        return held.ordered()
    return [p for p in held.ordered() if p.window_end >= span.start and p.window_start <= span.end]


def _of_latest_run(held: AccountState) -> Iterable[WindowProof]:
    return [proof for proof in held.proofs.values() if held.run is not None and proof.run == held.run.run]


def _doubts(label: str, held: AccountState, span: DateWindow | None) -> Iterator[tuple[Verdict, str]]:
    prefix = "" if label == NO_ACCOUNT else f"{label}: "
    spans = {DateWindow(run.from_date, run.to_date) for run in held.runs} if span is None else {span}
    proofs = held.ordered()
    missing = {gap for asked in spans for gap in uncovered(asked, proofs)}
    for gap in sorted(missing):
        yield Verdict.INCOMPLETE, f"{prefix}{gap}: not read yet"
    for proof in _within(held, span):
        if proof.verdict is not Verdict.COMPLETE:
            why = "; ".join(proof.reasons) or "the service promised no total"
            yield proof.verdict, f"{prefix}{proof.window}: {why}"
