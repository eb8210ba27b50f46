"""The command as a child process and in this one, and services for it to ask."""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import attrs
import pytest

import confirma_async
from confirma_async.cli import main
from confirma_async.sandbox import SandboxServer

IMPORTED_FROM = Path(confirma_async.__file__).parents[1]  # children run the package that is tested here
collect_ignore = (
    ["test_fetch.py", "test_interruptions.py", "test_keys.py", "test_progress.py", "test_sandbox_command.py"]
    if sys.platform == "win32"  # terminals, signals, shells and named pipes of POSIX
    else []
)
YEAR = ("--from", "2025-01-01", "--to", "2025-12-31")
DAYS = ("--from", "2025-01-01", "--to", "2025-01-03")


def wait_for_requests(sandbox: SandboxServer, count: int) -> None:
    """Wait until so many requests have arrived; the sandbox lives in another thread."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        with contextlib.suppress(RuntimeError):  # one arrived while they were being listed
            if len(sandbox.requests) >= count:
                return
        time.sleep(0.02)
    raise TimeoutError


@attrs.frozen
class Outcome:
    code: int
    out: str
    err: str

    @property
    def said(self) -> str:
        return self.out + self.err


Call = Callable[..., Outcome]
Start = Callable[..., "subprocess.Popen[bytes]"]
Serve = Callable[..., SandboxServer]


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CONFIRMA_API_KEY", "CONFIRMA_ENVIRONMENT", "CONFIRMA_DEBUG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PYTHONPATH", str(IMPORTED_FROM))


@pytest.fixture
def call(capfd: pytest.CaptureFixture[str]) -> Call:
    """Run the command in this process."""

    def run(*arguments: str) -> Outcome:
        capfd.readouterr()
        code = main(arguments)
        said = capfd.readouterr()
        return Outcome(code, said.out, said.err)

    return run


@pytest.fixture
def start() -> Iterator[Start]:
    """Start the command as a child process; it is killed at the end, if it still runs."""
    started: list[subprocess.Popen[bytes]] = []

    def run(*arguments: str, stdin: int | None = subprocess.DEVNULL, **variables: str) -> subprocess.Popen[bytes]:
        child = subprocess.Popen(
            [sys.executable, "-m", "confirma_async.cli", *arguments],
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, **variables},
            start_new_session=True,  # no terminal of the tester's
        )
        started.append(child)
        return child

    yield run
    for child in started:
        if child.poll() is None:
            child.kill()
        child.communicate()


@pytest.fixture
def confirma(start: Start) -> Call:
    """Run the command as a child process, to its end."""

    def run(*arguments: str, text: bytes | None = None, **variables: str) -> Outcome:
        child = start(*arguments, stdin=subprocess.DEVNULL if text is None else subprocess.PIPE, **variables)
        out, err = child.communicate(text, timeout=30)
        return Outcome(child.returncode, out.decode(), err.decode())

    return run


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Start a sandbox in a thread of its own: the command has the main thread."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    started: list[SandboxServer] = []

    def run(*arguments: object, **switches: object) -> SandboxServer:
        sandbox = SandboxServer(*arguments, strict=False, **switches)  # type: ignore[arg-type]  # checked there
        asyncio.run_coroutine_threadsafe(sandbox.start(), loop).result()
        started.append(sandbox)
        return sandbox

    yield run
    for sandbox in started:
        asyncio.run_coroutine_threadsafe(sandbox.aclose(), loop).result()
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


@pytest.fixture
def sandbox(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> SandboxServer:
    """A service with ten invoices a day, whose key is in the environment."""
    served = serve(10)
    monkeypatch.setenv("CONFIRMA_API_KEY", served.api_key)
    return served
