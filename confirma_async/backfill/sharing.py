"""One target, one writer: accounts that write to it at the same time share what was opened, and take turns."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable
from typing import TypeVar

import attrs

from ..errors import CheckpointError
from .proof import AccountState, RunRecord, TargetState, WindowProof
from .sinks.protocol import Sink, Target

_T = TypeVar("_T")


async def undisturbed(work: Awaitable[_T]) -> _T:
    """Let `work` come to its end even if the caller is cancelled, and raise the cancellation then."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        while not task.done():
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.wait({task})
        if not task.cancelled():
            task.exception()  # looked at, so that nobody warns of it
        raise


@attrs.define(eq=False)
class OpenTarget:
    """A target that this process holds; `turn` is taken for each window, from its first row to its commit."""

    sink: Sink
    state: TargetState = attrs.field(factory=dict)
    accounts: set[str] = attrs.field(factory=set)
    gate: asyncio.Lock = attrs.field(factory=asyncio.Lock)
    turn: asyncio.Lock = attrs.field(factory=asyncio.Lock)
    users: int = 0
    closed: bool = False

    def of(self, account: str) -> AccountState:
        """Return what the target holds for one account."""
        return self.state.setdefault(account, AccountState())

    async def begin(self, run: RunRecord) -> None:
        """Record the start of a run."""
        async with self.turn:
            await undisturbed(self.sink.begin(run))
        self.of(run.account).note_run(run)

    async def finish(self, run: RunRecord) -> None:
        """Record the end of a run."""
        async with self.turn:
            await undisturbed(self.sink.finish(run))
        self.of(run.account).note_run(run)

    async def commit(self, proof: WindowProof) -> None:
        """Make a window durable; the caller has the turn."""
        await undisturbed(self._commit(proof))

    async def _commit(self, proof: WindowProof) -> None:
        await self.sink.commit(proof)
        self.of(proof.account).note_proof(proof)


_OPEN: dict[tuple[int, str], OpenTarget] = {}


@contextlib.asynccontextmanager
async def opened(target: Target, account: str) -> AsyncIterator[OpenTarget]:
    """Hold the target for one account, opened by whoever comes first and closed by whoever leaves last.

    Raises `CheckpointError` where the same account is being written already.
    """
    held = await _enter(target)
    try:
        if account in held.accounts:
            raise CheckpointError(
                "another backfill of this process is writing the same account to this target: wait until it ends"
            )
        held.accounts.add(account)
        try:
            yield held
        finally:
            held.accounts.discard(account)
    finally:
        await undisturbed(_leave(target, held))


async def _enter(target: Target) -> OpenTarget:
    key = id(asyncio.get_running_loop()), target.key
    while True:
        held = _OPEN.get(key)
        if held is None:
            held = _OPEN[key] = OpenTarget(target.sink())
        async with held.gate:
            if held.closed:
                continue
            if held.users == 0:
                await _open_or_let_go(key, held)
            held.users += 1
            return held


async def _open_or_let_go(key: tuple[int, str], held: OpenTarget) -> None:
    try:
        await undisturbed(_open(key, held))
    except asyncio.CancelledError:
        if not held.closed:
            await undisturbed(_shut(key, held))
        raise


async def _open(key: tuple[int, str], held: OpenTarget) -> None:
    try:
        held.state = await held.sink.open()
    except BaseException:
        held.closed = True
        _OPEN.pop(key, None)
        await held.sink.close()
        raise


async def _leave(target: Target, held: OpenTarget) -> None:
    async with held.gate:
        held.users -= 1
        if held.users == 0:
            await _shut((id(asyncio.get_running_loop()), target.key), held)


async def _shut(key: tuple[int, str], held: OpenTarget) -> None:
    held.closed = True
    try:
        await held.sink.close()
    finally:
        _OPEN.pop(key, None)
