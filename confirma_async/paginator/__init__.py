"""From windows to records: what to ask next, when what came is all there is, and how it is handed out."""

from collections.abc import Sequence

from .._wire import Filters
from ..session import SessionManager
from ..windows import DateWindow
from .paginator import Listing, Paginator, Reading
from .plan import Completeness, OnInvalid, RunPlan
from .token import Position, fingerprint, read_token

__all__ = [
    "Completeness",
    "Listing",
    "OnInvalid",
    "Paginator",
    "Position",
    "Reading",
    "RunPlan",
    "fingerprint",
    "read_token",
    "read_windows",
]


def read_windows(
    session: SessionManager,
    filters: Filters,
    windows: Sequence[DateWindow],
    *,
    ordered: bool = True,
    completeness: Completeness = "require",
    on_invalid: OnInvalid = "raise",
) -> Reading:
    """Read windows that need not be adjacent, page by page, with the outcome of each after its last page."""
    plan = RunPlan(windows, filters, ordered=ordered, completeness=completeness, on_invalid=on_invalid)
    return Reading(Listing(session, plan, "", Position(None, None)))
