"""What is said to the person, or to the program, on standard error; and plain text on standard output."""

from __future__ import annotations

import contextlib
import logging
import sys
from typing import TextIO

import attrs
import msgspec

from ..errors import ConfirmaError
from .stdout import write_out

_LINES_SHOWN = 20


@attrs.frozen
class Voice:
    """Speaks in lines of text, or in lines of JSON if `json`; `quiet` leaves warnings and failures."""

    json: bool = False
    quiet: bool = False
    account: str | None = None

    def of(self, account: str) -> Voice:
        """Return a voice that names the account in everything it says."""
        return attrs.evolve(self, account=account)

    def note(self, text: str) -> None:
        """Say what is going on."""
        if not self.quiet:
            self._line("note", text, text)

    def warn(self, text: str) -> None:
        """Say what should not be overlooked."""
        self._line("warning", text, f"confirma: warning: {self._prefix}{text}")

    def refuse(self, text: str) -> None:
        """Say why nothing was done."""
        self._line("refused", text, f"confirma: {text}")

    def fail(self, text: str, **facts: object) -> None:
        """Say what went wrong, and how to go on."""
        self._line("failed", text, f"confirma: {self._prefix}{text}", **facts)

    def interrupted(self, text: str, **facts: object) -> None:
        """Say how to go on."""
        self._line("interrupted", text, f"confirma: interrupted: {text}", **facts)

    def event(self, event: object) -> None:
        """Pass on an event or a report, to programs only."""
        if self.json:
            _write(sys.stderr, _json_line(self._named(type(event).__name__) | _fields(event)))

    def summary(self, report: object) -> None:
        """Show how it ended."""
        if self.json:
            self.event(report)
        elif not self.quiet:
            _write(sys.stderr, _encoded(sys.stderr, shortened(str(report))))

    def _line(self, kind: str, text: str, plain: str, **facts: object) -> None:
        if self.json:
            _write(sys.stderr, _json_line(self._named(kind) | {"message": one_line(text), **facts}))
        else:
            _write(sys.stderr, _encoded(sys.stderr, one_line(plain)))

    @property
    def _prefix(self) -> str:
        return "" if self.account is None else f"{self.account}: "

    def _named(self, kind: str) -> dict[str, object]:
        return {"event": kind} if self.account is None else {"event": kind, "account": self.account}


def one_line(text: str) -> str:
    """Return the text without line ends and without characters that could steer a terminal."""
    return "".join(char if char.isprintable() else " " for char in text)


def shortened(text: str) -> str:
    """Return the first lines of a long text, and how many there are more."""
    lines = text.splitlines()
    shown = [one_line(line) for line in lines[:_LINES_SHOWN]]
    if len(lines) > _LINES_SHOWN:
        shown.append(f"  and {len(lines) - _LINES_SHOWN:,} more (--json shows all)")
    return "\n".join(shown)


def describe(error: ConfirmaError) -> str:
    """Return an error in one line: its class, its message, and the request id where the service gave one."""
    request_id = getattr(error, "request_id", None)
    return f"{type(error).__name__}: {error}" + (f" (request id {request_id})" if request_id else "")


def show(text: str) -> None:
    """Print text on standard output, whatever its encoding."""
    write_out(_encoded(sys.stdout, text))


def show_json(value: object) -> None:
    """Print one line of JSON on standard output."""
    write_out(_json_line(value))


class LogLines(logging.Handler):
    """Says log records of warning and above in one line each, without tracebacks: those can hold anything."""

    def __init__(self, voice: Voice) -> None:
        super().__init__(logging.WARNING)
        self._voice = voice

    def emit(self, record: logging.LogRecord) -> None:
        lines = record.getMessage().splitlines()
        self._voice.warn(lines[0] if lines else record.name)


def _fields(event: object) -> dict[str, object]:
    fields = msgspec.to_builtins(event, str_keys=True)
    return fields if isinstance(fields, dict) else {"value": fields}


def _json_line(value: object) -> bytes:
    return msgspec.json.encode(value) + b"\n"


def _encoded(stream: TextIO | None, text: str) -> bytes:
    encoding = getattr(stream, "encoding", None) or "utf-8"
    return (text + "\n").encode(encoding, "backslashreplace")


def _write(stream: TextIO | None, line: bytes) -> None:
    """Write to standard error; where nobody listens any more, work goes on in silence."""
    if stream is not None:
        with contextlib.suppress(OSError, ValueError):  # ValueError: closed
            stream.flush()
            stream.buffer.write(line)
            stream.buffer.flush()
