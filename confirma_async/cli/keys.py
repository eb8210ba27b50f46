"""Where the key comes from: the environment, a file, standard input; never the command line."""

from __future__ import annotations

import os
import stat
import sys

from .._checks import KEY_VARIABLE, Secret, require_key
from ..errors import ConfigurationError

_LONGEST = 4096
_READ_AT_MOST = _LONGEST + len("\r\n") + 1


def from_environment() -> Secret:
    """Return the key in ``CONFIRMA_API_KEY``."""
    text = os.environ.get(KEY_VARIABLE)
    if not text:
        raise ConfigurationError(
            f"no API key: set {KEY_VARIABLE}, or use --key-file or --key-stdin (or --sandbox, which needs none)"
        )
    return _checked(KEY_VARIABLE, text)


def from_file(path: str) -> Secret:
    """Return the key in a regular file, less one line end; pipes and devices are refused, since they can hang."""
    try:
        file = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except (OSError, ValueError) as fault:  # a NUL in the name is a ValueError
        why = getattr(fault, "strerror", None) or "not a file name"
        raise ConfigurationError(f"--key-file cannot be read: {why}") from None
    try:
        if not stat.S_ISREG(os.fstat(file).st_mode):
            raise ConfigurationError("--key-file must be a regular file: for a pipe use --key-stdin")
        content = os.read(file, _READ_AT_MOST)
    except OSError as fault:
        raise ConfigurationError(f"--key-file cannot be read: {fault.strerror}") from None
    finally:
        os.close(file)
    return _decoded("--key-file", content)


def from_stdin() -> Secret:
    """Return the key from standard input, less one line end; at a terminal it is asked for without an echo."""
    if sys.stdin is None:
        raise ConfigurationError("--key-stdin: standard input is closed")
    if sys.stdin.isatty():
        import getpass

        try:
            return _checked("--key-stdin", getpass.getpass("API key: "))
        except EOFError:
            raise ConfigurationError("--key-stdin: the API key is empty") from None
    try:
        content = sys.stdin.buffer.read(_READ_AT_MOST)
    except OSError as fault:
        raise ConfigurationError(f"--key-stdin cannot be read: {fault.strerror}") from None
    return _decoded("--key-stdin", content)


def _decoded(source: str, content: bytes) -> Secret:
    if len(content) >= _READ_AT_MOST:
        raise ConfigurationError(f"{source}: that is no key: it is longer than {_LONGEST} characters")
    line = content.removesuffix(b"\n").removesuffix(b"\r") if content.endswith(b"\n") else content
    return _checked(source, line.decode("ascii", "replace"))


def _checked(source: str, text: str) -> Secret:
    try:
        return require_key(text)
    except ConfigurationError as error:
        message = error.message
    raise ConfigurationError(f"{source}: {message}")
