"""The command `confirma`: fetch, backfill, report, export, and a sandbox to try them on.

It needs the extra ``cli`` (typer and rich). Exit codes: 0 done, 1 failed or incomplete, 2 refused before
anything was asked, 130 interrupted.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

__all__ = ["main"]

_REFUSED = 2
_INTERRUPTED = 130
_EXTRA = "confirma: the command needs typer and rich: pip install 'confirma-async[cli]'\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command with these arguments (None: those of the process) and return its exit code."""
    try:
        try:
            import rich  # noqa: F401  # both are the extra `cli`
            import typer  # noqa: F401
        except ImportError:
            if sys.stderr is not None:
                sys.stderr.write(_EXTRA)
            return _REFUSED
        from .running import run  # only now is it known that it can be imported

        return run(sys.argv[1:] if arguments is None else list(arguments))
    except KeyboardInterrupt:
        return _INTERRUPTED
