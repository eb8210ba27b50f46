"""How far a run is: a bar on a terminal, a line every few seconds elsewhere, JSON for programs."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import time
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING

import attrs

from ..events import AttemptEnded, ClientPaused, Event, Progress, RetryScheduled
from .voice import Voice

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

LINE_EVERY = 5.0
"""Seconds between two plain lines."""
_FRAMES_PER_SECOND = 8
_NEWS_LASTS = 10.0  # seconds that a retry or a pause stays on the screen
_MINUTE, _HOUR = 60, 3600


@attrs.define(eq=False)
class Gauge:
    """What is known while a run is under way; a hook of the client, and told of progress.

    `follows`: whether the client's own progress counts; a backfill tells its own, which knows what was done
    before. `before`: windows that were done before this run; None until the first progress. `drawn`: whether
    a bar has shown it.
    """

    voice: Voice
    follows: bool = False
    windows: int = 0
    windows_total: int = 0
    records: int = 0
    requests: int = 0
    retries: int = 0
    bytes: int = 0
    before: int | None = None
    started: float = attrs.field(factory=time.monotonic)
    drawn: bool = False
    _news: tuple[float, str] | None = None

    def on_event(self, event: Event) -> None:
        """Count, and pass on."""
        if isinstance(event, AttemptEnded):
            self.requests += 1
            self.bytes += event.bytes
        elif isinstance(event, RetryScheduled):
            self.retries += 1
            self._news = (time.monotonic(), f"{event.reason}: asked again in {event.wait:.1f} s")
        elif isinstance(event, ClientPaused):
            self._news = (time.monotonic() + event.seconds, f"the service asked for a pause of {event.seconds:.0f} s")
        if not isinstance(event, Progress):
            self.voice.event(event)
        elif self.follows:
            self.told(event)

    def told(self, progress: Progress) -> None:
        """Take over windows and records."""
        self.before = progress.windows if self.before is None else self.before
        self.windows, self.windows_total = progress.windows, progress.windows_total
        self.records = max(self.records, progress.records)
        self.voice.event(progress)

    @property
    def seconds(self) -> float:
        """Since the start."""
        return time.monotonic() - self.started

    @property
    def news(self) -> str:
        """The latest retry or pause, as long as it is news."""
        return self._news[1] if self._news and time.monotonic() - self._news[0] < _NEWS_LASTS else ""

    @property
    def left(self) -> str:
        """Time left, if the other windows take as long as those of this run did."""
        read = self.windows - (self.before or 0)
        if not read or self.windows == self.windows_total:
            return ""
        return f"about {duration(self.seconds / read * (self.windows_total - self.windows))} left"

    def counts(self) -> str:
        """Records, requests and their rate, retries, bytes."""
        rate = self.requests / max(self.seconds, 0.001)
        return (
            f"{self.records:,} records, {self.requests:,} requests ({rate:.1f}/s), "
            f"{self.retries:,} retries, {self.bytes / 1e6:.1f} MB"
        )

    def line(self) -> str:
        """Everything in one line."""
        parts = f"{self.windows:,} of {self.windows_total:,} windows, {self.counts()}", self.left, self.news
        return ", ".join(part for part in parts if part)


def duration(seconds: float) -> str:
    """Return a time span as people say it."""
    whole = round(seconds)
    if whole < _MINUTE:
        return f"{whole} s"
    if whole < _HOUR:
        return f"{whole // _MINUTE} min {whole % _MINUTE} s"
    return f"{whole // _HOUR} h {whole % _HOUR // _MINUTE} min"


@contextlib.asynccontextmanager
async def shown(gauge: Gauge, every: float | None = LINE_EVERY) -> AsyncIterator[None]:
    """Show the gauge while the body runs, in the form that standard error can take; `every` None: no plain lines."""
    if gauge.voice.json or gauge.voice.quiet or sys.stderr is None:
        yield
    elif (console := _terminal()) is not None:
        gauge.drawn = True
        with _bar(gauge, console):
            yield
    elif every is None:
        yield
    else:
        ticking = asyncio.create_task(_tick(gauge, every))
        try:
            yield
        finally:
            ticking.cancel()
            await asyncio.wait({ticking})


async def _tick(gauge: Gauge, every: float) -> None:
    while True:
        await asyncio.sleep(every)
        gauge.voice.note(gauge.line())


def _terminal() -> Console | None:
    if not sys.stderr.isatty():
        return None
    from rich.console import Console

    console = Console(stderr=True, highlight=False)
    return console if console.is_terminal and not console.is_dumb_terminal else None


def _bar(gauge: Gauge, console: Console) -> contextlib.AbstractContextManager[object]:
    from rich.live import Live

    return Live(
        get_renderable=_drawing(gauge),
        console=console,
        refresh_per_second=_FRAMES_PER_SECOND,
        redirect_stdout=False,
        redirect_stderr=False,
    )


def _drawing(gauge: Gauge) -> Callable[[], RenderableType]:
    from rich.console import Group
    from rich.progress_bar import ProgressBar
    from rich.table import Table
    from rich.text import Text

    def draw() -> RenderableType:
        total = max(gauge.windows_total, 1)
        head = Table.grid(padding=(0, 1), expand=True)
        head.add_column(no_wrap=True)
        head.add_column(ratio=1)
        head.add_column(no_wrap=True)
        head.add_row(
            Text(f"windows {gauge.windows:,}/{gauge.windows_total:,}", style="bold"),
            ProgressBar(total=total, completed=gauge.windows),
            Text(f"{gauge.windows * 100 // total:3d} %  {gauge.left or duration(gauge.seconds)}", style="cyan"),
        )
        lines = [Text(gauge.counts(), overflow="ellipsis", no_wrap=True)]
        if gauge.news:
            lines.append(Text(gauge.news, style="yellow", overflow="ellipsis", no_wrap=True))
        return Group(head, *lines)

    return draw
