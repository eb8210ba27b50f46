"""What every contender is asked to read: shapes of windows, pages and rows, and the exact result.

Invoice numbers are distinct over a job and follow from the position alone: ten digits, of which the
first seven name the page and the last three the row. So a server can render them without a memory,
and a checksum of the whole result can be computed without reading it.
"""

import json
from dataclasses import asdict, dataclass, replace
from datetime import date, timedelta

FIRST_PAGE_PREFIX = 1_000_000
ROWS_PER_PREFIX = 1_000
API_KEY = "benchmark-key"  # synthetic; the server only looks whether a key came
PATH = "/api/v1/partner/invoice/distribution"


@dataclass(frozen=True)
class Job:
    """One read: `windows` equal date windows, the last of which may be shorter in days and rows.

    `latency` is what the server waits before each answer, in seconds. `sample_every` asks contenders
    that can to sample their memory after that many records (0: never).
    """

    name: str
    windows: int
    rows_per_window: int
    last_rows: int
    window_days: int = 30
    last_days: int = 30
    page_size: int = 100
    concurrency: int = 8
    latency: float = 0.0
    start: str = "1980-01-01"
    sample_every: int = 0

    @property
    def from_date(self) -> date:
        """The first day of the whole range."""
        return date.fromisoformat(self.start)

    @property
    def to_date(self) -> date:
        """The last day of the whole range, inside it."""
        days = (self.windows - 1) * self.window_days + self.last_days
        return self.from_date + timedelta(days=days - 1)

    @property
    def pages_per_window(self) -> int:
        """Pages of every window but the last."""
        return -(-self.rows_per_window // self.page_size)

    def rows(self, window: int) -> int:
        """Rows of one window, counted from 0."""
        return self.last_rows if window == self.windows - 1 else self.rows_per_window

    def pages(self, window: int) -> int:
        """Pages of one window, at least one."""
        return max(1, -(-self.rows(window) // self.page_size))

    def bounds(self, window: int) -> tuple[str, str]:
        """First and last day of one window as the wire writes them."""
        start = self.from_date + timedelta(days=window * self.window_days)
        days = self.last_days if window == self.windows - 1 else self.window_days
        return start.isoformat(), (start + timedelta(days=days - 1)).isoformat()

    def all_bounds(self) -> list[tuple[str, str]]:
        """Bounds of all windows, in order."""
        return [self.bounds(window) for window in range(self.windows)]

    def page_prefix(self, window: int, page: int) -> int:
        """The first seven digits of every invoice number on a page; pages count from 1."""
        return FIRST_PAGE_PREFIX + window * self.pages_per_window + page - 1

    def page_rows(self, window: int, page: int) -> int:
        """Rows on one page, 0 behind the last."""
        return max(0, min(self.page_size, self.rows(window) - (page - 1) * self.page_size))

    @property
    def records(self) -> int:
        """Rows of the whole job."""
        return (self.windows - 1) * self.rows_per_window + self.last_rows

    @property
    def requests(self) -> int:
        """Requests a client needs that asks for no page twice and for none that is not there."""
        return (self.windows - 1) * self.pages_per_window + self.pages(self.windows - 1)

    @property
    def checksum(self) -> int:
        """The sum of all invoice numbers."""
        total = 0
        for window in range(self.windows):
            for page in range(1, self.pages(window) + 1):
                rows = self.page_rows(window, page)
                total += self.page_prefix(window, page) * ROWS_PER_PREFIX * rows + rows * (rows - 1) // 2
        return total

    def first(self, windows: int) -> "Job":
        """The first so many windows alone (fewer than the job has), as the server of this job knows them."""
        return replace(self, windows=windows, last_rows=self.rows_per_window, last_days=self.window_days)

    def to_json(self) -> str:
        """One line that `from_json` reads."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "Job":
        """The inverse of `to_json`."""
        return cls(**json.loads(text))


def throughput(records: int, name: str = "throughput") -> Job:
    """About 20 pages per window; last pages are short, so a client may stop on a short page."""
    windows, rest = divmod(records, 1_985)
    return Job(name, windows + 1, 1_985, rest) if rest else Job(name, windows, 1_985, 1_985)


def latency() -> Job:
    """A year at 30 days per window: 13 windows, 244 requests, 50 ms each, 16 in flight."""
    return Job("latency", 13, 1_985, 385, last_days=5, concurrency=16, latency=0.05, start="2025-01-01")


def memory(pages: int) -> Job:
    """Pages of 1,000 records, 20 to a window."""
    return Job("memory", pages // 20, 20_000, 20_000, page_size=1_000, sample_every=1_000)


def flat_records(records: int) -> Job:
    """Windows of 2,000 records, 20 full pages each."""
    return Job("records", records // 2_000, 2_000, 2_000)


def flat_windows(windows: int) -> Job:
    """Windows of one day and one short page each."""
    return Job("windows", windows, 12, 12, window_days=1, last_days=1)
