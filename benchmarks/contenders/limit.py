"""The limit: a bare aiohttp loop with orjson to dicts, for a caller who knows every page beforehand.

It discovers nothing, checks nothing, retries nothing. What an SDK costs on top is what it does more.
"""

import asyncio
from collections.abc import Iterator

import aiohttp
import orjson

from benchmarks.contenders.protocol import Tally, main
from benchmarks.jobs import API_KEY, PATH, Job


def _queries(job: Job) -> Iterator[dict[str, str]]:
    for window, (from_date, to_date) in enumerate(job.all_bounds()):
        for page in range(1, job.pages(window) + 1):
            yield {"fromInvDate": from_date, "toInvDate": to_date, "page": str(page)}


async def read(url: str, job: Job, tally: Tally) -> None:
    """Read all pages with `concurrency` workers that share one list of requests."""
    queries = _queries(job)
    async with aiohttp.ClientSession(headers={"X-Api-Key": API_KEY}) as session:

        async def fetch(query: dict[str, str]) -> None:
            async with session.get(url + PATH, params=query) as response:
                reply = orjson.loads(await response.read())
            tally.page([invoice["invoiceNumber"] for invoice in reply["invoices"]])

        async def work() -> None:
            for query in queries:
                await fetch(query)  # a function of its own: its answer is freed before the next is read

        await asyncio.gather(*(work() for _ in range(job.concurrency)))


if __name__ == "__main__":
    main(read)
