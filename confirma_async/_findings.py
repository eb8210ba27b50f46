"""What a client has spent, and what it has found out about the service.

Nobody compares or prints these: methods for it would only make the import slower.
"""

from __future__ import annotations

import attrs

from .windows import DateWindow


@attrs.define(eq=False, repr=False)
class Tally:
    """What one caller's calls cost: attempts on the wire, retries among them, decoded bytes."""

    requests: int = 0
    retries: int = 0
    bytes: int = 0


@attrs.define(eq=False, repr=False)
class Diagnosis:
    """What was found out about the service's paging: kept for the client, tested again when contradicted.

    `pages_by_number`: True once page 2 brought new rows, False once it did not. `total_is_whole`: settled
    by one look at page 2 after two windows of one customary size; `looking`: that look is under way.
    `customary`: the windows seen per such size. `numbers_in_order`: False once invoice numbers did not come in
    order, or answers overlapped in them; of interest for speed alone.
    """

    pages_by_number: bool | None = None
    total_is_whole: bool = False
    looking: bool = False
    numbers_in_order: bool = True
    customary: dict[int, set[DateWindow | None]] = attrs.field(factory=dict)
