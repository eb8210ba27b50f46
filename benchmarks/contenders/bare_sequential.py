"""The loop most people write first: aiohttp, `response.json()`, one request after the other."""

import aiohttp

from benchmarks.contenders.protocol import Tally, main
from benchmarks.jobs import API_KEY, PATH, Job


async def read(url: str, job: Job, tally: Tally) -> None:
    """Windows in order, pages in order, until the total is reached."""
    async with aiohttp.ClientSession(headers={"X-Api-Key": API_KEY}) as session:
        for from_date, to_date in job.all_bounds():
            page, seen, total = 1, 0, 1
            while seen < total:
                query = {"fromInvDate": from_date, "toInvDate": to_date, "page": str(page)}
                async with session.get(url + PATH, params=query) as response:
                    reply = await response.json()
                invoices = reply["invoices"]
                tally.page([invoice["invoiceNumber"] for invoice in invoices])
                total = reply["metaData"]["totalCount"]
                seen += len(invoices)
                page += 1


if __name__ == "__main__":
    main(read)
