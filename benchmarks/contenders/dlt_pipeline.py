"""dlt's `rest_api` source in the form its documentation shows: `pipeline.run`, here into local files.

Extraction, normalisation into tables and loading as JSON lines into a temporary folder.
"""

import dlt
from dlt.destinations import filesystem

from benchmarks.contenders.protocol import Tally, main
from benchmarks.dlt_source import DATA_DIR, source
from benchmarks.jobs import Job


def read(url: str, job: Job, tally: Tally) -> None:
    """Run the pipeline; a map step counts what passes."""
    seen = [0, 0]

    def count(invoice):
        if not seen[0]:
            tally.first()
        seen[0] += 1
        seen[1] += invoice["invoiceNumber"]
        return invoice

    pipeline = dlt.pipeline("confirma", destination=filesystem(f"file://{DATA_DIR}/loaded"), dataset_name="confirma")
    invoices = source(url, job)
    invoices.resources["invoices"].add_map(count)
    pipeline.run(invoices, loader_file_format="jsonl").raise_on_failed_jobs()
    rows = pipeline.last_trace.last_normalize_info.row_counts["invoices"]
    tally.whole(rows, seen[1])


if __name__ == "__main__":
    main(read)
