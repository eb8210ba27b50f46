"""What a run is to do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import attrs

from .._wire import Filters
from ..windows import DateWindow

Completeness = Literal["require", "report"]
OnInvalid = Literal["raise", "report"]


@attrs.define(eq=False, repr=False)
class RunPlan:
    """What a run is to do; `delivered`: records handed out by an earlier run, by window (see `token`)."""

    windows: Sequence[DateWindow | None]
    filters: Filters
    ordered: bool = True
    max_items: int | None = None
    completeness: Completeness = "require"
    on_invalid: OnInvalid = "raise"
    head: int = 0
    delivered: dict[int, int] = attrs.field(factory=dict)
