"""Ctrl-C and SIGTERM: exit code 130, one line that says how to go on, nothing lost."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from pathlib import Path

import pytest

from confirma_async.sandbox import Fault, SandboxServer

from .conftest import DAYS, Call, Start, wait_for_requests

ONE_BY_ONE = ("--window-days", "1", "--concurrency", "1")


def hang_on_the_second_day(sandbox: SandboxServer) -> None:
    sandbox.script(Fault.hang(30, when=lambda request: request.query["fromInvDate"] == "2025-01-02"))


def interrupt(child: subprocess.Popen[bytes], sandbox: SandboxServer, how: signal.Signals) -> tuple[bytes, bytes]:
    wait_for_requests(sandbox, 2)
    time.sleep(0.1)
    child.send_signal(how)
    return child.communicate(timeout=10)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_fetch_says_how_to_go_on(
    start: Start, call: Call, sandbox: SandboxServer, how: signal.Signals
) -> None:
    command = ("fetch", "--base-url", sandbox.url, *DAYS, *ONE_BY_ONE)
    hang_on_the_second_day(sandbox)
    child = start(*command)
    out, err = interrupt(child, sandbox, how)
    assert child.returncode == 130
    assert err.startswith(b"confirma: interrupted: go on with the same command and --resume ")
    assert err.count(b"\n") == 1
    rest = call(*command, "--resume", err.decode().rpartition(" ")[2].strip())
    assert rest.code == 0
    assert len(out.decode().splitlines()) == 10
    assert len(set(out.decode().splitlines() + rest.out.splitlines())) == 30


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_backfill_goes_on_with_the_same_command(
    start: Start, call: Call, sandbox: SandboxServer, tmp_path: Path, how: signal.Signals
) -> None:
    target = tmp_path / "records.jsonl"
    command = ("backfill", "--base-url", sandbox.url, *DAYS, *ONE_BY_ONE, "--into", str(target))
    hang_on_the_second_day(sandbox)
    child = start(*command)
    _, err = interrupt(child, sandbox, how)
    assert child.returncode == 130
    last = err.splitlines()[-1]
    assert last.startswith(b"confirma: interrupted: ")
    assert b"the same command goes on" in last
    assert b"Traceback" not in err
    asked = len(sandbox.requests)
    assert call(*command).code == 0
    assert [request.query["fromInvDate"] for request in sandbox.requests[asked:]] == ["2025-01-02", "2025-01-03"]
    assert len(target.read_bytes().splitlines()) == 30


def test_a_program_is_told_of_the_interruption_in_json(start: Start, sandbox: SandboxServer) -> None:
    hang_on_the_second_day(sandbox)
    child = start("fetch", "--base-url", sandbox.url, *DAYS, *ONE_BY_ONE, "--json")
    _, err = interrupt(child, sandbox, signal.SIGINT)
    last = json.loads(err.splitlines()[-1])
    assert child.returncode == 130
    assert last["event"] == "interrupted"
    assert last["resume_token"]


def test_a_reader_that_never_reads_does_not_hold_an_interrupted_fetch(start: Start) -> None:
    child = start("fetch", "--sandbox", "--from", "2025-01-01", "--to", "2025-12-31")
    assert child.stdout is not None
    assert child.stdout.read(1) == b"{"
    time.sleep(0.5)  # by now the pipe is full
    child.send_signal(signal.SIGINT)
    assert child.wait(10) == 130
