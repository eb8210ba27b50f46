"""A `rest_api` source of dlt for the endpoint: windows as the parent, invoices as the parallel child.

`parallelized` on a dependent resource fetches the children of several parents at once in dlt's thread
pool, whose size is `extract.workers`; pages of one window are read one after the other, as every
paginator of dlt does. The paginator is a custom one, as the documentation shows: it stops after a short
page, which spares dlt an empty page per window and a second parse of each answer for its total.
"""

import atexit
import os
import shutil
import tempfile

os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
os.environ["RUNTIME__LOG_LEVEL"] = "ERROR"
os.environ["DLT_DATA_DIR"] = DATA_DIR = tempfile.mkdtemp(prefix="bench-dlt-")
atexit.register(shutil.rmtree, DATA_DIR, ignore_errors=True)

import dlt  # noqa: E402  # reads the environment above
from dlt.sources.helpers.rest_client.paginators import PageNumberPaginator  # noqa: E402
from dlt.sources.rest_api import rest_api_source  # noqa: E402

from benchmarks.jobs import API_KEY, PATH, Job  # noqa: E402


class ShortPagePaginator(PageNumberPaginator):
    """Pages counted from 1, until one is not full."""

    def __init__(self, page_size: int) -> None:
        super().__init__(base_page=1, total_path=None)
        self._page_size = page_size

    def update_state(self, response, data=None) -> None:
        """Go on while pages are full."""
        super().update_state(response, data)
        if len(data or ()) < self._page_size:
            self._has_next_page = False


def configure(job: Job) -> None:
    """As many windows at a time as the job allows requests in flight; files as they are, not gzipped."""
    os.environ["EXTRACT__WORKERS"] = str(job.concurrency)
    os.environ["NORMALIZE__DATA_WRITER__DISABLE_COMPRESSION"] = "true"
    os.environ["EXTRACT__MAX_PARALLEL_ITEMS"] = str(2 * job.concurrency)


def source(url: str, job: Job):
    """The declarative source."""
    configure(job)
    bounds = [{"from_date": start, "to_date": end} for start, end in job.all_bounds()]
    windows = dlt.resource([bounds], name="windows", selected=False)
    return rest_api_source(
        {
            "client": {
                "base_url": url,
                "auth": {"type": "api_key", "name": "X-Api-Key", "api_key": API_KEY},
            },
            "resources": [
                windows,
                {
                    "name": "invoices",
                    "parallelized": True,
                    "endpoint": {
                        "path": PATH,
                        "params": {
                            "fromInvDate": "{resources.windows.from_date}",
                            "toInvDate": "{resources.windows.to_date}",
                        },
                        "data_selector": "invoices",
                        "paginator": ShortPagePaginator(job.page_size),
                    },
                },
            ],
        },
        name="confirma",
    )
