"""Bulk history that survives interruptions: plan, run, checkpoint, targets, proof.

::

    report = await client.backfill(date(2020, 1, 1), date(2025, 12, 31), into="invoices.sqlite")
    print(report)                                   # verdict, counts, and why it is not COMPLETE
    async for stored in open_target("invoices.sqlite").records():
        print(stored.invoice.invoice_number, stored.first_seen, stored.last_changed)
"""

from .coverage import PlannedWindow, WindowState
from .entry import StoredTarget, backfill, load_report, open_target, plan
from .plan import BackfillPlan
from .proof import RunRecord, Tally, TargetState, WindowProof, gather
from .report import BackfillReport
from .sinks.protocol import Batch, Sink, StoredRecord
from .targets import Into, shared

__all__ = [
    "backfill",
    "BackfillPlan",
    "BackfillReport",
    "Batch",
    "gather",
    "Into",
    "load_report",
    "open_target",
    "plan",
    "PlannedWindow",
    "RunRecord",
    "shared",
    "Sink",
    "StoredRecord",
    "StoredTarget",
    "Tally",
    "TargetState",
    "WindowProof",
    "WindowState",
]
