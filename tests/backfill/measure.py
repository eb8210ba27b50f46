"""Peak memory and CPU per record of one target, over the fake service: ``measure.py TARGET RECORDS``.

Prints JSON: what it cost, and what iterating the same records alone costs.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from datetime import date
from functools import lru_cache
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.backfill.fakes import Rows, Service, invoice, run

DAYS = 360


def rows_of(per_day: int) -> Service:
    """Return a service with so many rows a day."""

    @lru_cache(maxsize=2)
    def day(when: date) -> Rows:
        return [
            invoice(
                f"{when:%Y%m%d}{place:06d}",
                case_id=f"C{place}" if place % 3 else None,
                errors=place % 7 == 0,
                when=when,
            )
            for place in range(per_day)
        ]

    return Service(rows_of=day, page=1000)


def peak() -> float:
    """Return the most memory this process ever held, in MiB; `getrusage` would count its parent, too."""
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


async def main(into: str, records: int) -> None:
    service = rows_of(records // DAYS)
    start, end = date(2024, 1, 1), date.fromordinal(date(2024, 1, 1).toordinal() + DAYS - 1)
    before = time.process_time()
    for day in range(start.toordinal(), end.toordinal() + 1):
        service.rows_of(date.fromordinal(day))
    alone = time.process_time() - before
    before, began = time.process_time(), time.monotonic()
    report = await run(service, start, end, into, window_days=1)
    cpu = time.process_time() - before - alone
    sys.stdout.write(
        json.dumps(
            {
                "records": report.records,
                "verdict": report.verdict,
                "peak_mib": round(peak(), 1),
                "cpu_us_per_record": round(cpu / report.records * 1e6, 2),
                "wall_seconds": round(time.monotonic() - began, 2),
            }
        )
    )


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
