"""`confirma backfill --accounts`: each account of a file, into one target."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest

from confirma_async.sandbox import Fault

from .conftest import DAYS, Call, Serve, Start, wait_for_requests


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "accounts.toml"
    path.write_text('[[account]]\nname = "north"\nkey_env = "KEY_N"\n[[account]]\nname = "south"\nkey_env = "KEY_S"\n')
    return path


@pytest.fixture
def command(file: Path, serve: Serve, monkeypatch: pytest.MonkeyPatch) -> tuple[str, ...]:
    sandbox = serve(10)
    monkeypatch.setenv("KEY_N", sandbox.api_key)
    monkeypatch.setenv("KEY_S", sandbox.api_key)
    target = file.with_name("all.jsonl")
    return ("backfill", "--accounts", str(file), "--base-url", sandbox.url, *DAYS, "--into", str(target))


def test_every_account_has_its_report(call: Call, command: tuple[str, ...]) -> None:
    outcome = call(*command)
    assert outcome.code == 0
    assert [line.split(" (")[0] for line in outcome.out.splitlines() if not line.startswith(" ")] == [
        "north: COMPLETE: 30 records in 1 windows",
        "south: COMPLETE: 30 records in 1 windows",
    ]
    assert len(Path(command[-1]).read_bytes().splitlines()) == 60


def test_the_failure_of_one_account_leaves_the_other(
    call: Call, command: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KEY_S", "wrong-key-0123456789")
    outcome = call(*command)
    assert outcome.code == 1
    assert outcome.out.startswith("north: COMPLETE")
    assert "confirma: south: AuthenticationError" in outcome.err
    assert "wrong-key" not in outcome.said


def test_json_names_the_account_of_each_report(call: Call, command: tuple[str, ...]) -> None:
    events = [json.loads(line) for line in call(*command, "--json").err.splitlines()]
    assert [one["account"] for one in events if one["event"] == "BackfillReport"] == ["north", "south"]
    assert [one for one in events if one["event"] == "Progress"][-1]["windows"] == 2


def test_quiet_says_nothing_of_complete_accounts(call: Call, command: tuple[str, ...]) -> None:
    assert call(*command, "--quiet").said == ""


def test_a_plan_of_accounts_needs_no_key(call: Call, command: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KEY_N")
    monkeypatch.delenv("KEY_S")
    assert call(*command, "--plan").out.startswith("north: 2025-01-01..2025-01-03: 1 windows (0 done, 1 missing")
    planned = [json.loads(line) for line in call(*command, "--plan", "--json").out.splitlines()]
    assert [(one["account"], one["state"]) for one in planned] == [("north", "missing"), ("south", "missing")]


def test_a_plan_of_accounts_knows_what_was_done(call: Call, command: tuple[str, ...], file: Path) -> None:
    both = file.read_text("utf-8")
    file.write_text(both.partition('[[account]]\nname = "south"')[0], "utf-8")
    assert call(*command, "--quiet").code == 0
    file.write_text(both, "utf-8")
    planned = [json.loads(line)["state"] for line in call(*command, "--plan", "--json").out.splitlines()]
    assert planned == ["done", "missing"]


def test_a_plan_for_a_target_of_others_is_refused(call: Call, command: tuple[str, ...]) -> None:
    assert call("backfill", "--sandbox", *DAYS, "--into", command[-1], "--quiet").code == 0
    outcome = call(*command, "--plan")
    assert outcome.code == 2
    assert "north: CheckpointError" in outcome.err


@pytest.mark.parametrize("more", [("--account", "x"), ("--sandbox",), ("--key-stdin",), ("--environment", "staging")])
def test_what_the_file_says_is_not_said_twice(call: Call, file: Path, more: tuple[str, ...]) -> None:
    outcome = call("backfill", "--accounts", str(file), *DAYS, "--into", "x.jsonl", *more)
    assert outcome.code == 2
    assert outcome.err.count("\n") == 1


def test_a_file_that_is_not_there_is_refused(call: Call, tmp_path: Path) -> None:
    outcome = call("backfill", "--accounts", str(tmp_path / "none"), *DAYS, "--into", str(tmp_path / "x.jsonl"))
    assert outcome.code == 2
    assert outcome.err.count("\n") == 1


def test_interrupted_accounts_go_on_with_the_same_command(
    start: Start, file: Path, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox = serve(10)
    sandbox.script(Fault.hang(20), Fault.hang(20))
    monkeypatch.setenv("KEY_N", sandbox.api_key)
    monkeypatch.setenv("KEY_S", sandbox.api_key)
    into = str(file.with_name("other.jsonl"))
    child = start("backfill", "--accounts", str(file), "--base-url", sandbox.url, *DAYS, "--into", into)
    wait_for_requests(sandbox, 2)
    child.send_signal(signal.SIGTERM)
    _, err = child.communicate(timeout=10)
    assert child.returncode == 130
    assert err.startswith(b"confirma: interrupted: every finished window is kept")
