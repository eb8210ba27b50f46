"""Whether the cost of one more record, or window, grows with the size of the read."""

import json
import sys
from dataclasses import dataclass, field
from statistics import median

from benchmarks import jobs
from benchmarks.jobs import Job
from benchmarks.runner import ContenderError, Server, last_line, run, serving
from benchmarks.stepping import Steps

TURNS = 10  # steps of the near read before it begins anew
RESTARTS = 5


@dataclass(frozen=True)
class Shape:
    """A small and a large read of one server; `thing` records are one of what is counted."""

    large: Job
    small: Job
    thing: int
    steps: Steps


def _shape(large: Job, thing: int, near: int, step: int) -> Shape:
    """Both reads go on for two more spans of steps, so that pages keep coming while they are measured."""
    span = TURNS * step
    far = large.records - (RESTARTS + 2) * span
    small = large.first(-(-(near + 3 * span) // large.rows_per_window))
    return Shape(large, small, thing, Steps(near, far, step, TURNS, RESTARTS))


def records(size: int) -> Shape:
    """From 30,000 records to `size`, in steps of 1,000.

    A read begins by reading ahead, and lives on that for its next 20,000 records: these would be too cheap a
    measure.
    """
    return _shape(jobs.flat_records(size), thing=1, near=30_000, step=1_000)


def windows(size: int) -> Shape:
    """From 10 windows of 12 records to `size`, in steps of 10."""
    return _shape(jobs.flat_windows(size), thing=12, near=120, step=120)


@dataclass
class Slope:
    """CPU seconds of steps near the start and far from it, and of the first step of small and large reads."""

    shape: Shape
    near: list[float] = field(default_factory=list)
    far: list[float] = field(default_factory=list)
    head_small: list[float] = field(default_factory=list)
    head_large: list[float] = field(default_factory=list)

    @property
    def ratio(self) -> float:
        """The cost of one thing in the large read, against the cost of one more near its start.

        What the large read spends before its first step and the small one does not, say on planning all
        windows, is spread over all of it. The start of the small read counts for nothing. Steps are added up
        over the turns of one start: a read that is ahead of its consumer does the work of one step in another.
        """
        grown = median(far / near for near, far in zip(_by_start(self.near), _by_start(self.far), strict=True))
        planned = median(large - small for small, large in zip(self.head_small, self.head_large, strict=True))
        steps = self.shape.large.records / self.shape.steps.step
        return grown + max(0.0, planned) / steps / median(self.near)

    def per_thing(self, seconds: list[float]) -> list[float]:
        """Microseconds of one record, or window, in each of some steps."""
        things = self.shape.steps.step / self.shape.thing
        return [value / things * 1e6 for value in seconds]


def _by_start(seconds: list[float]) -> list[float]:
    return [sum(seconds[at : at + TURNS]) for at in range(0, len(seconds), TURNS)]


def measure(shape: Shape, lives: int) -> Slope:
    """Compare in `lives` fresh processes; raises `ContenderError` when one of them cannot."""
    slope = Slope(shape)
    with serving(shape.large) as server:
        for _ in range(lives):
            for name, seconds in _compared(shape, server).items():
                getattr(slope, name).extend(seconds)
    return slope


def _compared(shape: Shape, server: Server) -> dict[str, list[float]]:
    command = [sys.executable, "-m", "benchmarks.stepping", "--url", server.url, "--steps", shape.steps.to_json()]
    command += ["--small", shape.small.to_json(), "--large", shape.large.to_json()]
    finished = run(command, timeout=300)
    if finished.code:
        raise ContenderError(last_line(finished.err) or f"exit code {finished.code}")
    return json.loads(finished.out)
