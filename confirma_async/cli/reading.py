"""`confirma report` and `confirma export`: what a target holds; no request is made."""

from __future__ import annotations

import asyncio
from pathlib import Path

import attrs

from ..errors import CheckpointError, ConfigurationError, TargetError
from . import values
from .process import DONE, FAILED, run_async
from .voice import Voice, describe, one_line, show, show_json


@attrs.frozen(kw_only=True)
class Report:
    """The summary of a target, on standard output or as a page."""

    voice: Voice
    target: str
    html: str | None
    account: str | None

    def run(self) -> int:
        """Read, and print or write."""
        _require_there(self.target)
        return run_async(self._run)

    async def _run(self) -> int:
        from ..reporting import summarize, write_html

        try:
            if self.html is not None:
                await write_html(self.target, values.file_name("--html", self.html), self.account)
                self.voice.note(f"wrote {one_line(self.html)}")
            if self.html is None or self.voice.json:
                summary = await summarize(self.target, self.account)
                show_json(summary.to_dict()) if self.voice.json else show(str(summary))
        except (CheckpointError, TargetError) as error:
            self.voice.fail(describe(error), error=type(error).__name__)
            return FAILED
        return DONE


@attrs.frozen(kw_only=True)
class Export:
    """The rows of a target as a file for people who work with tables."""

    voice: Voice
    target: str
    to: str
    account: str | None

    def run(self) -> int:
        """Read, and write."""
        _require_there(self.target)
        return run_async(self._run)

    async def _run(self) -> int:
        from ..reporting import export

        try:
            rows = await export(self.target, values.file_name("--to", self.to), self.account)
        except (CheckpointError, TargetError) as error:
            self.voice.fail(describe(error), error=type(error).__name__)
            return FAILED
        except asyncio.CancelledError:
            self.voice.interrupted("the file was not written; the same command starts over")
            raise
        self.voice.note(f"wrote {rows:,} rows to {one_line(self.to)}")
        return DONE


def _require_there(target: str) -> None:
    if "://" in target:
        return
    try:
        there = Path(target).exists()
    except (OSError, ValueError):  # too long, a loop of links, a NUL
        there = False
    if not there:
        raise ConfigurationError("there is no such target: name the file, folder or address that a backfill wrote into")
