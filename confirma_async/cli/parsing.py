"""Arguments to a task; what the parser refuses is told in one line that repeats nothing that was typed.

A key that was typed by mistake, as an option's value or as an argument, must not end in a log.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence

import typer

from ..errors import ConfigurationError
from .app import Task, app
from .process import DONE, REFUSED

_PROGRAM = "confirma"
_COMMANDS = ("fetch", "backfill", "report", "export", "sandbox")
_PLAIN_OPTION = re.compile(r"--[a-z]{2,12}(-[a-z]{2,12}){0,2}")
_LOOKS_LIKE_A_KEY = ("key", "token", "secret", "passw", "auth")
_NEVER_A_KEY = (
    "the API key never stands in the command line, where others can see it:"
    " set CONFIRMA_API_KEY, or use --key-file or --key-stdin"
)


def parse(arguments: Sequence[str]) -> Task | int:
    """Return the task that the arguments name, or the exit code where all is said already, as by `--help`.

    Raises `ConfigurationError` for arguments that mean nothing.
    """
    command = typer.main.get_command(app)
    try:
        task: Task | int | None = command.main(
            args=list(arguments) or ["--help"], prog_name=_PROGRAM, standalone_mode=False
        )
    except typer.Abort:
        raise KeyboardInterrupt from None
    except SystemExit:  # the parser's way to say that nobody reads its help
        return DONE
    except Exception as error:
        message = _refusal(error)
        if message is None:
            raise
    else:
        if not arguments:
            return REFUSED
        return DONE if task is None else task
    raise ConfigurationError(message)


def _refusal(error: Exception) -> str | None:
    """Return what is wrong with the arguments, None where the error is another one.

    By names: the parser's classes live in different packages from release to release.
    """
    kinds = {kind.__name__ for kind in type(error).__mro__}
    if "UsageError" not in kinds:
        return None
    context = getattr(error, "ctx", None)
    if "NoSuchOption" in kinds:
        return _unknown_option(str(getattr(error, "option_name", "")), context)
    if "BadOptionUsage" in kinds:  # says a name of ours, no value
        option = str(getattr(error, "option_name", "an option"))
        return f"{option} needs a value" if "require" in str(error) else f"{option} takes no value"
    if "MissingParameter" in kinds:
        parameter = getattr(error, "param", None)
        names = getattr(parameter, "opts", [])
        name = names[-1] if names and names[-1].startswith("-") else getattr(parameter, "metavar", None) or "argument"
        return f"{name} is missing: see {_PROGRAM} {getattr(context, 'info_name', '')} --help"
    if "BadParameter" in kinds:
        return "an option has a value that cannot be read"
    if hasattr(getattr(context, "command", None), "commands"):
        return f"no such command: the commands are {', '.join(_COMMANDS)}"
    return f"an argument too many: see {_PROGRAM} {getattr(context, 'info_name', '')} --help; {_NEVER_A_KEY}"


def _unknown_option(name: str, context: object) -> str:
    if any(word in name.lower() for word in _LOOKS_LIKE_A_KEY):
        return f"there is no such option: {_NEVER_A_KEY}"
    command = getattr(context, "command", None)
    known = [option for parameter in getattr(command, "params", []) for option in parameter.opts]
    similar = difflib.get_close_matches(name, known, n=1)
    if similar:
        return f"there is no such option: did you mean {similar[0]}?"
    shown = f" {name}" if _PLAIN_OPTION.fullmatch(name) else ""
    return f"there is no such option{shown}: see {_PROGRAM} {getattr(context, 'info_name', '')} --help"
