"""Which contender runs which job how often, and the results of it all."""

import time
from collections.abc import Callable, Iterable
from contextlib import ExitStack, closing
from dataclasses import dataclass, field

from benchmarks import jobs, slopes
from benchmarks.contenders import CONTENDERS
from benchmarks.imports import import_times
from benchmarks.jobs import Job
from benchmarks.runner import ContenderError, Entrant, Sample, Server, serving
from benchmarks.slopes import Shape, Slope

Say = Callable[[str], None]
OURS = "confirma"
PAIR = ("limit", OURS, "confirma_uvloop")
FAST = (*PAIR, "bare_pages")
SLOW_WITH_LATENCY = ("bare_sequential", "httpx_sequential", "singer_tap")
JOBS = ("throughput", "pairs", "latency", "memory", "flat_records", "flat_windows", "imports")


@dataclass(frozen=True)
class Plan:
    """How much is measured.

    `lives` are processes of one contender, one after the other, in each of which it makes as many passes
    as there are `rounds`. Some processes are faster than others of the same program by several percent,
    for all their life: more lives help more than more rounds.
    """

    records: int = 100_000
    lives: int = 2
    rounds: int = 2
    pair_records: int = 30_000
    pair_lives: int = 9
    pair_rounds: int = 7
    latency_lives: int = 3
    latency_rounds: int = 5
    latency_peers: frozenset[str] = frozenset(CONTENDERS) - {*FAST}
    memory_pages: int = 1_000
    flat_records: int = 1_000_000
    flat_windows: int = 10_000
    flat_lives: int = 5
    import_rounds: int = 15
    only: frozenset[str] = frozenset(CONTENDERS) - {"confirma_uvloop"}
    only_jobs: frozenset[str] = frozenset(JOBS)

    def contenders(self, names: Iterable[str]) -> list[str]:
        """Those of the names that are wanted."""
        return [name for name in names if name in self.only]


QUICK = Plan(
    records=4_000,
    lives=1,
    rounds=3,
    pair_records=10_000,
    pair_lives=6,
    pair_rounds=6,
    latency_lives=2,
    latency_rounds=4,
    latency_peers=frozenset(),
    memory_pages=200,
    flat_records=150_000,
    flat_windows=2_000,
    flat_lives=3,
    import_rounds=7,
)


@dataclass
class Results:
    """What was measured.

    `samples` by job and contender, one list entry per round; `planned` rounds of each; `beside` has, for
    each sample of a slow contender, the sample of ours taken right after it. CPU seconds of imports.
    `failures` say why something is missing.
    """

    samples: dict[str, dict[str, list[Sample]]] = field(default_factory=dict)
    planned: dict[str, dict[str, int]] = field(default_factory=dict)
    beside: dict[str, dict[str, list[Sample]]] = field(default_factory=dict)
    jobs: dict[str, Job] = field(default_factory=dict)
    slopes: dict[str, Slope] = field(default_factory=dict)
    imports: dict[str, list[float]] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)

    def of(self, job: str, contender: str) -> list[Sample]:
        """The samples of one contender on one job; empty when there are fewer than planned."""
        samples = self.samples.get(job, {}).get(contender, [])
        return samples if len(samples) == self.planned.get(job, {}).get(contender) else []

    def fail(self, where: str, reason: Exception, say: Say) -> None:
        """Keep why something could not be measured."""
        self.failures[where] = str(reason)
        say(f"{where}: {reason}")


def run_suite(plan: Plan, say: Say) -> Results:
    """Everything the plan wants, in order."""
    results = Results()
    for name in JOBS:
        if name not in plan.only_jobs:
            continue
        started = time.perf_counter()
        _STEPS[name](plan, results, say)
        say(f"{name}: {time.perf_counter() - started:.0f} s")
    return results


def _throughput(plan: Plan, results: Results, say: Say) -> None:
    rounds = dict.fromkeys(plan.contenders(CONTENDERS), plan.rounds)
    for _ in range(plan.lives):
        _interleaved(jobs.throughput(plan.records), rounds, results, say)


def _pairs(plan: Plan, results: Results, say: Say) -> None:
    rounds = dict.fromkeys(plan.contenders(PAIR), plan.pair_rounds)
    for _ in range(plan.pair_lives):
        _interleaved(jobs.throughput(plan.pair_records, "pairs"), rounds, results, say)


def _latency(plan: Plan, results: Results, say: Say) -> None:
    """Slow contenders once: their seconds of waiting leave little to chance."""
    rounds = dict.fromkeys(plan.contenders(FAST), plan.latency_rounds)
    once = dict.fromkeys(plan.contenders(name for name in CONTENDERS if name in plan.latency_peers), 1)
    _interleaved(jobs.latency(), rounds | once, results, say)
    for _ in range(plan.latency_lives - 1):
        _interleaved(jobs.latency(), rounds, results, say)


def _memory(plan: Plan, results: Results, say: Say) -> None:
    names = plan.contenders(("limit", OURS))
    _interleaved(jobs.memory(plan.memory_pages), dict.fromkeys(names, 1), results, say)


def _flat_records(plan: Plan, results: Results, say: Say) -> None:
    _flat(slopes.records(plan.flat_records), plan, results, say)


def _flat_windows(plan: Plan, results: Results, say: Say) -> None:
    _flat(slopes.windows(plan.flat_windows), plan, results, say)


def _flat(shape: Shape, plan: Plan, results: Results, say: Say) -> None:
    if OURS not in plan.only:
        return
    name = shape.large.name
    try:
        results.slopes[name] = slopes.measure(shape, plan.flat_lives)
    except ContenderError as error:
        results.fail(f"flat_{name}", error, say)


def _imports(plan: Plan, results: Results, say: Say) -> None:
    results.imports, failures = import_times(plan.import_rounds)
    for name, reason in failures.items():
        results.fail(f"imports/{name}", reason, say)


_STEPS: dict[str, Callable[[Plan, Results, Say], None]] = {
    "throughput": _throughput,
    "pairs": _pairs,
    "latency": _latency,
    "memory": _memory,
    "flat_records": _flat_records,
    "flat_windows": _flat_windows,
    "imports": _imports,
}


def _interleaved(job: Job, rounds: dict[str, int], results: Results, say: Say) -> None:
    """One life of each contender; round by round each makes one pass, in an order that rotates."""
    planned = results.planned.setdefault(job.name, dict.fromkeys(rounds, 0))
    for name, wanted in rounds.items():
        planned[name] += wanted
    results.jobs[job.name] = job
    with serving(job) as server, ExitStack() as stack:
        life = _Life(server, stack, results, say)
        life.start(rounds)
        for number in range(max(rounds.values(), default=0)):
            life.round(_rotated([name for name, wanted in rounds.items() if number < wanted], number))


def _rotated(names: list[str], number: int) -> list[str]:
    turn = number % max(1, len(names))
    return names[turn:] + names[:turn]


class _Life:
    """One process of each contender. One that fails is left out from then on, and its samples with it."""

    def __init__(self, server: Server, stack: ExitStack, results: Results, say: Say) -> None:
        self._server = server
        self._stack = stack
        self._results = results
        self._say = say
        self._entrants: dict[str, Entrant] = {}

    def start(self, names: Iterable[str]) -> None:
        """All at once, and then until each is ready: nothing is measured yet."""
        for name in names:
            self._entrants[name] = self._stack.enter_context(closing(Entrant(CONTENDERS[name], self._server)))
        for name in names:
            try:
                self._entrants[name].ready()
            except ContenderError as error:
                del self._entrants[name]
                self._fail(name, error)

    def round(self, names: Iterable[str]) -> None:
        """One pass of each; of ours once more after each slow one, to compare like moment with like."""
        for name in names:
            sample = self._sample(name)
            if sample is None:
                continue
            self._keep(self._results.samples, name, sample)
            beside = self._sample(OURS) if name not in FAST else None
            if beside is not None:
                self._keep(self._results.beside, name, beside)

    def _sample(self, name: str) -> Sample | None:
        if name not in self._entrants:
            return None
        try:
            sample = self._entrants[name].measure()
        except ContenderError as error:
            del self._entrants[name]
            self._fail(name, error)
            return None
        job = self._server.job.name
        self._say(f"{job} / {name}: {sample.wall:.2f} s, {sample.cpu_per_record:.2f} us per record")
        return sample

    def _keep(self, kept: dict[str, dict[str, list[Sample]]], name: str, sample: Sample) -> None:
        kept.setdefault(self._server.job.name, {}).setdefault(name, []).append(sample)

    def _fail(self, name: str, error: ContenderError) -> None:
        self._results.fail(f"{self._server.job.name}/{name}", error, self._say)
