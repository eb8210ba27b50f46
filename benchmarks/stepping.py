"""Two reads of confirma_async that take steps in turn: `python -m benchmarks.stepping`.

One has just begun, the other is far into a long range. Both live in one process, each in an event loop
of its own that stands still while the other runs. So the CPU of a record here and there is measured
within the same few milliseconds, on the same core and in the same heap, whatever the machine does.
"""

import argparse
import asyncio
import json
import time
from contextlib import closing
from dataclasses import asdict, dataclass

from benchmarks.jobs import API_KEY, Job
from confirma_async import ConfirmaClient

HEADS = 7


@dataclass(frozen=True)
class Steps:
    """Where reads are measured, in records.

    The far read from record `far` of the job on; the near one from `near` on, and anew after each `turns`
    steps, `restarts` times. `step` is what is read in one step.
    """

    near: int
    far: int
    step: int
    turns: int
    restarts: int

    def to_json(self) -> str:
        """One line that `from_json` reads."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "Steps":
        """The inverse of `to_json`."""
        return cls(**json.loads(text))


class Reader:
    """One read through the public API that goes on only while it is told to."""

    def __init__(self, url: str, job: Job) -> None:
        self._url = url
        self._job = job
        self._loop = asyncio.new_event_loop()
        self._stop_at = 0
        self._reached = self._loop.create_future()
        self._go = self._loop.create_future()
        self._task = self._loop.create_task(self._read())

    def step(self, records: int) -> float:
        """Read so many records more, and say how many seconds of CPU that took."""
        started = time.process_time()
        self._stop_at += records
        self._reached = self._loop.create_future()
        if not self._go.done():
            self._go.set_result(None)
        both = asyncio.wait([self._reached, self._task], return_when=asyncio.FIRST_COMPLETED)
        self._loop.run_until_complete(both)
        if self._task.done():
            raise self._task.exception() or RuntimeError("the read ended before its steps did")
        return time.process_time() - started

    async def _read(self) -> None:
        job, count = self._job, 0
        async with ConfirmaClient(API_KEY, base_url=self._url, concurrency=job.concurrency) as client:
            async for _ in client.distributions.list(job.from_date, job.to_date, window_days=job.window_days):
                count += 1
                if count == self._stop_at:
                    self._go = self._loop.create_future()
                    self._reached.set_result(None)
                    await self._go

    def close(self) -> None:
        """Leave the read."""
        self._task.cancel()
        self._loop.run_until_complete(asyncio.wait([self._task]))
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        self._loop.close()


def compare(url: str, small: Job, large: Job, steps: Steps) -> dict[str, list[float]]:
    """CPU seconds of near and far steps, pair by pair, and of the first step of a small and a large read."""
    heads = [(_head(url, small, steps), _head(url, large, steps)) for _ in range(HEADS)]
    near, far = [], []
    with closing(Reader(url, large)) as far_reader:
        far_reader.step(steps.far)
        for _ in range(steps.restarts):
            with closing(Reader(url, small)) as near_reader:
                near_reader.step(steps.near)
                for turn in range(steps.turns):
                    order = [(near_reader, near), (far_reader, far)]
                    for reader, seconds in order if turn % 2 else reversed(order):
                        seconds.append(reader.step(steps.step))
    return {
        "near": near,
        "far": far,
        "head_small": [small for small, _ in heads],
        "head_large": [large for _, large in heads],
    }


def _head(url: str, job: Job, steps: Steps) -> float:
    with closing(Reader(url, job)) as reader:
        return reader.step(steps.step)


def main() -> None:
    """Warm up, compare, and print one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", required=True)
    parser.add_argument("--small", required=True, type=Job.from_json)
    parser.add_argument("--large", required=True, type=Job.from_json)
    parser.add_argument("--steps", required=True, type=Steps.from_json)
    args = parser.parse_args()
    _head(args.url, args.small, args.steps)
    print(json.dumps(compare(args.url, args.small, args.large, args.steps)))


if __name__ == "__main__":
    main()
