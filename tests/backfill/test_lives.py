"""kill -9, signals and full disks, over HTTP: the same command again gives the result of an undisturbed run.

``CONFIRMA_KILL_SEEDS`` sets how many seeded runs of kills there are per target (3 by default).
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import date
from pathlib import Path

import attrs
import msgspec
import polars
import pytest
from pytest_asyncio import fixture as async_fixture

from confirma_async import to_dict
from confirma_async.backfill import load_report, open_target
from confirma_async.reports import Verdict
from confirma_async.sandbox import SandboxServer

from .life import CONCURRENCY

LIFE = Path(__file__).with_name("life.py")
FIRST, LAST = date(2024, 1, 1), date(2024, 2, 9)
WINDOWS = 40
A_DAY = 25
IN_FLIGHT = 2 * CONCURRENCY + 1
SEEDS = int(os.environ.get("CONFIRMA_KILL_SEEDS", "3"))


@async_fixture
async def sandbox() -> AsyncIterator[SandboxServer]:
    async with SandboxServer(invoices_per_day=A_DAY, latency=0.004, keep_requests=100_000) as server:
        yield server


@attrs.define
class Lives:
    """The lives of one backfill, one after another."""

    server: SandboxServer
    into: str
    started: int = 0

    async def start(self, **limits: object) -> asyncio.subprocess.Process:
        """Begin a life."""
        self.started += 1
        return await asyncio.create_subprocess_exec(
            sys.executable,
            str(LIFE),
            self.server.url,
            self.server.api_key,
            self.into,
            str(FIRST),
            str(LAST),
            "1",
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1"},
            **limits,  # type: ignore[arg-type]  # handed through
        )

    def asked(self) -> list[str]:
        """The windows that reached the server, in order."""
        return [request.query["fromInvDate"] for request in self.server.requests]


async def expected(server: SandboxServer) -> Counter[str]:
    async with server.client() as client:
        rows = await client.distributions.list(FIRST, LAST, window_days=40).collect()
    return Counter(sorted(str(to_dict(row)) for row in rows))


async def held(into: str) -> Counter[str]:
    return Counter(sorted([str(to_dict(stored.invoice)) async for stored in open_target(into).records()]))


async def readable(into: str) -> int:
    """Count rows with the readers that a user would take."""
    path = Path(into)
    if into.endswith(".jsonl"):
        lines = path.read_bytes().split(b"\n")[:-1] if path.exists() else []
        return len([msgspec.json.decode(line) for line in lines])
    if into.endswith(".parquet"):
        return len(polars.read_parquet(into)) if path.exists() and any(path.iterdir()) else 0
    return sum((await held(into)).values())


@pytest.mark.timeout(300)
@pytest.mark.parametrize("seed", range(SEEDS))
async def test_killed_at_any_moment_it_ends_as_if_undisturbed(sandbox: SandboxServer, into: str, seed: int) -> None:
    chance, lives = random.Random(seed), Lives(sandbox, into)
    done_before: set[str] = set()
    kills = 0
    while True:
        asked_before = len(lives.asked())
        life = await lives.start()
        wanted = asked_before + chance.randint(1, 15)
        while len(lives.asked()) < wanted and life.returncode is None:
            await asyncio.sleep(0.001)
        await asyncio.sleep(chance.random() * 0.02)
        if kills < 5 and life.returncode is None:
            life.kill()
            kills += 1
        out, err = await life.communicate()
        assert done_before.isdisjoint(lives.asked()[asked_before:])
        done = {str(proof.window_start) for proof in (await load_report(into)).windows}
        assert done >= done_before
        done_before = done
        if life.returncode == 0:
            break
        assert life.returncode == -signal.SIGKILL, err.decode()
        assert await readable(into) >= len(done) * A_DAY - A_DAY
    assert out.decode().split() == ["COMPLETE", str(WINDOWS * A_DAY)]
    assert len(lives.asked()) <= WINDOWS + kills * IN_FLIGHT
    assert await held(into) == await expected(sandbox)
    assert await readable(into) == WINDOWS * A_DAY


@pytest.mark.timeout(120)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_leaves_the_target_whole_and_free(
    sandbox: SandboxServer, into: str, number: signal.Signals
) -> None:
    lives = Lives(sandbox, into)
    life = await lives.start()
    while len(lives.asked()) < 10:
        await asyncio.sleep(0.001)
    life.send_signal(number)
    _, err = await life.communicate()
    assert (life.returncode, err.decode().strip()) == (130, "interrupted")
    report = await load_report(into)
    assert report.verdict is Verdict.INCOMPLETE
    assert await readable(into) == report.records == len(report.windows) * A_DAY
    second = await lives.start()
    await second.communicate()
    assert second.returncode == 0
    assert len(lives.asked()) <= WINDOWS + IN_FLIGHT
    assert await held(into) == await expected(sandbox)


async def test_a_second_process_is_refused_and_a_lock_of_the_dead_is_not(
    sandbox: SandboxServer, file_target: Path
) -> None:
    lives = Lives(sandbox, str(file_target))
    first = await lives.start()
    while len(lives.asked()) < 3:
        await asyncio.sleep(0.001)
    first.send_signal(signal.SIGSTOP)
    second = await lives.start()
    _, err = await second.communicate()
    first.kill()
    await first.communicate()
    assert second.returncode == 1
    assert err.decode().startswith("CheckpointError: ")
    assert f"(process {first.pid})" in err.decode()
    third = await lives.start()
    await third.communicate()
    assert third.returncode == 0


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Callable[[int], Path]]:
    """Return a maker of places where only so many bytes fit; skipped where mounting is not allowed."""
    made: list[Path] = []

    def make(size: int) -> Path:
        place = tmp_path / f"disk{len(made)}"
        place.mkdir()
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(place)], check=False)
        if done.returncode:
            pytest.skip("mounting a small file system is not allowed here")
        made.append(place)
        return place

    yield make
    for place in made:
        subprocess.run(["umount", str(place)], check=True)


@pytest.mark.timeout(120)
@pytest.mark.parametrize("kind", ["jsonl", "sqlite", "parquet"])
@pytest.mark.parametrize("filled", [0.0, 0.35, 0.6, 0.9, 0.97, 1.0])
async def test_a_full_disk_ends_in_one_line_and_goes_on_after_space_returns(
    sandbox: SandboxServer, small_disk: Callable[[int], Path], kind: str, filled: float
) -> None:
    disk = small_disk(1 << 20)
    if filled:
        (disk / "ballast").write_bytes(bytes(int(filled * (1 << 20)) - 4096))
    lives = Lives(sandbox, str(disk / f"x.{kind}"))
    life = await lives.start()
    _, err = await life.communicate()
    assert life.returncode in {0, 1}
    if life.returncode:
        (line,) = err.decode().splitlines()
        assert line.startswith("TargetError: ")
        assert "free some space" in line
        subprocess.run(["mount", "-o", "remount,size=64m", str(disk)], check=True)
        again = await lives.start()
        _, err = await again.communicate()
        assert again.returncode == 0, err.decode()
    assert len(lives.asked()) <= WINDOWS + IN_FLIGHT
    assert await held(lives.into) == await expected(sandbox)
