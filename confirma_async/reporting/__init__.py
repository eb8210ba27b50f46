"""What a target holds, for people: a summary, a page with charts, and files for accountants.

::

    summary = await summarize("invoices.sqlite")
    print(summary)                                  # verdict, reasons, counts, windows, delivery results
    await write_html("invoices.sqlite", "report.html")
    rows = await export("invoices.sqlite", "invoices.xlsx")

A target is only read: neither taken nor changed, and no request is made.
"""

from .exporting import export
from .page import write_html
from .results import DeliveryResults, HandOver
from .summary import Summary, summarize

__all__ = [
    "DeliveryResults",
    "export",
    "HandOver",
    "summarize",
    "Summary",
    "write_html",
]
