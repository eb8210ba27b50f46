"""What the README claims, each as a ratio or a number of one run with its bound."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from statistics import median

from benchmarks.runner import Sample
from benchmarks.suite import OURS, Results

FLAT_AFTER = 50  # pages

Measure = Callable[[Results], float | None]


@dataclass(frozen=True)
class Claim:
    """`measure` gives None when the run did not measure it. `goal` is for reading only."""

    name: str
    bound: float
    measure: Measure
    goal: float | None = None
    unit: str = "x"
    at_most: bool = True

    @property
    def limits(self) -> str:
        """The bound in words, with the goal where there is one."""
        goal = "" if self.goal is None else f" (goal {self.goal:g} {self.unit})"
        return f"at {'most' if self.at_most else 'least'} {self.bound:g} {self.unit}{goal}"

    def holds(self, value: float) -> bool:
        """Whether a value keeps the claim."""
        return value <= self.bound if self.at_most else value >= self.bound


def _median_ratio(above: Iterable[float], below: Iterable[float]) -> float | None:
    """The median of the rounds' ratios. Zeros are clocks that the platform does not have."""
    ratios = [first / second for first, second in zip(above, below, strict=True) if first and second]
    return median(ratios) if ratios else None


def _paired(job: str, above: str, below: str, of: Callable[[Sample], float]) -> Measure:
    """The median over rounds of one contender's value divided by another's in the same round."""

    def measure(results: Results) -> float | None:
        first, second = results.of(job, above), results.of(job, below)
        return _median_ratio(map(of, first), map(of, second)) if first and second else None

    return measure


def _beside(job: str, peer: str) -> Measure:
    """The median over rounds of a peer's CPU per record divided by ours right after it."""

    def measure(results: Results) -> float | None:
        peers, ours = results.of(job, peer), results.beside.get(job, {}).get(peer, [])
        return _median_ratio(map(_cpu, peers), map(_cpu, ours)) if len(peers) == len(ours) else None

    return measure


def _cpu(sample: Sample) -> float:
    return sample.cpu_per_record


def _wall(sample: Sample) -> float:
    return sample.wall


def _wall_against_wire(results: Results) -> float | None:
    """Wall clock divided by requests x latency / concurrency."""
    samples = results.of("latency", OURS)
    if not samples:
        return None
    job = results.jobs["latency"]
    wire = job.requests * job.latency / job.concurrency
    return median(sample.wall for sample in samples) / wire


def _growth(results: Results) -> float | None:
    """Peak of the run less what the process held when it began."""
    samples = [s for s in results.of("memory", OURS) if s.rss_before_mib]
    return max(s.peak_rss_mib - s.rss_before_mib for s in samples) if samples else None


def _growth_late(results: Results) -> float | None:
    """Growth of the peak after the first pages."""
    samples = [s for s in results.of("memory", OURS) if s.rss_before_mib and len(s.samples_mib) > FLAT_AFTER]
    return max(s.samples_mib[-1] - s.samples_mib[FLAT_AFTER - 1] for s in samples) if samples else None


def _import_ratio(above: str, below: str) -> Measure:
    def measure(results: Results) -> float | None:
        first, second = results.imports.get(above), results.imports.get(below)
        return _median_ratio(first, second) if first and second else None

    return measure


def _slope(name: str) -> Measure:
    def measure(results: Results) -> float | None:
        return results.slopes[name].ratio if name in results.slopes else None

    return measure


CLAIMS = (
    Claim(
        "CPU per record, typed records out of `async for`, against the limit",
        2.0,
        _paired("pairs", OURS, "limit", _cpu),
        goal=1.5,
    ),
    Claim(
        "CPU per record of httpx + pydantic at the same concurrency, against ours",
        3.0,
        _beside("throughput", "httpx_parallel"),
        at_most=False,
    ),
    Claim(
        "CPU per record of dlt (`pipeline.run`), against ours",
        10.0,
        _beside("throughput", "dlt_pipeline"),
        at_most=False,
    ),
    Claim(
        "CPU per record of Airbyte's CDK (connector), against ours",
        25.0,
        _beside("throughput", "airbyte_connector"),
        at_most=False,
    ),
    Claim(
        "244 requests at 50 ms, 16 in flight: wall clock against requests x latency / concurrency",
        1.15,
        _wall_against_wire,
        goal=1.08,
    ),
    Claim(
        "the same, against a bare loop with its pages in parallel",
        1.02,  # not slower: two runs of one program differ by as much
        _paired("latency", OURS, "bare_pages", _wall),
    ),
    Claim("growth of memory over 1,000 pages of 1,000 records", 30.0, _growth, unit="MiB"),
    Claim(f"growth of memory after page {FLAT_AFTER}", 2.0, _growth_late, unit="MiB"),
    Claim(
        "`import confirma_async` against `import aiohttp`",
        1.3,
        _import_ratio("import confirma_async", "import aiohttp"),
    ),
    Claim(
        "`confirma --help` against `python -c 'import typer, aiohttp'`",
        2.0,
        _import_ratio("confirma --help", "python -c 'import typer, aiohttp'"),
    ),
    Claim("cost of a record among 1,000,000, against one more after 30,000", 1.1, _slope("records")),
    Claim("cost of a date window among 10,000, against one more after 10", 1.1, _slope("windows")),
)


@dataclass(frozen=True)
class Verdict:
    """A claim with what this run measured."""

    claim: Claim
    value: float | None

    @property
    def kept(self) -> bool | None:
        """None: not measured."""
        return None if self.value is None else self.claim.holds(self.value)


def verdicts(results: Results) -> list[Verdict]:
    """All claims against one run."""
    return [Verdict(claim, claim.measure(results)) for claim in CLAIMS]
