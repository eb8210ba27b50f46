"""Starts the server and the contenders, each in a process of its own, and measures them."""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
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
    """One run of one contender. Times in seconds, memory in MiB.

    `wall`, `cpu` and `first_record` count from the start of the job inside the process, after imports
    and a first window; `process_cpu` is the whole process with all of that.
    """

    wall: float
    cpu: float
    records: int
    first_record: float
    peak_rss_mib: float
    rss_before_mib: float
    process_cpu: float
    requests: int
    max_in_flight: int
    server_cpu: float
    samples_mib: list[float] = field(default_factory=list)

    @property
    def cpu_per_record(self) -> float:
        """Microseconds of CPU for one record."""
        return self.cpu / self.records * 1e6


def environment() -> dict[str, str]:
    """The environment of all processes: ours without proxies, since all traffic is loopback."""
    return {name: value for name, value in os.environ.items() if name.lower() not in PROXIES}


@dataclass(frozen=True)
class Finished:
    """A process that ended: what it printed, its CPU (user and system) and wall clock in seconds."""

    code: int
    out: str
    err: str
    cpu: float
    wall: float


def run(command: Sequence[str], timeout: float) -> Finished:
    """Run a process of ours to its end, at most `timeout` seconds, and say what it cost."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        started = time.perf_counter()
        process = subprocess.Popen(command, cwd=ROOT, env=environment(), stdout=out, stderr=err)
        timer = threading.Timer(timeout, process.kill)
        timer.start()
        try:
            cpu = _reap(process)
        finally:
            timer.cancel()
        wall = time.perf_counter() - started
        out.seek(0)
        err.seek(0)
        texts = [stream.read().decode(errors="replace") for stream in (out, err)]
    return Finished(process.returncode, texts[0], texts[1], cpu, wall)


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


def measure(contender: Contender, server: Server, timeout: float = 300) -> Sample:
    """Run one contender on the server's job; raises `ContenderError` unless the result is exact."""
    command = [sys.executable, "-m", contender.target, "--url", server.url, "--job", server.job.to_json()]
    if contender.uvloop:
        command.append("--uvloop")
    server.reset()
    finished = run(command, timeout)
    stats = server.stats()
    if finished.code:
        raise ContenderError(_last_line(finished.err) or f"exit code {finished.code}")
    facts = json.loads(finished.out.splitlines()[-1])
    expected = (server.job.records, server.job.checksum)
    if (facts["records"], facts.pop("checksum")) != expected:
        raise ContenderError(f"{facts['records']} records, not the {expected[0]} of the job")
    if stats["max_in_flight"] > server.job.concurrency:
        raise ContenderError(f"{stats['max_in_flight']} requests in flight, {server.job.concurrency} allowed")
    return Sample(
        **facts,
        process_cpu=finished.cpu,
        requests=stats["requests"],
        max_in_flight=stats["max_in_flight"],
        server_cpu=stats["server_cpu"],
    )


def _last_line(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1][:200] if lines else ""
