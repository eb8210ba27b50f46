"""From arguments to an exit code: what is raised on the way becomes one line on standard error."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
from collections.abc import Iterator, Sequence

from ..errors import ConfigurationError, ConfirmaError
from .parsing import parse
from .process import DONE, FAILED, INTERRUPTED, REFUSED
from .stdout import OutputClosedError, OutputError
from .voice import LogLines, Voice, describe

_DEBUG_VARIABLE = "CONFIRMA_DEBUG"


def run(arguments: Sequence[str]) -> int:
    """Do what the arguments ask for; raises nothing that a user can cause."""
    voice = Voice(json="--json" in arguments)  # refusals come before the options are known
    with _log_lines(voice):
        try:
            task = parse(arguments)
            return task if isinstance(task, int) else task()
        except ConfigurationError as error:
            voice.refuse(error.message)
            return REFUSED
        except ConfirmaError as error:
            voice.fail(describe(error))
            return FAILED
        except OutputClosedError:
            return DONE
        except OutputError as error:
            voice.fail(str(error))
            return FAILED
        except KeyboardInterrupt:
            return INTERRUPTED
        except Exception as bug:  # noqa: BLE001  # whatever it is, a person reads it
            _confess(voice, bug)
            return FAILED


@contextlib.contextmanager
def _log_lines(voice: Voice) -> Iterator[None]:
    lines, root = LogLines(voice), logging.getLogger()
    root.addHandler(lines)
    try:
        yield
    finally:
        root.removeHandler(lines)


def _confess(voice: Voice, bug: Exception) -> None:
    voice.fail(
        f"unexpected {type(bug).__name__}: this is a fault of the command, please report it"
        f" ({_DEBUG_VARIABLE}=1 shows where it happened)"
    )
    if os.environ.get(_DEBUG_VARIABLE) and sys.stderr is not None:
        import traceback

        traceback.print_exception(bug, file=sys.stderr)
