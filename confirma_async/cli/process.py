"""Exit codes, and one event loop from its start to its end, signals included."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Coroutine

DONE, FAILED, REFUSED, INTERRUPTED = 0, 1, 2, 130


def run_async(work: Callable[[], Coroutine[None, None, int]]) -> int:
    """Run a coroutine in a loop of its own; SIGINT and SIGTERM cancel it once, a second one is not held back.

    The coroutine says how to go on when it is cancelled.
    """
    try:
        return asyncio.run(_cancellable(work))
    except (asyncio.CancelledError, KeyboardInterrupt):
        return INTERRUPTED


async def _cancellable(work: Callable[[], Coroutine[None, None, int]]) -> int:
    task = asyncio.current_task()
    assert task is not None  # noqa: S101  # a coroutine that runs has a task
    loop = asyncio.get_running_loop()
    signals = (signal.SIGINT, signal.SIGTERM)

    def let_go() -> None:
        for each in signals:
            loop.remove_signal_handler(each)

    def interrupt() -> None:
        let_go()
        task.cancel()

    try:
        for each in signals:
            loop.add_signal_handler(each, interrupt)
    except (NotImplementedError, RuntimeError, ValueError):  # Windows, or not the main thread: Ctrl-C cancels as well
        return await work()
    try:
        return await work()
    finally:
        let_go()
