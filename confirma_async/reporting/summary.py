"""The proof and the delivery results of one target, in one reading."""

from __future__ import annotations

from contextlib import aclosing
from datetime import UTC, datetime
from typing import TYPE_CHECKING, cast

import attrs

from ..backfill import BackfillReport, Into, WindowProof, open_target
from ..backfill.proof import TargetState
from ..backfill.report import report_on
from ..errors import ConfigurationError
from ..reports import Verdict
from .results import DeliveryResults, ResultCounter
from .wording import visible

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator, Mapping

    from ..backfill import StoredRecord, StoredTarget

    Held = Mapping[tuple[str, str], int]

_NAMED = 5


@attrs.frozen
class Summary:
    """What a target holds, what was promised for it, and how delivery went.

    `target`: its name, without a password. `accounts`: the labels that are in it (of the chosen one: that
    one). `verdict` and `reasons`: those of `proof`, made worse where the target now holds fewer rows of a
    window than were stored. `proof`: the windows, each as of its own `fetched_at`. `results`: the delivery
    results of every row that is held now. `generated_at`: when the reading started.
    """

    target: str
    accounts: tuple[str, ...]
    verdict: Verdict
    reasons: tuple[str, ...]
    proof: BackfillReport
    results: DeliveryResults
    generated_at: datetime

    @property
    def promised(self) -> int:
        """Rows that the service promised, over the windows for which it gave a total."""
        return sum(window.promised or 0 for window in self.proof.windows)

    @property
    def without_total(self) -> int:
        """Windows for which the service promised nothing."""
        return sum(window.promised is None for window in self.proof.windows)

    @property
    def received(self) -> int:
        """Rows that came, over all windows."""
        return sum(window.received for window in self.proof.windows)

    @property
    def fetched(self) -> tuple[datetime, datetime] | None:
        """The earliest and the latest fetch time of a window; None where no window was read."""
        times = [window.fetched_at for window in self.proof.windows]
        return (min(times), max(times)) if times else None

    @property
    def in_doubt(self) -> tuple[WindowProof, ...]:
        """The windows that are not proved complete."""
        return tuple(window for window in self.proof.windows if window.verdict is not Verdict.COMPLETE)

    def to_dict(self) -> dict[str, object]:
        """Return everything as numbers, text, lists and None, ready for JSON."""
        from .plain import plain_summary

        return plain_summary(self)

    def __str__(self) -> str:
        from .terminal import summary_text

        return summary_text(self)


async def summarize(target: Into, account: str | None = None) -> Summary:
    """Read a target once, from its proofs to its last row; memory does not grow with its records.

    `target`: as `into` of a backfill; it is neither taken nor changed, and may be written meanwhile.
    `account`: one label of the target; None is all of them. Raises `ConfigurationError` for a target that
    cannot be, or a label that it does not hold; `TargetError` or `CheckpointError` where it cannot be read.
    """
    opened, started = open_target(target), datetime.now(UTC)
    state = await opened.state()
    require_account(state, account)
    results, held = await _count(opened, account)
    proof = report_on(state, account)
    lost = _lost(proof, held)
    verdict = proof.verdict.worse(Verdict.INCOMPLETE) if lost else proof.verdict
    return Summary(
        target=opened.target.key,
        accounts=tuple(sorted(state)) if account is None else (account,),
        verdict=verdict,
        reasons=(*lost, *_worst_first(proof)),
        proof=proof,
        results=results,
        generated_at=started,
    )


def require_account(state: TargetState, account: str | None) -> None:
    """Raise `ConfigurationError` for a label that the target does not hold; it names some that it does."""
    if account is None or account in state or not state:
        return
    labels = [visible(label) for label in sorted(state) if label]
    known = f"it holds {', '.join(labels[:_NAMED])}" if labels else "its rows have no label"
    raise ConfigurationError(f"the target holds no account {visible(account)!r}: {known}")


async def stored_records(opened: StoredTarget, account: str | None) -> AsyncGenerator[StoredRecord, None]:
    """Yield the rows of one account, or of all; close it to let go of the target."""
    async with aclosing(cast("AsyncGenerator[StoredRecord, None]", opened.records())) as records:
        async for stored in records:
            if account is None or stored.account == account:
                yield stored


async def _count(opened: StoredTarget, account: str | None) -> tuple[DeliveryResults, Held]:
    counter = ResultCounter()
    held: dict[tuple[str, str], int] = {}
    async with aclosing(stored_records(opened, account)) as records:
        async for stored in records:
            counter.add(stored.invoice)
            place = stored.account, stored.window_start
            held[place] = held.get(place, 0) + 1
    return counter.done(), held


def _worst_first(proof: BackfillReport) -> list[str]:
    """Return the reasons with those of UNVERIFIED windows at the end, else in their order."""
    milder = {
        f"{one.account + ': ' if one.account else ''}{one.window}"
        for one in proof.windows
        if one.verdict is Verdict.UNVERIFIED
    }
    return sorted(proof.reasons, key=lambda reason: any(map(milder.__contains__, _heads(reason))))


def _heads(reason: str) -> Iterator[str]:
    """Yield what may be the account and window that a reason begins with: a label may hold colons."""
    return (reason[:place] for place, sign in enumerate(reason) if sign == ":")


def _lost(proof: BackfillReport, held: Held) -> tuple[str, ...]:
    """Say which windows the target now holds fewer rows of than were stored: rows never leave by themselves."""
    short = [
        (window, found)
        for window in proof.windows
        if (found := held.get((window.account, window.window_start.isoformat()), 0)) < window.stored
    ]
    named = [
        f"{window.account + ': ' if window.account else ''}{window.window}: {window.stored:,} rows were stored, "
        f"the target holds {found:,} now: something else removed rows"
        for window, found in short[:_NAMED]
    ]
    if (left := len(short) - _NAMED) > 0:
        named.append(f"{left:,} windows more hold fewer rows than were stored")
    return tuple(named)
