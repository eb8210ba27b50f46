"""What a target knows about itself: whom it belongs to, its runs, and the proof of each window."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import TypeVar

import attrs
import msgspec

from ..errors import CheckpointError
from ..reports import Verdict, WindowOutcome
from ..windows import DateWindow

FORMAT = 1
"""The checkpoint format of this release; a newer one is refused, never guessed at."""

NO_ACCOUNT = ""
"""The `account` of rows that were fetched without a label."""

NAMES_KEPT = 20
"""How many invalid or quarantined rows a proof names; their counts are exact."""

_AS_READ = (
    *("fetched_at", "promised", "received", "delivered", "conflicts", "pages"),
    *("requests", "retries", "rereads", "halvings", "bytes"),
)
_R = TypeVar("_R", bound=attrs.AttrsInstance)
Plain = dict[str, object]


@attrs.frozen(kw_only=True)
class RunRecord:
    """One run of a backfill, over all its interruptions: what was asked, by whom, and whether it ended.

    `run` counts the runs of the account, from 1. `finished_at` is None until every window was read; then
    `windows`, `records`, `requests` and `retries` are what the run asked for and stored. The key takes no
    part in what a run belongs to: keys rotate. `rests_on`: beliefs about the service that no answer can confirm.
    """

    account: str
    run: int
    format: int = FORMAT
    base_url: str
    environment: str
    fetch_type: str | None
    from_date: date
    to_date: date
    window_days: int
    refresh_days: int
    rests_on: tuple[str, ...] = ()
    started_at: datetime
    finished_at: datetime | None = None
    windows: int = 0
    records: int = 0
    requests: int = 0
    retries: int = 0


@attrs.frozen(kw_only=True)
class WindowProof:
    """What was promised for one window, what came and what was stored, as of `fetched_at`.

    Counts are rows unless said otherwise. `read_on`: the day, in the service's time zone, on which the
    reading process started; a window that ended later was still open. `promised`: the service's total, None
    where it gave none. `received`, `delivered`, `conflicts`, `invalid`, `pages`, `requests`, `retries`,
    `rereads`, `halvings`, `bytes`: as in `WindowOutcome`. `stored`: rows of this reading that the target
    holds now, of which `added` are new and `changed` replaced an earlier state. `duplicates`: rows equal in
    every field to one already there. `quarantined`: rows kept aside because the target cannot hold a value;
    `invalid` and `quarantined_names` name at most 20 rows each.
    """

    account: str
    window_start: date
    window_end: date
    run: int
    read_on: date
    fetched_at: datetime
    verdict: Verdict
    reasons: tuple[str, ...] = ()
    promised: int | None = None
    received: int = 0
    delivered: int = 0
    stored: int = 0
    added: int = 0
    changed: int = 0
    duplicates: int = 0
    conflicts: int = 0
    invalid_count: int = 0
    invalid: tuple[str, ...] = ()
    quarantined: int = 0
    quarantined_names: tuple[str, ...] = ()
    pages: int = 0
    requests: int = 0
    retries: int = 0
    rereads: int = 0
    halvings: int = 0
    bytes: int = 0

    @property
    def window(self) -> DateWindow:
        """The days that were read."""
        return DateWindow(self.window_start, self.window_end)


@attrs.frozen
class Tally:
    """What became of the rows of one `write`; sums with ``+``."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0
    duplicates: int = 0
    quarantined: int = 0
    quarantined_names: tuple[str, ...] = ()

    @property
    def stored(self) -> int:
        """Rows that the target holds now."""
        return self.added + self.changed + self.unchanged

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            self.added + other.added,
            self.changed + other.changed,
            self.unchanged + other.unchanged,
            self.duplicates + other.duplicates,
            self.quarantined + other.quarantined,
            (self.quarantined_names + other.quarantined_names)[:NAMES_KEPT],
        )


def prove(outcome: WindowOutcome, window: DateWindow, run: RunRecord, read_on: date, tally: Tally) -> WindowProof:
    """Return the proof of a window from what was read and what was stored; a quarantined row is missing."""
    reasons, verdict = outcome.reasons, outcome.verdict
    if tally.quarantined:
        named = "; ".join(tally.quarantined_names[:3])
        reasons = (*reasons, f"{tally.quarantined} rows are in quarantine, the target cannot hold them: {named}")
        verdict = Verdict.INCOMPLETE
    return WindowProof(
        account=run.account,
        window_start=window.start,
        window_end=window.end,
        run=run.run,
        read_on=read_on,
        verdict=verdict,
        reasons=reasons,
        stored=tally.stored,
        added=tally.added,
        changed=tally.changed,
        duplicates=outcome.duplicates + tally.duplicates,
        invalid_count=len(outcome.invalid),
        invalid=outcome.invalid[:NAMES_KEPT],
        quarantined=tally.quarantined,
        quarantined_names=tally.quarantined_names,
        **{name: getattr(outcome, name) for name in _AS_READ},
    )


@attrs.define
class AccountState:
    """What a target holds for one account: its runs in order, and its proofs by the window's first day.

    Windows never overlap, and a window is only ever replaced by one that starts on the same day.
    """

    runs: list[RunRecord] = attrs.field(factory=list)
    proofs: dict[date, WindowProof] = attrs.field(factory=dict)

    @property
    def run(self) -> RunRecord | None:
        """The latest run."""
        return self.runs[-1] if self.runs else None

    def note_run(self, run: RunRecord) -> None:
        """Take in a new run, or a later state of the latest one."""
        if self.runs and self.runs[-1].run == run.run:
            self.runs[-1] = run
        else:
            self.runs.append(run)

    def note_proof(self, proof: WindowProof) -> None:
        """Take in the proof of a window that became durable."""
        self.proofs[proof.window_start] = proof

    def ordered(self) -> list[WindowProof]:
        """Return the proofs in the order of their days."""
        return [self.proofs[start] for start in sorted(self.proofs)]


TargetState = dict[str, AccountState]
"""What a target holds, by account label (``""``: no label)."""


def gather(runs: Iterable[RunRecord], proofs: Iterable[WindowProof]) -> TargetState:
    """Return the state that those records, oldest first, add up to."""
    state: TargetState = {}
    for run in runs:
        state.setdefault(run.account, AccountState()).note_run(run)
    for proof in proofs:
        state.setdefault(proof.account, AccountState()).note_proof(proof)
    return state


def to_plain(record: RunRecord | WindowProof) -> Plain:
    """Return numbers, text, lists and None under the attribute names."""
    plain: Plain = msgspec.to_builtins(record)
    return plain


def from_plain(cls: type[_R], mapping: Mapping[str, object]) -> _R:
    """Return the record that `to_plain` made the mapping of; raises `CheckpointError` for any other."""
    try:
        return msgspec.convert(mapping, cls)
    except (msgspec.ValidationError, ValueError, TypeError) as fault:
        problem = str(fault)
    raise CheckpointError(f"the checkpoint is corrupt: {problem}; restore it, or start over in a new target")


def require_format(value: object) -> None:
    """Raise `CheckpointError` for a checkpoint that a newer release wrote, or none did."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise CheckpointError("the checkpoint is corrupt: it names no format; start over in a new target")
    if value > FORMAT:
        raise CheckpointError(f"the checkpoint has format {value}, this release knows {FORMAT}: upgrade confirma-async")
