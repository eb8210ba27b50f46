"""How far a run is: on a terminal, in a log, and in words."""

from __future__ import annotations

import asyncio
import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from pathlib import Path

import pytest

from confirma_async import AttemptEnded, ClientPaused, Progress, RetryScheduled
from confirma_async.cli.progress import Gauge, duration, shown
from confirma_async.cli.voice import Voice
from confirma_async.sandbox import Fault, SandboxServer

from .conftest import DAYS, YEAR, Serve

_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")


def on_a_terminal(*arguments: str, **variables: str) -> tuple[int, str]:
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 100, 0, 0))
    child = subprocess.Popen(
        [sys.executable, "-m", "confirma_async.cli", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=theirs,
        env={**os.environ, "TERM": "xterm-256color", **variables},
        start_new_session=True,
    )
    os.close(theirs)
    said = b""
    while True:
        try:
            some = os.read(ours, 65536)
        except OSError:  # the child has gone
            break
        if not some:
            break
        said += some
    os.close(ours)
    return child.wait(20), said.decode()


def test_a_terminal_shows_windows_records_requests_and_retries(serve: Serve, tmp_path: Path) -> None:
    sandbox = serve(50, latency=0.2)
    sandbox.script(Fault.status(503))
    code, said = on_a_terminal(
        "backfill",
        *YEAR,
        "--base-url",
        sandbox.url,
        "--into",
        str(tmp_path / "x.jsonl"),
        CONFIRMA_API_KEY=sandbox.api_key,
        LANG="C.UTF-8",
    )
    plain = _ESCAPES.sub("", said)
    assert code == 0
    assert "windows 0/13" in plain
    assert "windows 13/13" in plain
    assert "100 %" in plain
    assert re.search(r"18,250 records, 14 requests \([0-9.]+/s\), 1 retries, [0-9.]+ MB", plain)
    assert "ServerError: asked again in" in plain
    assert "COMPLETE: 18,250 records" in plain
    assert said.count("\x1b[?25l") == said.count("\x1b[?25h") == 1  # the cursor is back


@pytest.mark.parametrize("variables", [{"TERM": "dumb"}, {"LC_ALL": "C", "PYTHONUTF8": "0", "NO_COLOR": "1"}])
def test_a_poor_terminal_is_enough(tmp_path: Path, variables: dict[str, str]) -> None:
    code, said = on_a_terminal("backfill", "--sandbox", *DAYS, "--into", str(tmp_path / "x.jsonl"), **variables)
    assert code == 0
    assert "COMPLETE: 150 records" in said


def gauge(**fields: int) -> Gauge:
    return Gauge(Voice(), **fields)  # type: ignore[arg-type]  # counts only


async def test_a_log_gets_a_line_every_few_seconds(capfd: pytest.CaptureFixture[str]) -> None:
    async with shown(gauge(windows=1, windows_total=3), every=0.02):
        await asyncio.sleep(0.09)
    lines = capfd.readouterr().err.splitlines()
    assert 2 <= len(lines) <= 4
    assert lines[0].startswith("1 of 3 windows, 0 records, 0 requests (0.0/s), 0 retries, 0.0 MB")


@pytest.mark.parametrize("voice", [Voice(quiet=True), Voice(json=True)])
async def test_nobody_who_did_not_ask_gets_lines(voice: Voice, capfd: pytest.CaptureFixture[str]) -> None:
    async with shown(Gauge(voice), every=0.001):
        await asyncio.sleep(0.02)
    assert capfd.readouterr().err == ""


async def test_without_plain_lines_nothing_is_said(capfd: pytest.CaptureFixture[str]) -> None:
    async with shown(gauge(), every=None):
        await asyncio.sleep(0)
    assert capfd.readouterr().err == ""


def test_requests_retries_and_pauses_are_counted_as_they_happen() -> None:
    one = gauge()
    one.on_event(AttemptEnded("GET", "u", 1, 503, "ServerError", 0.1, 7))
    one.on_event(RetryScheduled("u", 1, 0.5, "ServerError"))
    assert (one.requests, one.retries, one.bytes) == (1, 1, 7)
    assert one.news == "ServerError: asked again in 0.5 s"
    one.on_event(ClientPaused(30))
    assert one.news == "the service asked for a pause of 30 s"
    assert one.line().endswith("a pause of 30 s")


def test_old_news_is_no_news(monkeypatch: pytest.MonkeyPatch) -> None:
    one = gauge()
    one.on_event(RetryScheduled("u", 1, 0.5, "ServerError"))
    one._news = (one.started - 60, "old")
    assert one.news == ""


def test_time_left_is_told_from_the_windows_of_this_run() -> None:
    one = gauge()
    one.started -= 10
    one.told(Progress(windows=5, windows_total=10, records=0, requests=0, retries=0, bytes=0, seconds=0))
    assert one.left == ""
    one.told(Progress(windows=6, windows_total=10, records=9, requests=0, retries=0, bytes=0, seconds=0))
    assert one.left == "about 40 s left"
    assert one.records == 9


@pytest.mark.parametrize(
    ("seconds", "said"), [(0.4, "0 s"), (59, "59 s"), (61, "1 min 1 s"), (3600, "1 h 0 min"), (90_061, "25 h 1 min")]
)
def test_a_duration_is_told_as_people_say_it(seconds: float, said: str) -> None:
    assert duration(seconds) == said


def test_a_file_for_the_records_leaves_the_terminal_for_progress(sandbox: SandboxServer, tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    with (tmp_path / "out.jsonl").open("wb") as file:
        child = subprocess.Popen(
            [sys.executable, "-m", "confirma_async.cli", "fetch", "--base-url", sandbox.url, *DAYS],
            stdout=file,
            stderr=theirs,
            env={**os.environ, "TERM": "xterm"},
        )
        assert child.wait(20) == 0
    os.close(theirs)
    said = os.read(ours, 65536).decode()
    os.close(ours)
    assert "windows 1/1" in _ESCAPES.sub("", said)
