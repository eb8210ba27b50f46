"""httpx and pydantic v2, windows and their pages in parallel."""

import httpx

from benchmarks.contenders.crawl import Bounds, crawl
from benchmarks.contenders.protocol import Tally, main
from benchmarks.jobs import API_KEY, PATH, Job
from benchmarks.pydantic_models import Reply


async def read(url: str, job: Job, tally: Tally) -> None:
    """Windows and their pages in parallel, `concurrency` requests in flight, connections kept."""
    limits = httpx.Limits(max_connections=job.concurrency, max_keepalive_connections=job.concurrency)
    async with httpx.AsyncClient(base_url=url, headers={"X-Api-Key": API_KEY}, limits=limits) as client:

        async def fetch(bounds: Bounds, page: int) -> int:
            query = {"fromInvDate": bounds[0], "toInvDate": bounds[1], "page": page}
            response = await client.get(PATH, params=query)
            reply = Reply.model_validate_json(response.content)
            tally.page([int(invoice.invoice_number) for invoice in reply.invoices])
            return reply.meta_data.total_count

        await crawl(job, fetch)


if __name__ == "__main__":
    main(read)
