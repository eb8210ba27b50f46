"""Renders answers of the distribution endpoint from a template, for next to nothing per answer."""

import json

from benchmarks.jobs import ROWS_PER_PREFIX, Job

PLACEHOLDER = "@@@@@@@"
PAGES_KEPT = 4_096  # parsed queries, not bodies: memory of the server stays small


def _row(number: int) -> str:
    """One invoice, about 404 bytes; the page's seven digits are left open."""
    failed = number % 20 == 7
    printed = number % 3 == 1
    minute = f"2025-01-02T06:{number % 60:02d}"
    controlled = number % 10 == 3
    invoice = {
        "invoiceNumber": "#",
        "distributionStatus": "FAILED" if failed else "SENT",
        "distributionMethod": "PRINT" if printed else "EMAIL",
        "distributionMessage": "Address rejected" if failed else None,
        "dates": {
            "createdAt": f"{minute}:09Z",
            "printedAt": f"{minute}:41Z" if printed else None,
            "distributedAt": None if failed else f"{minute}:55Z",
            "paymentControlActivatedAt": f"{minute}:59Z" if controlled else None,
        },
        "file": {"url": f"https://example.com/{PLACEHOLDER}{number:03d}.pdf"},
        "paymentControl": {
            "enabled": number % 4 != 0,
            "agency": "CASH-IN",
            "status": "ACTIVE" if controlled else "NEW",
            "caseId": "#" if controlled else None,
        },
        "errors": [_error()] if failed else [],
    }
    text = json.dumps(invoice, separators=(",", ":"))
    return text.replace('"#"', f"{PLACEHOLDER}{number:03d}")


def _error() -> dict[str, str]:
    return {"errorCode": "E550", "errorDescription": "Mailbox unavailable", "errorType": "DELIVERY"}


class Pages:
    """Answers of one job. Every page is the same template with other digits; no page is stored."""

    def __init__(self, job: Job) -> None:
        self.job = job
        if job.page_size > ROWS_PER_PREFIX:
            raise ValueError("three digits name the row: at most 1,000 rows on a page")
        self._window_of = {bounds: window for window, bounds in enumerate(job.all_bounds())}
        rows = [_row(number).encode() for number in range(job.page_size)]
        self._rows = b",".join(rows)
        self._ends = [0]  # where the first n rows end in the joined rows
        for row in rows:
            self._ends.append(self._ends[-1] + len(row) + 1)

    @property
    def bytes_per_record(self) -> float:
        """Bytes of one invoice with its comma, over a full page."""
        return (len(self._rows) + 1) / self.job.page_size

    def window(self, from_date: str, to_date: str) -> int | None:
        """Which window these days are, None when they are no window of the job."""
        return self._window_of.get((from_date, to_date))

    def body(self, window: int, page: int) -> bytes:
        """The answer to one page of one window."""
        count = self.job.page_rows(window, page)
        prefix = b"%d" % self.job.page_prefix(window, page)
        rows = self._rows if count == self.job.page_size else self._rows[: max(0, self._ends[count] - 1)]
        return self._head(window) + rows.replace(PLACEHOLDER.encode(), prefix) + b"]}"

    def _head(self, window: int) -> bytes:
        from_date, to_date = self.job.bounds(window)
        total = self.job.rows(window)
        failed = total // 20
        return (
            b'{"metaData":{"totalCount":%d,"successfulCount":%d,"failedCount":%d,"filtersApplied":'
            b'{"invoiceNumber":null,"fromInvDate":"%b","toInvDate":"%b","fetchType":null,'
            b'"defaultLast30DaysApplied":false}},"invoices":['
        ) % (total, total - failed, failed, from_date.encode(), to_date.encode())
