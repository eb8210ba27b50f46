"""Where a key may come from, and that it is never shown."""

from __future__ import annotations

import os
import pty
from pathlib import Path

import pytest

from confirma_async.sandbox import Fault, SandboxServer

from .conftest import DAYS, Call, Serve, Start


def ask(sandbox: SandboxServer) -> tuple[str, ...]:
    return ("fetch", "--base-url", sandbox.url, *DAYS)


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_a_key_file_may_end_with_one_line_end(call: Call, serve: Serve, tmp_path: Path, end: str) -> None:
    sandbox = serve(1)
    file = tmp_path / "key"
    file.write_bytes((sandbox.api_key + end).encode())
    assert call(*ask(sandbox), "--key-file", str(file)).code == 0


@pytest.mark.parametrize(
    "content", [b"", b"\n", b"two\nlines\n", b"key\n\n", b" key", b"x" * 5000, "ключ".encode(), "key".encode("utf-16")]
)
def test_a_key_file_that_holds_no_key_is_refused(call: Call, tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "key"
    file.write_bytes(content)
    outcome = call("fetch", *DAYS, "--key-file", str(file))
    assert outcome.code == 2
    assert outcome.err.startswith("confirma: --key-file: ")
    assert outcome.err.count("\n") == 1


def test_a_key_file_that_is_no_file_is_refused(call: Call, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "pipe", tmp_path / "nothing", Path("/dev/zero"), "x\0y"):
        outcome = call("fetch", *DAYS, "--key-file", str(path))
        assert outcome.code == 2
        assert outcome.err.count("\n") == 1


def test_a_key_from_standard_input_is_used(confirma: Call, serve: Serve) -> None:
    sandbox = serve(1)
    assert confirma(*ask(sandbox), "--key-stdin", text=sandbox.api_key.encode() + b"\n").code == 0


def test_an_empty_standard_input_is_refused(confirma: Call, serve: Serve) -> None:
    outcome = confirma(*ask(serve(1)), "--key-stdin", text=b"")
    assert outcome.code == 2
    assert outcome.err == "confirma: --key-stdin: the API key is empty\n"


def test_a_standard_input_that_cannot_be_read_is_refused(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken:
        buffer = property(lambda self: self)

        def isatty(self) -> bool:
            return False

        def read(self, _: int) -> bytes:
            raise OSError(5, "Input/output error")

    monkeypatch.setattr("sys.stdin", Broken())
    assert call("fetch", *DAYS, "--key-stdin").err == "confirma: --key-stdin cannot be read: Input/output error\n"


def test_an_end_of_input_at_the_prompt_is_no_key(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    def ended(_: str) -> str:
        raise EOFError

    monkeypatch.setattr("getpass.getpass", ended)
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    assert call("fetch", *DAYS, "--key-stdin").err == "confirma: --key-stdin: the API key is empty\n"


def test_a_plan_reads_no_key(call: Call) -> None:
    assert call("fetch", "--plan", *DAYS, "--key-file", "nothing").code == 0


def test_a_closed_standard_input_is_refused(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", None)
    assert call("fetch", *DAYS, "--key-stdin").code == 2


def test_at_a_terminal_the_key_is_asked_for_without_an_echo(start: Start, serve: Serve) -> None:
    sandbox = serve(1)
    ours, theirs = pty.openpty()
    child = start(*ask(sandbox), "--key-stdin", stdin=theirs)
    os.close(theirs)
    assert child.stderr is not None
    assert child.stderr.read(len(b"API key: ")) == b"API key: "
    os.write(ours, sandbox.api_key.encode() + b"\n")
    out, err = child.communicate(timeout=20)
    os.close(ours)
    assert child.returncode == 0
    assert sandbox.api_key.encode() not in out + err


def test_a_refused_key_fails_without_being_shown(confirma: Call, sandbox: SandboxServer) -> None:
    outcome = confirma(*ask(sandbox), CONFIRMA_API_KEY="wrong-key-0123456789")
    assert outcome.code == 1
    assert "AuthenticationError" in outcome.err
    assert "wrong-key" not in outcome.said


def test_no_output_of_a_failing_run_holds_the_key(confirma: Call, sandbox: SandboxServer) -> None:
    sandbox.script(Fault.status(403, body=sandbox.api_key), Fault.status(403, body=sandbox.api_key))
    for more in ((), ("--json",)):
        outcome = confirma(*ask(sandbox), *more, CONFIRMA_DEBUG="1", PYTHONASYNCIODEBUG="1")
        assert outcome.code == 1
        assert sandbox.api_key not in outcome.said


def test_the_sandbox_never_sees_the_key_of_the_environment(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONFIRMA_API_KEY", "not a key at all")
    assert call("fetch", "--sandbox", *DAYS, "--quiet").code == 0
