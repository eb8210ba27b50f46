"""Help, version, missing extras, and what is said of the unexpected."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import subprocess
import sys
from collections.abc import Coroutine

import pytest

from confirma_async import ApiStatusError, Verdict, __version__
from confirma_async.cli import fetching, main, process, stdout, voice
from confirma_async.cli.verdicts import judged
from confirma_async.cli.voice import Voice

from .conftest import DAYS, Call, Start

COMMANDS = ("fetch", "backfill", "report", "export", "sandbox")


def test_the_version_is_printed(call: Call) -> None:
    assert call("--version").out == f"confirma {__version__}\n"


def test_help_names_every_command(call: Call) -> None:
    outcome = call("--help")
    assert outcome.code == 0
    assert all(command in outcome.out for command in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_of_a_command_has_an_example(call: Call, command: str) -> None:
    outcome = call(command, "--help")
    assert outcome.code == 0
    assert f"Example: confirma {command}" in outcome.out


def test_no_arguments_show_the_help_and_are_a_usage_error(call: Call) -> None:
    outcome = call()
    assert outcome.code == 2
    assert "Usage: confirma" in outcome.out


def test_help_fits_an_ascii_terminal(confirma: Call) -> None:
    outcome = confirma("fetch", "--help", LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0")
    assert outcome.code == 0
    assert outcome.out.isascii()


def test_help_loads_nothing_that_only_a_run_needs() -> None:
    code = (
        "import sys; from confirma_async.cli import main; main(['--help']);"
        "late = 'rich.console', 'aiohttp.web_', 'confirma_async.sandbox', 'confirma_async.cli.fetch';"
        "print([name for name in sys.modules if name.startswith(late)], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=True)
    assert done.stderr == "[]\n"


def test_help_whose_reader_leaves_ends_quietly(start: Start) -> None:
    child = start("fetch", "--help")
    assert child.stdout is not None
    child.stdout.close()
    assert child.wait(20) == 0
    assert child.stderr is not None
    assert child.stderr.read() == b""


@pytest.mark.parametrize("missing", ["typer", "rich"])
def test_without_the_extra_one_line_says_how_to_install_it(
    call: Call, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    monkeypatch.setitem(sys.modules, missing, None)
    outcome = call("--help")
    assert outcome.code == 2
    assert outcome.err == "confirma: the command needs typer and rich: pip install 'confirma-async[cli]'\n"


def test_the_arguments_of_the_process_are_the_default(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["confirma", "--version"])
    assert main() == 0
    assert capfd.readouterr().out == f"confirma {__version__}\n"


def broken(*_: object) -> int:
    s3cr3t = "the-key"
    raise LookupError(f"{len(s3cr3t)} {s3cr3t}")


def test_a_fault_of_the_command_is_one_line_without_its_message(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "split_date_range", broken)
    outcome = call("fetch", "--plan", *DAYS)
    assert outcome.code == 1
    assert outcome.err.startswith("confirma: unexpected LookupError: ")
    assert "please report" in outcome.err
    assert outcome.err.count("\n") == 1
    assert "the-key" not in outcome.err


def test_a_fault_shows_where_it_happened_when_asked_to(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "split_date_range", broken)
    monkeypatch.setenv("CONFIRMA_DEBUG", "1")
    outcome = call("fetch", "--plan", *DAYS)
    assert outcome.code == 1
    assert "in broken" in outcome.err


@pytest.mark.parametrize("stop", [KeyboardInterrupt, asyncio.CancelledError])
def test_ctrl_c_at_any_time_is_130(call: Call, monkeypatch: pytest.MonkeyPatch, stop: type[BaseException]) -> None:
    def stopped(work: Coroutine[None, None, int]) -> int:
        work.close()
        raise stop

    monkeypatch.setattr(asyncio, "run", stopped)
    assert call("fetch", "--sandbox", *DAYS).code == 130


def test_ctrl_c_while_a_plan_is_printed_is_130(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(fetching, "show", stopped)
    assert call("fetch", "--plan", *DAYS).code == 130


def test_without_signal_handlers_the_work_is_done_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    async def work() -> int:
        return 7

    def refuse(*_: object) -> None:
        raise NotImplementedError

    monkeypatch.setattr(asyncio.SelectorEventLoop, "add_signal_handler", refuse)
    assert process.run_async(work) == 7


def test_a_log_record_is_one_line_without_its_traceback(capfd: pytest.CaptureFixture[str]) -> None:
    record = logging.LogRecord("x", logging.ERROR, "f", 1, "went wrong\nthe-key", None, None)
    voice.LogLines(Voice()).handle(record)
    assert capfd.readouterr().err == "confirma: warning: went wrong\n"


def test_an_empty_log_record_is_told_by_its_logger(capfd: pytest.CaptureFixture[str]) -> None:
    voice.LogLines(Voice()).handle(logging.LogRecord("x", logging.ERROR, "f", 1, "", None, None))
    assert capfd.readouterr().err == "confirma: warning: x\n"


def test_nobody_listening_on_standard_error_stops_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", None)
    Voice().warn("anyone?")
    assert main(["fetch", "--from", "never"]) == 2


def test_without_the_extra_and_without_standard_error_the_code_still_says_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "stderr", None)
    monkeypatch.setitem(sys.modules, "typer", None)
    assert main(["--help"]) == 2


def test_a_long_report_is_cut_after_twenty_lines() -> None:
    lines = voice.shortened("\n".join(str(number) for number in range(1000))).splitlines()
    assert len(lines) == 21
    assert lines[-1] == "  and 980 more (--json shows all)"


def test_what_could_steer_a_terminal_is_taken_out() -> None:
    assert voice.one_line("a\x1b[31mb\nc") == "a [31mb c"


def test_the_request_id_of_a_failure_is_told() -> None:
    assert voice.describe(ApiStatusError("403", request_id="r-1")) == "ApiStatusError: 403 (request id r-1)"


@pytest.mark.parametrize(
    ("verdict", "required", "code"),
    [
        (Verdict.COMPLETE, True, 0),
        (Verdict.UNVERIFIED, False, 0),
        (Verdict.UNVERIFIED, True, 1),
        (Verdict.INCOMPLETE, False, 1),
    ],
)
def test_a_verdict_decides_the_exit_code(
    capfd: pytest.CaptureFixture[str], verdict: Verdict, required: bool, code: int
) -> None:
    assert judged(verdict, Voice(json=True), require_complete=required) == code
    assert [json.loads(line)["message"][:10] for line in capfd.readouterr().err.splitlines()] == [verdict.value] * (
        verdict is not Verdict.COMPLETE
    )


class Slow(io.RawIOBase):
    """Takes one byte at a time, and at first none."""

    def __init__(self) -> None:
        self.taken = b""
        self.full = True

    def write(self, data: memoryview) -> int | None:  # type: ignore[override]
        if self.full:
            self.full = False
            return None
        self.taken += bytes(data[:1])
        return 1


class Stream:
    """Stands for `sys.stdout`: `raw` takes the bytes."""

    def __init__(self, raw: object) -> None:
        self.buffer = self
        self.raw = raw

    def flush(self) -> None: ...


def test_a_pipe_that_takes_little_gets_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    slow = Slow()
    monkeypatch.setattr(sys, "stdout", Stream(slow))
    stdout.write_out(b"abc")
    assert slow.taken == b"abc"


async def test_what_a_writer_could_not_write_is_not_idle(monkeypatch: pytest.MonkeyPatch) -> None:
    class Gone:
        def write(self, _: memoryview) -> int:
            raise BrokenPipeError

    monkeypatch.setattr(sys, "stdout", Stream(Gone()))
    out = stdout.OutputThread()
    with pytest.raises(stdout.OutputClosedError):
        await out.write(b"abc")
    assert not out.idle
    out.close()
