"""httpx and pydantic v2, one request after the other: `model_validate_json` on the bytes of the answer."""

import httpx

from benchmarks.contenders.protocol import Tally, main
from benchmarks.jobs import API_KEY, PATH, Job
from benchmarks.pydantic_models import Reply


def read(url: str, job: Job, tally: Tally) -> None:
    """Windows in order, pages in order, over one kept connection."""
    with httpx.Client(base_url=url, headers={"X-Api-Key": API_KEY}) as client:
        for from_date, to_date in job.all_bounds():
            page, seen, total = 1, 0, 1
            while seen < total:
                query = {"fromInvDate": from_date, "toInvDate": to_date, "page": page}
                reply = Reply.model_validate_json(client.get(PATH, params=query).content)
                tally.page([int(invoice.invoice_number) for invoice in reply.invoices])
                total = reply.meta_data.total_count
                seen += len(reply.invoices)
                page += 1


if __name__ == "__main__":
    main(read)
