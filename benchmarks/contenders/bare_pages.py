"""A bare aiohttp loop with orjson to dicts that learns each window's total from its first page."""

import aiohttp
import orjson

from benchmarks.contenders.crawl import Bounds, crawl
from benchmarks.contenders.protocol import Tally, main
from benchmarks.jobs import API_KEY, PATH, Job


async def read(url: str, job: Job, tally: Tally) -> None:
    """Windows and their pages in parallel, `concurrency` requests in flight."""
    async with aiohttp.ClientSession(headers={"X-Api-Key": API_KEY}) as session:

        async def fetch(bounds: Bounds, page: int) -> int:
            query = {"fromInvDate": bounds[0], "toInvDate": bounds[1], "page": str(page)}
            async with session.get(url + PATH, params=query) as response:
                reply = orjson.loads(await response.read())
            tally.page([invoice["invoiceNumber"] for invoice in reply["invoices"]])
            return reply["metaData"]["totalCount"]

        await crawl(job, fetch)


if __name__ == "__main__":
    main(read)
