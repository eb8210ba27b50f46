"""`confirma backfill`: a target that is filled once, whatever happens."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from confirma_async import ConfirmaClient, TargetError
from confirma_async.sandbox import Fault, SandboxServer

from .conftest import DAYS, YEAR, Call, Serve, Start, wait_for_requests


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "records.jsonl"


def fill(target: Path, *more: str) -> tuple[str, ...]:
    return ("backfill", *DAYS, "--into", str(target), *more)


def lines(target: Path) -> list[str]:
    return target.read_text("utf-8").splitlines()


def test_a_first_try_needs_no_account_and_tells_what_it_does(confirma: Call, target: Path) -> None:
    outcome = confirma("backfill", "--sandbox", *YEAR, "--into", str(target))
    assert outcome.code == 0
    assert outcome.out.startswith("COMPLETE: 18,250 records in 13 windows")
    said = outcome.err.splitlines()
    assert "synthetic invoices" in said[0]
    assert "13 windows (0 done, 13 missing, 0 to refresh)" in said[1]
    assert said[2].startswith("13 of 13 windows, 18,250 records, 13 requests (")
    assert said[3].startswith("look at it with: confirma report ")
    assert len(lines(target)) == 18_250


def test_run_again_in_the_sandbox_it_asks_nothing(call: Call, target: Path) -> None:
    assert call(*fill(target, "--sandbox")).code == 0
    outcome = call(*fill(target, "--sandbox"))
    assert outcome.code == 0
    assert "there is nothing to ask" in outcome.err
    assert "0 requests in the latest run" in outcome.out
    assert len(lines(target)) == 150


def test_a_failed_backfill_goes_on_with_the_same_command(call: Call, sandbox: SandboxServer, target: Path) -> None:
    command = fill(target, "--base-url", sandbox.url, "--window-days", "1", "--concurrency", "1")
    sandbox.script(Fault.status(403, when=lambda request: request.query["fromInvDate"] == "2025-01-02"))
    failed = call(*command)
    assert failed.code == 1
    assert "PermissionDeniedError" in failed.err
    assert "the same command goes on" in failed.err
    asked = len(sandbox.requests)
    assert call(*command).code == 0
    assert [request.query["fromInvDate"] for request in sandbox.requests[asked:]] == ["2025-01-02", "2025-01-03"]
    assert len(lines(target)) == 30


def test_an_incomplete_backfill_fails_and_says_how_to_go_on(
    call: Call, serve: Serve, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox = serve(10, "cut", 5)
    monkeypatch.setenv("CONFIRMA_API_KEY", sandbox.api_key)
    outcome = call(*fill(target, "--base-url", sandbox.url))
    assert outcome.code == 1
    assert outcome.out.startswith("INCOMPLETE")
    assert "the same command asks again" in outcome.err


def test_an_unverified_backfill_fails_where_completeness_is_required(
    call: Call, sandbox: SandboxServer, target: Path
) -> None:
    sandbox.total = "absent"
    assert call(*fill(target, "--base-url", sandbox.url)).code == 0
    assert call(*fill(target, "--base-url", sandbox.url, "--require-complete")).code == 1


def test_quiet_says_nothing_of_a_complete_run(call: Call, target: Path) -> None:
    assert call(*fill(target, "--sandbox", "--quiet")).said == ""
    assert len(lines(target)) == 150


def test_json_makes_every_line_parse(call: Call, target: Path) -> None:
    outcome = call(*fill(target, "--sandbox", "--json"))
    events = [json.loads(line) for line in outcome.err.splitlines()]
    assert outcome.out == ""
    assert {"note", "AttemptEnded", "WindowEnded", "Progress"} <= {event["event"] for event in events}
    assert (events[-1]["event"], events[-1]["verdict"], events[-1]["records"]) == ("BackfillReport", "COMPLETE", 150)


def test_progress_never_goes_back(call: Call, target: Path) -> None:
    outcome = call(*fill(target, "--sandbox", "--json", "--window-days", "1"))
    told = [event for event in map(json.loads, outcome.err.splitlines()) if event["event"] == "Progress"]
    assert [event["windows"] for event in told] == [0, 1, 2, 3]
    assert {event["windows_total"] for event in told} == {3}
    assert told[-1]["records"] == 150


def test_a_plan_needs_no_key_asks_nothing_and_writes_nothing(call: Call, serve: Serve, target: Path) -> None:
    sandbox = serve(1)
    outcome = call(*fill(target, "--base-url", sandbox.url, "--plan", "--window-days", "2"))
    assert outcome.code == 0
    assert outcome.out.splitlines()[:2] == ["2025-01-01..2025-01-02  missing", "2025-01-03..2025-01-03  missing"]
    assert sandbox.requests == []
    assert list(target.parent.iterdir()) == []


def test_a_plan_knows_what_was_done(call: Call, target: Path) -> None:
    assert call(*fill(target, "--sandbox", "--quiet", "--window-days", "2")).code == 0
    planned = call(*fill(target, "--sandbox", "--plan", "--json", "--window-days", "2")).out.splitlines()
    assert [json.loads(line)["state"] for line in planned] == ["done", "done"]


@pytest.mark.parametrize("more", [(), ("--plan",)])
def test_a_target_of_another_service_is_refused(
    call: Call, sandbox: SandboxServer, target: Path, more: tuple[str, ...]
) -> None:
    assert call(*fill(target, "--sandbox", "--quiet")).code == 0
    outcome = call(*fill(target, "--base-url", sandbox.url, *more))
    assert outcome.code == 2
    assert "CheckpointError" in outcome.err
    assert outcome.err.count("\n") == 1
    assert sandbox.requests == []


def test_a_label_is_kept_with_the_records(call: Call, target: Path) -> None:
    assert call(*fill(target, "--sandbox", "--quiet", "--account", "north")).code == 0
    assert {json.loads(line)["account"] for line in lines(target)} == {"north"}


@pytest.mark.parametrize("more", [(), ("--account", "south")])
def test_a_target_of_another_label_is_refused(call: Call, target: Path, more: tuple[str, ...]) -> None:
    assert call(*fill(target, "--sandbox", "--quiet", "--account", "north")).code == 0
    outcome = call(*fill(target, "--sandbox", *more))
    assert outcome.code == 2
    assert outcome.err.count("\n") == 1
    assert len(lines(target)) == 150


def test_a_target_that_cannot_be_made_is_refused(call: Call, sandbox: SandboxServer) -> None:
    outcome = call("backfill", *DAYS, "--base-url", sandbox.url, "--into", "/dev/null/x.jsonl")
    assert outcome.code == 2
    assert sandbox.requests == []


def test_a_target_that_breaks_in_mid_run_is_a_failure(
    call: Call, sandbox: SandboxServer, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(client: ConfirmaClient, start: date, end: date, **_: object) -> None:
        await client.distributions.list(start, end).collect()
        raise TargetError("the disk is full")

    monkeypatch.setattr(ConfirmaClient, "backfill", full)
    outcome = call(*fill(target, "--base-url", sandbox.url))
    assert outcome.code == 1
    assert "TargetError: the disk is full; every finished window is kept" in outcome.err


def test_only_one_process_writes_a_target(start: Start, call: Call, sandbox: SandboxServer, target: Path) -> None:
    sandbox.script(Fault.hang(20))
    first = start(*fill(target, "--base-url", sandbox.url))
    wait_for_requests(sandbox, 1)
    outcome = call(*fill(target, "--base-url", sandbox.url))
    assert outcome.code == 1
    assert "another backfill" in outcome.err
    assert first.poll() is None


def test_a_password_in_the_target_is_not_repeated(call: Call) -> None:
    outcome = call("backfill", *DAYS, "--sandbox", "--into", "postgresql://user:s3cr3t@127.0.0.1:1/none")
    assert outcome.code in {1, 2}
    assert "s3cr3t" not in outcome.said
