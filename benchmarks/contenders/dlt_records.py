"""dlt's `rest_api` source with its resource iterated: extraction only, the least dlt can do."""

from benchmarks.contenders.protocol import Tally, main
from benchmarks.dlt_source import source
from benchmarks.jobs import Job


def read(url: str, job: Job, tally: Tally) -> None:
    """Iterate the resource, which hands out one dict after the other."""
    count = checksum = 0
    for invoice in source(url, job).resources["invoices"]:
        if not count:
            tally.first()
        count += 1
        checksum += invoice["invoiceNumber"]
    tally.whole(count, checksum)


if __name__ == "__main__":
    main(read)
