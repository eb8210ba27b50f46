"""`confirma fetch`: records on standard output, the summary on standard error."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from confirma_async import InvoiceDistribution, from_dict
from confirma_async.cli import fetching
from confirma_async.sandbox import Fault, SandboxServer

from .conftest import DAYS, YEAR, Call, Serve, Start


def ask(sandbox: SandboxServer, *more: str) -> tuple[str, ...]:
    return ("fetch", "--base-url", sandbox.url, *DAYS, *more)


def numbers(lines: str) -> list[str]:
    return [json.loads(line)["invoiceNumber"] for line in lines.splitlines()]


def test_every_line_is_a_record_in_utf_8(confirma: Call) -> None:
    outcome = confirma("fetch", "--sandbox", *DAYS, LC_ALL="C", PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert outcome.code == 0
    records = [from_dict(InvoiceDistribution, json.loads(line)) for line in outcome.out.splitlines()]
    assert len({record.invoice_number for record in records}) == len(records) == 150
    assert "ä" in outcome.out


def test_the_summary_with_its_verdict_is_on_standard_error(confirma: Call, sandbox: SandboxServer) -> None:
    outcome = confirma(*ask(sandbox))
    assert outcome.err.startswith("COMPLETE: 30 records from 1 of 1 windows")


def test_quiet_says_nothing_of_a_complete_run(call: Call, sandbox: SandboxServer) -> None:
    outcome = call(*ask(sandbox, "--quiet"))
    assert (outcome.code, outcome.err) == (0, "")
    assert len(numbers(outcome.out)) == 30


def test_without_dates_the_service_decides(call: Call, sandbox: SandboxServer) -> None:
    outcome = call("fetch", "--base-url", sandbox.url)
    assert outcome.code == 0
    assert len(numbers(outcome.out)) == 300
    assert "fromInvDate" not in sandbox.requests[0].query


def test_from_alone_runs_to_today(call: Call, sandbox: SandboxServer) -> None:
    assert (
        call("fetch", "--base-url", sandbox.url, "--from", "2026-01-01", "--quiet", "--window-days", "3660").code == 0
    )
    assert sandbox.requests[0].query["fromInvDate"] == "2026-01-01"
    assert sandbox.requests[0].query["toInvDate"] >= "2026-01-01"


def test_one_invoice_can_be_asked_for(call: Call, sandbox: SandboxServer) -> None:
    number = numbers(call(*ask(sandbox)).out)[3]
    assert numbers(call(*ask(sandbox, "--invoice", number)).out) == [number]


def test_an_invoice_that_the_last_30_days_lack_is_no_proof(call: Call, sandbox: SandboxServer) -> None:
    outcome = call("fetch", "--base-url", sandbox.url, "--invoice", "nobody")
    assert (outcome.code, outcome.out) == (0, "")
    assert "only the service's own last 30 days were searched" in outcome.err


def test_options_reach_the_service(call: Call, sandbox: SandboxServer) -> None:
    options = ("--fetch-type", "print", "--window-days", "1", "--concurrency", "1", "--max-rate", "500.5")
    assert call(*ask(sandbox, *options)).code in {0, 1}
    assert sandbox.requests[0].query["fetchType"] == "print"
    assert sandbox.requests[0].query["toInvDate"] == "2025-01-01"
    assert sandbox.max_in_flight == 1


def test_an_unverified_result_is_warned_of(call: Call, sandbox: SandboxServer) -> None:
    sandbox.total = "absent"
    outcome = call(*ask(sandbox))
    assert outcome.code == 0
    assert "warning: UNVERIFIED" in outcome.err


def test_an_unverified_result_fails_where_completeness_is_required(call: Call, sandbox: SandboxServer) -> None:
    sandbox.total = "absent"
    outcome = call(*ask(sandbox, "--require-complete"))
    assert outcome.code == 1
    assert len(numbers(outcome.out)) == 30


def test_an_incomplete_answer_fails(call: Call, serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    sandbox = serve(10, "cut", 5)
    monkeypatch.setenv("CONFIRMA_API_KEY", sandbox.api_key)
    outcome = call(*ask(sandbox))
    assert outcome.code == 1
    assert "confirma: IncompleteResultError: " in outcome.err
    assert "go on with the same command and --resume " in outcome.err


def test_a_failed_fetch_goes_on_where_it_stopped(call: Call, sandbox: SandboxServer) -> None:
    whole = numbers(call(*ask(sandbox)).out)
    one_by_one = ("--window-days", "1", "--concurrency", "1")
    sandbox.script(Fault.status(403, when=lambda request: request.query["fromInvDate"] == "2025-01-02"))
    failed = call(*ask(sandbox, *one_by_one))
    assert failed.code == 1
    token = failed.err.rpartition("--resume ")[2].strip()
    rest = call(*ask(sandbox, *one_by_one, "--resume", token))
    assert rest.code == 0
    assert numbers(failed.out) + numbers(rest.out) == whole


def test_a_token_of_another_query_is_refused(call: Call, sandbox: SandboxServer) -> None:
    sandbox.script(Fault.status(403))
    token = call(*ask(sandbox)).err.rpartition("--resume ")[2].strip()
    assert call(*ask(sandbox, "--window-days", "2", "--resume", token)).code == 2


def test_json_makes_every_line_on_standard_error_parse(confirma: Call, sandbox: SandboxServer) -> None:
    sandbox.script(Fault.status(503))
    outcome = confirma(*ask(sandbox, "--json", "--window-days", "1"))
    events = [json.loads(line) for line in outcome.err.splitlines()]
    kinds = [event["event"] for event in events]
    assert {"AttemptEnded", "RetryScheduled", "WindowEnded", "Progress"} <= set(kinds)
    assert events[-1]["event"] == "FetchReport"
    assert (events[-1]["verdict"], events[-1]["records"], events[-1]["retries"]) == ("COMPLETE", 30, 1)


def test_a_failure_in_json_carries_the_token(call: Call, sandbox: SandboxServer) -> None:
    sandbox.script(Fault.status(403))
    last = json.loads(call(*ask(sandbox, "--json")).err.splitlines()[-1])
    assert (last["event"], last["error"]) == ("failed", "PermissionDeniedError")
    assert last["resume_token"]


def test_a_plan_shows_the_windows_and_asks_nothing(call: Call, serve: Serve) -> None:
    sandbox = serve(1)
    outcome = call("fetch", "--base-url", sandbox.url, "--plan", "--from", "2025-01-01", "--to", "2025-02-10")
    assert outcome.code == 0
    assert outcome.out.splitlines()[:2] == ["2025-01-01..2025-01-30  30 days", "2025-01-31..2025-02-10  11 days"]
    assert sandbox.requests == []


def test_a_plan_for_programs_is_json(call: Call) -> None:
    lines = call("fetch", "--plan", "--json", *DAYS, "--window-days", "2").out.splitlines()
    assert [json.loads(line)["days"] for line in lines] == [2, 1]


def test_a_plan_without_dates_names_the_default_of_the_service(call: Call) -> None:
    assert "last 30 days" in call("fetch", "--plan").out
    assert json.loads(call("fetch", "--plan", "--json").out) == {"start": None, "end": None, "days": 30}


def test_a_reader_that_leaves_ends_the_fetch_quietly(start: Start) -> None:
    child = start("fetch", "--sandbox", *YEAR)
    assert child.stdout is not None
    assert child.stderr is not None
    assert child.stdout.readline().startswith(b"{")
    child.stdout.close()
    assert child.wait(20) == 0
    assert child.stderr.read() == b""


def test_a_reader_of_both_streams_may_leave(sandbox: SandboxServer) -> None:
    command = f"{sys.executable} -m confirma_async.cli {' '.join(ask(sandbox))} 2>&1 | head -1; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=30, check=True)
    first, code = done.stdout.splitlines()
    assert json.loads(first)["invoiceNumber"]
    assert (code, done.stderr) == ("0", "")


def test_a_full_disk_is_a_failure(start: Start, tmp_path: Path) -> None:
    command = f"{sys.executable} -m confirma_async.cli fetch --sandbox {' '.join(DAYS)} --quiet > /dev/full"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 1
    assert done.stderr == "confirma: standard output cannot be written: No space left on device\n"


def test_a_closed_standard_output_is_a_failure() -> None:
    command = f"{sys.executable} -m confirma_async.cli fetch --sandbox {' '.join(DAYS)} --quiet >&-"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 1
    assert done.stderr == "confirma: standard output is closed\n"


def test_the_first_record_is_there_before_the_last_window(start: Start, serve: Serve) -> None:
    sandbox = serve(1)
    sandbox.script(Fault.hang(20, when=lambda request: request.query["fromInvDate"] == "2025-01-03"))
    child = start(*ask(sandbox, "--window-days", "1", "--concurrency", "1"), CONFIRMA_API_KEY=sandbox.api_key)
    assert child.stdout is not None
    began = time.monotonic()
    assert child.stdout.readline().startswith(b"{")
    assert time.monotonic() - began < 10
    assert child.poll() is None


def test_a_reader_that_pauses_costs_no_record(start: Start, sandbox: SandboxServer) -> None:
    child = start("fetch", "--base-url", sandbox.url, *YEAR)
    time.sleep(1.5)  # the pipe is full long before
    out, err = child.communicate(timeout=20)
    assert child.returncode == 0
    assert len(out.splitlines()) == 3650
    assert err.startswith(b"COMPLETE")


async def test_many_records_are_turned_into_lines_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "_ROWS_AT_ONCE", 2)
    records = [InvoiceDistribution(str(number)) for number in range(5)]
    lines = (await fetching._lines(records)).decode()
    assert numbers(lines) == ["0", "1", "2", "3", "4"]
    assert lines.endswith("\n")


def test_records_into_a_file_leave_the_terminal_free(start: Start, tmp_path: Path, sandbox: SandboxServer) -> None:
    target = tmp_path / "out.jsonl"
    with target.open("wb") as file:
        done = subprocess.run(
            [sys.executable, "-m", "confirma_async.cli", *ask(sandbox)],
            stdout=file,
            stderr=subprocess.PIPE,
            timeout=30,
            check=True,
            env=os.environ,
        )
    assert len(target.read_text("utf-8").splitlines()) == 30
    assert done.stderr.startswith(b"COMPLETE")
