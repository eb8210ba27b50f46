"""How the windows of one run find out together whether the service pages by number.

One window probes. The others that need to know spend their probe on it instead of on themselves: each has it
ask for one page more. So no window costs more than one probe, the rows that come are those that are handed out
next, and no answer waits that is not needed yet.
"""

from __future__ import annotations

from collections.abc import Callable

import attrs


@attrs.define(eq=False, repr=False)
class Scouting:
    """The earliest window of a run that probes: `widen` has it ask for one page more, and tells whether it could.

    Only a later window waits for it: the earliest can always go on, so waiting comes to an end. `waiting`: what
    has those windows go on.
    """

    index: int | None = None
    widen: Callable[[], bool] | None = None
    waiting: list[Callable[[], None]] = attrs.field(factory=list)

    def begin(self, index: int, widen: Callable[[], bool]) -> None:
        """Note that a window probes."""
        if self.index is None or index < self.index:
            self.index, self.widen = index, widen

    def end(self, index: int) -> None:
        """Note that the probe of a window is over, one way or another."""
        if self.index == index:
            self.index = self.widen = None

    def lend(self, index: int) -> bool:
        """Spend a window's probe on an earlier one; False where none probes, or has nothing left to ask."""
        return self.index is not None and self.index < index and self.widen is not None and self.widen()

    def release(self) -> None:
        """Have the windows that wait go on, once no probe is under way."""
        while self.waiting and self.index is None:
            waiting, self.waiting = self.waiting, []
            for go_on in waiting:
                go_on()
