"""One life of a backfill over HTTP, to be killed: ``life.py ADDRESS KEY TARGET FROM TO WINDOW_DAYS``."""

from __future__ import annotations

import asyncio
import signal
import sys
from datetime import date
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from confirma_async import ConfirmaClient, ConfirmaError

CONCURRENCY = 2


async def main(address: str, key: str, into: str, start: str, end: str, window_days: str) -> None:
    task = asyncio.current_task()
    assert task is not None
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, task.cancel)
    async with ConfirmaClient(key, base_url=address, concurrency=CONCURRENCY) as client:
        report = await client.backfill(
            date.fromisoformat(start), date.fromisoformat(end), into=into, window_days=int(window_days)
        )
    sys.stdout.write(f"{report.verdict} {report.records}\n")


def live() -> int:
    """Run one life; returns the exit code."""
    try:
        asyncio.run(main(*sys.argv[1:]))
    except ConfirmaError as failure:
        sys.stderr.write(f"{type(failure).__name__}: {failure}\n")
        return 1
    except asyncio.CancelledError:
        sys.stderr.write("interrupted\n")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(live())
