"""What cannot be asked is refused in one line, with exit code 2, before anything is sent."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from confirma_async.sandbox import SandboxServer

from .conftest import DAYS, Call

FULL_WIDTH = {ord("0") + digit: 0xFF10 + digit for digit in range(10)}
FETCH = ("fetch", *DAYS)
BAD = {
    "a compact date": ("fetch", "--from", "20240203"),
    "a date without zeros": ("fetch", "--from", "2024-2-3"),
    "a date in full-width digits": ("fetch", "--from", "2024-02-03".translate(FULL_WIDTH)),
    "a day that is not": ("fetch", "--from", "2025-02-30"),
    "a date with a time": ("fetch", "--from", "2025-01-01T00:00:00"),
    "an empty date": ("fetch", "--from", ""),
    "an open start": ("fetch", "--to", "2025-01-01"),
    "an inverted range": ("fetch", "--from", "2025-02-01", "--to", "2025-01-01"),
    "a start in the future": ("fetch", "--from", "9999-12-31"),
    "no concurrency": (*FETCH, "--concurrency", "0"),
    "a huge concurrency": (*FETCH, "--concurrency", "9" * 30),
    "a negative concurrency": (*FETCH, "--concurrency", "-1"),
    "a concurrency in words": (*FETCH, "--concurrency", "many"),
    "a concurrency in full-width digits": (*FETCH, "--concurrency", "8".translate(FULL_WIDTH)),
    "no window": (*FETCH, "--window-days", "0"),
    "a huge window": (*FETCH, "--window-days", "999999999"),
    "half a window": (*FETCH, "--window-days", "1.5"),
    "a rate that is no number": (*FETCH, "--max-rate", "nan"),
    "an infinite rate": (*FETCH, "--max-rate", "inf"),
    "a rate of nothing": (*FETCH, "--max-rate", "0"),
    "a huge rate": (*FETCH, "--max-rate", "1e300"),
    "a negative refresh": ("backfill", *DAYS, "--into", "x.jsonl", "--refresh-days", "-1"),
    "another environment": (*FETCH, "--environment", "moon"),
    "plain http": (*FETCH, "--base-url", "http://example.com"),
    "no address": (*FETCH, "--base-url", "nonsense"),
    "an address with a password": (*FETCH, "--base-url", "https://a:b@example.com"),
    "address and environment": (*FETCH, "--base-url", "https://example.com", "--environment", "staging"),
    "sandbox and address": (*FETCH, "--sandbox", "--base-url", "https://example.com"),
    "sandbox and key": (*FETCH, "--sandbox", "--key-stdin"),
    "two keys": (*FETCH, "--key-stdin", "--key-file", "x"),
    "an empty invoice number": (*FETCH, "--sandbox", "--invoice", " "),
    "an unprintable fetch type": (*FETCH, "--sandbox", "--fetch-type", "a\nb"),
    "a damaged token": (*FETCH, "--sandbox", "--resume", "!!!"),
    "a backfill without start": ("backfill", "--into", "x.jsonl"),
    "a backfill without target": ("backfill", *DAYS),
    "an unknown target": ("backfill", *DAYS, "--sandbox", "--into", "x.docx"),
    "an empty target": ("backfill", *DAYS, "--sandbox", "--into", ""),
    "two kinds of account": ("backfill", *DAYS, "--into", "x.jsonl", "--account", "a", "--accounts", "b"),
    "an empty label": ("backfill", *DAYS, "--sandbox", "--into", "x.jsonl", "--account", ""),
    "a target in no folder": ("backfill", *DAYS, "--sandbox", "--into", "no/such/folder/x.jsonl"),
    "a port beyond all": ("sandbox", "--port", "65536"),
    "unknown paging": ("sandbox", "--paging", "odd"),
    "a latency in words": ("sandbox", "--latency", "slow"),
    "a target that is not there": ("report", "nothing.jsonl"),
    "an export of nothing": ("export", "nothing.jsonl", "--to", "x.csv"),
    "no target": ("report",),
    "no command of ours": ("fetsch",),
    "an option without value": ("fetch", "--from"),
    "a flag with a value": ("fetch", "--quiet=yes"),
    "an unknown option": ("fetch", "--verbose"),
    "a misspelt option": ("fetch", "--form", "2025-01-01"),
}


@pytest.mark.parametrize("arguments", BAD.values(), ids=BAD)
def test_what_cannot_be_asked_is_refused_in_one_line(
    call: Call, arguments: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    outcome = call(*arguments)
    assert outcome.code == 2
    assert outcome.out == ""
    assert outcome.err.startswith("confirma: ")
    assert outcome.err.count("\n") == 1
    assert "no API key" not in outcome.err
    assert list(tmp_path.iterdir()) == []


def test_a_key_is_needed_and_the_ways_to_give_it_are_named(call: Call) -> None:
    outcome = call(*FETCH)
    assert outcome.code == 2
    assert outcome.err.startswith("confirma: no API key: set CONFIRMA_API_KEY, or use --key-file or --key-stdin")


def test_an_empty_key_in_the_environment_is_no_key(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONFIRMA_API_KEY", "")
    assert "no API key" in call(*FETCH).err


@pytest.mark.parametrize(
    "arguments",
    [
        ("fetch", "--api-key=s3cr3t-key-123"),
        ("fetch", "--api-key", "s3cr3t-key-123"),
        ("fetch", "--key", "s3cr3t-key-123"),
        ("fetch", "-k", "s3cr3t-key-123"),
        ("fetch", "-s3cr3t-key-123"),
        ("fetch", "--s3cr3t-key-123"),
        ("fetch", "s3cr3t-key-123"),
        ("s3cr3t-key-123",),
        ("--token", "s3cr3t-key-123"),
        ("report", "x.jsonl", "s3cr3t-key-123"),
        ("fetch", "--from", "s3cr3t-key-123"),
        ("fetch", "--concurrency", "s3cr3t-key-123"),
        ("fetch", "--environment", "s3cr3t-key-123"),
        ("fetch", "--base-url", "s3cr3t-key-123"),
        ("fetch", "--key-file", "s3cr3t-key-123"),
    ],
)
def test_a_key_that_was_typed_is_never_repeated(call: Call, arguments: tuple[str, ...]) -> None:
    outcome = call(*arguments)
    assert outcome.code == 2
    assert "s3cr3t" not in outcome.said


def test_a_key_as_an_option_is_told_where_keys_belong(call: Call) -> None:
    assert "CONFIRMA_API_KEY" in call("fetch", "--api-key=s3cr3t").err
    assert "--key-file" in call("fetch", "--api-key=s3cr3t").err


def test_a_misspelt_option_gets_a_suggestion(call: Call) -> None:
    assert "did you mean --from?" in call("fetch", "--form", "2025-01-01").err


def test_an_environment_variable_with_a_wrong_name_is_not_shown(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONFIRMA_ENVIRONMENT", "s3cr3t-key-123")
    outcome = call(*FETCH)
    assert outcome.code == 2
    assert (
        outcome.err == "confirma: CONFIRMA_ENVIRONMENT names no environment of the service: use production or staging\n"
    )


def test_a_refusal_is_json_where_json_is_asked_for(call: Call) -> None:
    outcome = call("fetch", "--json", "--from", "never")
    assert outcome.code == 2
    assert json.loads(outcome.err)["event"] == "refused"


def test_a_refused_range_reaches_no_service(call: Call, sandbox: SandboxServer) -> None:
    assert call("fetch", "--base-url", sandbox.url, "--from", "2025-02-01", "--to", "2025-01-01").code == 2
    assert sandbox.requests == []
