"""Reads all windows of a job with a fixed number of workers; totals are learned from first pages."""

import asyncio
from collections.abc import Awaitable, Callable

from benchmarks.jobs import Job

Bounds = tuple[str, str]
Fetch = Callable[[Bounds, int], Awaitable[int]]


async def crawl(job: Job, fetch: Fetch) -> None:
    """Call `fetch(bounds, page)`, which answers the window's total, for every page of every window.

    Workers share one queue: first pages of all windows, then the pages these promise. A worker waits
    for more instead of leaving, so `concurrency` requests are in flight as long as there is work.
    """
    queue: asyncio.Queue[tuple[Bounds, int]] = asyncio.Queue()
    for bounds in job.all_bounds():
        queue.put_nowait((bounds, 1))

    async def work() -> None:
        while True:
            bounds, page = await queue.get()
            total = await fetch(bounds, page)
            if page == 1:
                for other in range(2, -(-total // job.page_size) + 1):
                    queue.put_nowait((bounds, other))
            queue.task_done()

    workers = [asyncio.create_task(work()) for _ in range(job.concurrency)]
    finished = asyncio.create_task(queue.join())
    await asyncio.wait([*workers, finished], return_when=asyncio.FIRST_COMPLETED)
    failures = [worker.exception() for worker in workers if worker.done()]
    for task in [*workers, finished]:
        task.cancel()
    await asyncio.gather(*workers, finished, return_exceptions=True)
    if failures:
        raise failures[0] or RuntimeError("a worker left early")
