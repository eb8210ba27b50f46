"""Standard output as bytes: written whole, unbuffered, and without holding up the event loop."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import queue
import sys
import threading
import time
from collections.abc import Callable
from typing import Final

_GRACE: Final = 1.0  # seconds for a write that is under way when the run is cancelled
_FULL_PIPE_WAIT: Final = 0.01


class OutputClosedError(Exception):
    """Nobody reads standard output any more, as after ``| head``: no failure, there is nothing left to do."""


class OutputError(Exception):
    """Standard output cannot be written: it is closed, or the disk is full."""


def write_out(data: bytes) -> None:
    """Write all of `data` to standard output, past its buffers: what was written is visible at once."""
    if sys.stdout is None:
        raise OutputError("standard output is closed")
    buffer = sys.stdout.buffer
    try:
        sys.stdout.flush()
        raw: Callable[[memoryview], int | None] = getattr(buffer, "raw", buffer).write
        rest = memoryview(data)
        while rest:
            written = raw(rest)
            if written is None:  # a pipe that does not block, and is full
                time.sleep(_FULL_PIPE_WAIT)
            else:
                rest = rest[written:]
    except OSError as fault:
        failure = fault
    else:
        return
    if isinstance(failure, BrokenPipeError) or (os.name == "nt" and failure.errno == errno.EINVAL):
        raise OutputClosedError
    raise OutputError(f"standard output cannot be written: {failure.strerror}")


class OutputThread:
    """Writes in a thread of its own: a reader that pauses, as `less` does, stops no timer of the loop.

    The thread is a daemon: a reader that never reads again does not keep the process.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._jobs: queue.SimpleQueue[tuple[bytes, asyncio.Future[None]] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="confirma-stdout", daemon=True)
        self._thread.start()
        self._under_way: asyncio.Future[None] | None = None

    @property
    def idle(self) -> bool:
        """Whether all that was handed over was written."""
        return self._under_way is None or (self._under_way.done() and self._under_way.exception() is None)

    async def write(self, data: bytes) -> None:
        """Write all of it; raises `OutputClosedError` or `OutputError`. One caller at a time."""
        self._under_way = done = self._loop.create_future()
        self._jobs.put((data, done))
        try:
            await asyncio.shield(done)
        except asyncio.CancelledError:
            await asyncio.wait({done}, timeout=_GRACE)
            raise

    def close(self) -> None:
        """Let the thread end when it has written what it has."""
        self._jobs.put(None)

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            data, done = job
            failure: OutputClosedError | OutputError | None = None
            try:
                write_out(data)
            except (OutputClosedError, OutputError) as error:
                failure = error
            with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile: nobody waits
                self._loop.call_soon_threadsafe(_settle, done, failure)


def _settle(done: asyncio.Future[None], failure: Exception | None) -> None:
    if failure is None:
        done.set_result(None)
    else:
        done.set_exception(failure)
        done.exception()  # looked at: a cancelled writer asks no more
