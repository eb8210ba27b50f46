"""The tiny protocol between the runner and a contender.

A contender is a module with a function `read(url, job, tally)`, plain or `async`, that reads the whole
job and tells the tally what it saw. `main(read)` serves passes: it prints `null` on the standard output
the process was started with once it is ready, then for each line it is given it runs the job once and
prints one line of JSON; it ends when its standard input does. In between it waits and costs nothing. All
imports of a contender stand at the top of its module, so they are done before the clocks start: the
numbers are those of the job, not of the imports.
"""

import argparse
import asyncio
import gc
import inspect
import json
import os
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from benchmarks.jobs import Job

STATUS = Path("/proc/self/status")


def memory_mib(field: str) -> float:
    """`VmRSS` or `VmHWM` (its peak) of this process in MiB; 0 where there is no /proc.

    The peak that `getrusage` reports may be inherited from the process that started this one.
    """
    if not STATUS.exists():
        return 0.0
    for line in STATUS.read_text().splitlines():
        if line.startswith(field):
            return int(line.split()[1]) / 1024
    return 0.0


class Tally:
    """What a contender saw, and the clocks around it.

    `mark_every` asks contenders that can to call `mark` after each so many records (0: never).
    """

    def __init__(self, mark_every: int = 0) -> None:
        self.count = 0
        self.checksum = 0
        self.mark_every = mark_every
        self.samples: list[float] = []
        self._first: float | None = None
        self._started = 0.0
        self._cpu = 0.0

    def start(self) -> None:
        """Start the clocks; what was left over from before is thrown away first."""
        gc.collect()
        self.rss_before = memory_mib("VmRSS")
        self._cpu = time.process_time()
        self._started = time.perf_counter()

    def first(self) -> None:
        """The first record is in the caller's hands."""
        if self._first is None:
            self._first = time.perf_counter() - self._started

    def page(self, numbers: list[int]) -> None:
        """Invoice numbers of one page."""
        self.first()
        self.count += len(numbers)
        self.checksum += sum(numbers)
        if self.mark_every:
            self.mark()

    def whole(self, count: int, checksum: int) -> None:
        """Everything at once, for contenders that count for themselves."""
        self.count = count
        self.checksum = checksum

    def mark(self) -> None:
        """Note the peak of memory so far."""
        self.samples.append(memory_mib("VmHWM"))

    def result(self) -> dict[str, object]:
        """Stop the clocks and say what happened. CPU counts all threads, user and system."""
        wall = time.perf_counter() - self._started
        cpu = time.process_time() - self._cpu
        return {
            "wall": wall,
            "cpu": cpu,
            "records": self.count,
            "checksum": self.checksum,
            "first_record": self._first,
            "rss_before_mib": self.rss_before,
            "peak_rss_mib": memory_mib("VmHWM"),
            "samples_mib": self.samples,
        }


Read = Callable[[str, Job, Tally], Awaitable[None] | None]


def main(read: Read) -> None:
    """Serve passes of the job on the command line.

    First it reads one window outside the clocks, so that lazy imports and first-use caches are not
    counted; not in jobs that look at memory, which must see everything.
    """
    parser = argparse.ArgumentParser()
    parser.add_argument("--url", required=True)
    parser.add_argument("--job", required=True, type=Job.from_json)
    parser.add_argument("--uvloop", action="store_true")
    args = parser.parse_args()
    run = _uvloop_run() if args.uvloop else asyncio.run
    answer = answers()
    if not args.job.sample_every:
        _read(read, run, args.url, args.job.first(1), Tally())
    answer(None)
    for _ in sys.stdin:
        tally = Tally(args.job.sample_every)
        tally.start()
        _read(read, run, args.url, args.job, tally)
        answer(tally.result())


def answers() -> Callable[[object], None]:
    """A function that prints one line of JSON for the runner; what a contender prints is not ours."""
    out = os.fdopen(os.dup(1), "w")

    def answer(content: object) -> None:
        print(json.dumps(content), file=out, flush=True)

    return answer


def _read(read: Read, run: Callable[..., object], url: str, job: Job, tally: Tally) -> None:
    if inspect.iscoroutinefunction(read):
        run(read(url, job, tally))
    else:
        read(url, job, tally)


def _uvloop_run() -> Callable[..., object]:
    import uvloop

    return uvloop.run
