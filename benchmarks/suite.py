"""Which contender runs which job how often, and the results of it all."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from benchmarks import jobs
from benchmarks.contenders import CONTENDERS
from benchmarks.imports import import_times
from benchmarks.jobs import Job
from benchmarks.runner import ContenderError, Sample, measure, serving

Say = Callable[[str], None]
FAST = ("limit", "confirma", "confirma_uvloop", "bare_pages")
SLOW_WITH_LATENCY = ("bare_sequential", "httpx_sequential", "singer_tap")
JOBS = ("throughput", "latency", "memory", "flat_records", "flat_windows", "imports")


@dataclass(frozen=True)
class Plan:
    """How much is measured. `peer_rounds` are for contenders that take long."""

    records: int = 100_000
    rounds: int = 7
    peer_rounds: int = 3
    latency_rounds: int = 7
    latency_peer_rounds: int = 3
    memory_pages: int = 1_000
    flat_records: tuple[int, ...] = (10_000, 100_000, 1_000_000)
    flat_windows: tuple[int, ...] = (10, 1_000, 10_000)
    flat_rounds: int = 3
    import_rounds: int = 15
    skip: frozenset[str] = frozenset()
    only: frozenset[str] = frozenset(CONTENDERS) - {"confirma_uvloop"}
    only_jobs: frozenset[str] = frozenset(JOBS)

    def contenders(self, names: Iterable[str]) -> list[str]:
        """Those of the names that are wanted."""
        return [name for name in names if name in self.only]


QUICK = Plan(
    records=30_000,
    rounds=7,
    peer_rounds=2,
    latency_rounds=3,
    latency_peer_rounds=1,
    memory_pages=200,
    flat_records=(10_000, 60_000, 200_000),
    flat_windows=(10, 400, 2_000),
    flat_rounds=4,
    import_rounds=9,
    skip=frozenset(SLOW_WITH_LATENCY),
)


@dataclass
class Results:
    """Samples by job and contender, one list entry per round; import seconds; why something is missing."""

    samples: dict[str, dict[str, list[Sample]]] = field(default_factory=dict)
    jobs: dict[str, Job] = field(default_factory=dict)
    imports: dict[str, list[float]] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)

    def of(self, job: str, contender: str) -> list[Sample]:
        """The samples of one contender on one job, empty when there are none."""
        return self.samples.get(job, {}).get(contender, [])


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
    names = plan.contenders(CONTENDERS)
    rounds = {name: plan.rounds if name in FAST else plan.peer_rounds for name in names}
    _interleaved(jobs.throughput(plan.records), rounds, results, say)


def _latency(plan: Plan, results: Results, say: Say) -> None:
    names = [name for name in plan.contenders(CONTENDERS) if name not in plan.skip]
    rounds = {name: plan.latency_rounds if name in FAST else plan.latency_peer_rounds for name in names}
    rounds |= {name: 1 for name in names if name in SLOW_WITH_LATENCY}
    _interleaved(jobs.latency(), rounds, results, say)


def _memory(plan: Plan, results: Results, say: Say) -> None:
    names = plan.contenders(("limit", "confirma"))
    _interleaved(jobs.memory(plan.memory_pages), dict.fromkeys(names, 1), results, say)


def _flat_records(plan: Plan, results: Results, say: Say) -> None:
    _flat([jobs.flat_records(count) for count in plan.flat_records], plan, results, say)


def _flat_windows(plan: Plan, results: Results, say: Say) -> None:
    _flat([jobs.flat_windows(count) for count in plan.flat_windows], plan, results, say)


def _flat(sizes: list[Job], plan: Plan, results: Results, say: Say) -> None:
    """All sizes in every round, so that a slow minute of the machine hits them alike."""
    rounds = dict.fromkeys(plan.contenders(("limit", "confirma")), 1)
    for _ in range(plan.flat_rounds):
        for job in sizes:
            _interleaved(job, rounds, results, say)


def _imports(plan: Plan, results: Results, _: Say) -> None:
    results.imports, failures = import_times(plan.import_rounds)
    results.failures |= {f"imports/{name}": reason for name, reason in failures.items()}


_STEPS: dict[str, Callable[[Plan, Results, Say], None]] = {
    "throughput": _throughput,
    "latency": _latency,
    "memory": _memory,
    "flat_records": _flat_records,
    "flat_windows": _flat_windows,
    "imports": _imports,
}


def _interleaved(job: Job, rounds: dict[str, int], results: Results, say: Say) -> None:
    """Round by round, every contender once, in an order that rotates."""
    samples = results.samples.setdefault(job.name, {})
    results.jobs[job.name] = job
    with serving(job) as server:
        for number in range(max(rounds.values(), default=0)):
            names = [name for name, wanted in rounds.items() if number < wanted]
            turn = number % len(names)
            for name in names[turn:] + names[:turn]:
                if f"{job.name}/{name}" in results.failures:
                    continue
                try:
                    sample = measure(CONTENDERS[name], server)
                except ContenderError as error:
                    results.failures[f"{job.name}/{name}"] = str(error)
                    say(f"{job.name} / {name}: {error}")
                    continue
                samples.setdefault(name, []).append(sample)
                say(f"{job.name} / {name}: {sample.wall:.2f} s, {sample.cpu_per_record:.2f} us per record")
