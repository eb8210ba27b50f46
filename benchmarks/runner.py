"""Starts the server and the contenders, each in a process of its own, and measures them."""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.request import urlopen

from benchmarks.contenders import Contender
from benchmarks.jobs import Job

ROOT = Path(__file__).resolve().parent.parent
PROXIES = {"http_proxy", "https_proxy", "all_proxy"}


class ContenderError(Exception):
    """A contender did not return the exact result of its job."""


@dataclass(frozen=True)
class Sample:
    """One pass of one contender. Times in seconds, memory in MiB.

    `wall`, `cpu` and `first_record` count from the start of the pass inside the process, after imports
    and a first window; `peak_rss_mib` is the peak of the process up to the end of the pass.
    `server_late` is how much later than its latency the server answered, on average.
    """

    wall: float
    cpu: float
    records: int
    first_record: float
    peak_rss_mib: float
    rss_before_mib: float
    requests: int
    max_in_flight: int
    server_cpu: float
    server_late: float
    samples_mib: list[float] = field(default_factory=list)

    @property
    def cpu_per_record(self) -> float:
        """Microseconds of CPU for one record."""
        return self.cpu / self.records * 1e6


def environment() -> dict[str, str]:
    """The environment of all processes: ours without proxies, since all traffic is loopback.

    Bytecode is kept whatever this process was told: otherwise the import of a package that an installer
    did not compile would be measured with its compilation, every time.
    """
    unwanted = PROXIES | {"pythondontwritebytecode"}
    return {name: value for name, value in os.environ.items() if name.lower() not in unwanted}


@dataclass(frozen=True)
class Finished:
    """A process that ended: what it printed, and its CPU (user and system) in seconds."""

    code: int
    out: str
    err: str
    cpu: float


def run(command: Sequence[str], timeout: float) -> Finished:
    """Run a process of ours to its end, at most `timeout` seconds, and say what it cost."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        process = subprocess.Popen(command, cwd=ROOT, env=environment(), stdout=out, stderr=err)
        timer = threading.Timer(timeout, process.kill)
        timer.start()
        try:
            cpu = _reap(process)
        finally:
            timer.cancel()
        out.seek(0)
        err.seek(0)
        texts = [stream.read().decode(errors="replace") for stream in (out, err)]
    return Finished(process.returncode, texts[0], texts[1], cpu)


def _reap(process: subprocess.Popen[bytes]) -> float:
    if not hasattr(os, "wait4"):
        process.wait()
        return 0.0
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return usage.ru_utime + usage.ru_stime


class Server:
    """The pre-rendered server of one job."""

    def __init__(self, url: str, job: Job) -> None:
        self.url = url
        self.job = job

    def reset(self) -> None:
        """Forget what was asked so far."""
        self._ask("reset")

    def stats(self) -> dict[str, float]:
        """What was asked since the reset."""
        return self._ask("stats")

    def _ask(self, what: str) -> dict[str, float]:
        with urlopen(f"{self.url}/-/{what}", timeout=10) as reply:
            return json.load(reply)


@contextlib.contextmanager
def serving(job: Job) -> Iterator[Server]:
    """A server for as long as the block lasts; it also ends when this process does."""
    command = [sys.executable, "-m", "benchmarks.server", "--job", job.to_json()]
    process = subprocess.Popen(command, cwd=ROOT, env=environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        yield Server(f"http://127.0.0.1:{int(process.stdout.readline())}", job)
    finally:
        process.stdin.close()
        process.stdout.close()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


class Partner:
    """A process of ours that answers a line of JSON whenever it is asked, and waits otherwise.

    It is asked once by being started. Each answer may take `timeout` seconds. Raises `ContenderError`
    with the last line of its standard error when it ends instead of answering.
    """

    def __init__(self, module: str, *arguments: str, timeout: float = 300) -> None:
        self._timeout = timeout
        self._err = tempfile.TemporaryFile()  # noqa: SIM115  # closed with the process
        command = [sys.executable, "-m", module, *arguments]
        self._process = subprocess.Popen(
            command, cwd=ROOT, env=environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._err
        )

    def ask(self) -> dict[str, object]:
        """Let it go on, and return its next answer."""
        with contextlib.suppress(BrokenPipeError):  # it ended: the answer says why
            self._process.stdin.write(b"\n")
            self._process.stdin.flush()
        return self.answer()

    def answer(self) -> dict[str, object]:
        """Its next answer."""
        timer = threading.Timer(self._timeout, self._process.kill)
        timer.start()
        try:
            line = self._process.stdout.readline()
        finally:
            timer.cancel()
        if not line:
            raise ContenderError(self._last_words())
        return json.loads(line)

    def _last_words(self) -> str:
        code = self._process.wait()
        self._err.seek(0)
        return last_line(self._err.read().decode(errors="replace")) or f"exit code {code}"

    def close(self) -> None:
        """End the process, whatever it does."""
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdout, self._err):
            stream.close()
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()


class Entrant:
    """A contender in a process of its own, ready to run the server's job as often as wanted."""

    def __init__(self, contender: Contender, server: Server) -> None:
        self._server = server
        options = ["--uvloop"] if contender.uvloop else []
        arguments = ("--url", server.url, "--job", server.job.to_json(), *options)
        self._partner = Partner(contender.target, *arguments)

    def ready(self) -> None:
        """Wait until it has imported everything and read its first window."""
        self._partner.answer()

    def measure(self) -> Sample:
        """One pass; raises `ContenderError` unless the result is exact."""
        self._server.reset()
        facts = self._partner.ask()
        stats = self._server.stats()
        _check(self._server.job, facts, stats)
        return Sample(**{name: value for name, value in facts.items() if name != "checksum"}, **stats)

    def close(self) -> None:
        """End its process."""
        self._partner.close()


def _check(job: Job, facts: dict[str, object], stats: dict[str, float]) -> None:
    if (facts["records"], facts["checksum"]) != (job.records, job.checksum):
        raise ContenderError(f"{facts['records']} records, or others than the {job.records} of the job")
    if stats["max_in_flight"] > job.concurrency:
        raise ContenderError(f"{stats['max_in_flight']} requests in flight, {job.concurrency} allowed")


def last_line(text: str) -> str:
    """The last line that says something, shortened."""
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1][:200] if lines else ""
