"""How the windows of one run find out together whether the service pages by number.

One window probes. The others that need to know spend their probe on it instead of on themselves: each has it
ask for one page more. So no window costs more than one probe, the rows that come are those that are handed out
next, and no answer waits that is not needed yet.
"""

from __future__ import annotations

from collections.abc import Callable

import attrs


@attrs.define
class Scouting:
    """The probe that is under way in a run: `widen` has it ask for one page more, and tells whether it could."""

    widen: Callable[[], bool] | None = None

    def begin(self, widen: Callable[[], bool]) -> None:
        """Note that a window probes."""
        self.widen = widen

    def end(self) -> None:
        """Note that the probe is over, one way or another."""
        self.widen = None

    def lend(self) -> bool:
        """Spend a window's probe on the one that probes; False where there is none, or nothing left to ask."""
        return self.widen is not None and self.widen()
