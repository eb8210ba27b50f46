"""confirma_async through its public API: typed records out of `async for`, in window order."""

from benchmarks.contenders.protocol import Tally, main
from benchmarks.jobs import API_KEY, Job
from confirma_async import ConfirmaClient


async def read(url: str, job: Job, tally: Tally) -> None:
    """Read the whole range with everything at its default but the concurrency."""
    async with ConfirmaClient(API_KEY, base_url=url, concurrency=job.concurrency) as client:
        invoices = client.distributions.list(job.from_date, job.to_date, window_days=job.window_days)
        await (_marked if tally.mark_every else _counted)(invoices, tally)


async def _counted(invoices, tally: Tally) -> None:
    count = checksum = 0
    async for invoice in invoices:
        if not count:
            tally.first()
        count += 1
        checksum += int(invoice.invoice_number)
    tally.whole(count, checksum)


async def _marked(invoices, tally: Tally) -> None:
    """The same loop, with a mark now and then."""
    count = checksum = 0
    async for invoice in invoices:
        if not count:
            tally.first()
        count += 1
        checksum += int(invoice.invoice_number)
        if count % tally.mark_every == 0:
            tally.mark()
    tally.whole(count, checksum)


if __name__ == "__main__":
    main(read)
