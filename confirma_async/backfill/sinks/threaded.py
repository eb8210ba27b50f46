"""File targets in the event loop: all blocking work of one target happens in one thread of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar, TypeVarTuple

import attrs

from ..proof import RunRecord, Tally, TargetState, WindowProof
from .faults import translated
from .protocol import Batch, Sink, Store, StoredRecord

_T = TypeVar("_T")
_Ts = TypeVarTuple("_Ts")


class ThreadedSink:
    """A `Sink` over a blocking store; what files and databases raise is translated here."""

    def __init__(self, store: Store, place: str) -> None:
        self._store, self._place = store, place
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="confirma-target")

    async def open(self) -> TargetState:
        """Take the target; nothing stays taken where this fails."""
        return await self._call(self._store.open)

    async def begin(self, run: RunRecord, /) -> None:
        """Record the start of a run."""
        await self._call(self._store.begin, run)

    async def write(self, batch: Batch, /) -> Tally:
        """Stage a batch."""
        return await self._call(self._store.write, batch)

    async def commit(self, proof: WindowProof, /) -> None:
        """Make a window durable."""
        await self._call(self._store.commit, proof)

    async def rollback(self) -> None:
        """Drop what was staged."""
        await self._call(self._store.rollback)

    async def finish(self, run: RunRecord, /) -> None:
        """Record the end of a run."""
        await self._call(self._store.finish, run)

    async def close(self) -> None:
        """Let go of the target, and of the thread."""
        try:
            await self._call(self._store.close)
        finally:
            self._thread.shutdown(wait=False)

    async def _call(self, work: Callable[[*_Ts], _T], *args: *_Ts) -> _T:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, lambda: translated(self._place, work, *args))


@attrs.frozen
class FileTarget:
    """A target at a path: how to write to it, and how to read it without taking it."""

    path: Path
    store: Callable[[Path], Store]
    read_state: Callable[[Path], TargetState]
    read_records: Callable[[Path], Iterator[list[StoredRecord]]]

    @property
    def key(self) -> str:
        """The path, with links resolved."""
        return str(self.path)

    def sink(self) -> Sink:
        """Return a sink that was not opened yet."""
        return ThreadedSink(self.store(self.path), str(self.path))

    async def state(self) -> TargetState:
        """Return what the target holds."""
        return await asyncio.to_thread(translated, str(self.path), self.read_state, self.path)

    async def records(self) -> AsyncIterator[StoredRecord]:
        """Yield the current state of every row; memory stays bounded."""
        with ThreadPoolExecutor(1, thread_name_prefix="confirma-target") as thread:
            loop = asyncio.get_running_loop()
            batches = self.read_records(self.path)
            try:
                while batch := await loop.run_in_executor(thread, self._next, batches):
                    for record in batch:
                        yield record
            finally:
                await loop.run_in_executor(thread, getattr(batches, "close", lambda: None))

    def _next(self, batches: Iterator[list[StoredRecord]]) -> list[StoredRecord] | None:
        while (batch := translated(self.key, next, batches, None)) is not None:
            if batch:
                return batch
        return None
