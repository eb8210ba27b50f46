"""`confirma sandbox`: a service of one's own, until Ctrl-C."""

from __future__ import annotations

import json
import shlex
import signal
import socket
import subprocess

import pytest

from .conftest import Call, Start


def introduced(child: subprocess.Popen[bytes]) -> list[str]:
    assert child.stdout is not None
    return [child.stdout.readline().decode().rstrip() for _ in range(5)]


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_it_answers_the_line_that_it_prints_and_ends_when_told(
    start: Start, confirma: Call, how: signal.Signals
) -> None:
    child = start("sandbox", "--port", "0", "--invoices-per-day", "2", "--paging", "number", "--page-size", "50")
    key, command, *arguments = shlex.split(introduced(child)[-1])
    name, _, value = key.partition("=")
    assert (name, command) == ("CONFIRMA_API_KEY", "confirma")
    outcome = confirma(*arguments, CONFIRMA_API_KEY=value)
    assert outcome.code == 0
    assert len(outcome.out.splitlines()) == 180
    child.send_signal(how)
    assert child.wait(10) == 0
    assert child.stderr is not None
    assert child.stderr.read() == b""


def test_json_gives_the_address_and_the_key(start: Start) -> None:
    child = start("sandbox", "--port", "0", "--json", "--seed", "7", "--latency", "0.01")
    assert child.stdout is not None
    told = json.loads(child.stdout.readline())
    assert told["url"].startswith("http://127.0.0.1:")
    assert told["api_key"].startswith("sandbox-key-")


def test_a_port_that_is_taken_is_a_failure(call: Call) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        outcome = call("sandbox", "--port", str(taken.getsockname()[1]))
    assert outcome.code == 1
    assert outcome.err.count("\n") == 1
