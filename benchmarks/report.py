"""Tables of a run, as text that is Markdown as well, and the files they are saved in."""

import json
import os
import platform
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from importlib import metadata
from pathlib import Path
from statistics import median

from benchmarks.claims import Verdict
from benchmarks.contenders import CONTENDERS
from benchmarks.runner import Sample
from benchmarks.suite import Results

COLUMNS: tuple[tuple[str, Callable[[Sample], float], int], ...] = (
    ("wall s", lambda sample: sample.wall, 2),
    ("CPU s", lambda sample: sample.cpu, 2),
    ("CPU us/record", lambda sample: sample.cpu_per_record, 2),
    ("first record ms", lambda sample: sample.first_record * 1e3, 0),
    ("peak RSS MiB", lambda sample: sample.peak_rss_mib, 0),
    ("requests", lambda sample: sample.requests, 0),
    ("in flight", lambda sample: sample.max_in_flight, 0),
    ("server late ms", lambda sample: sample.server_late * 1e3, 2),
)


def spread(values: Sequence[float], digits: int) -> str:
    """The median, and the smallest and largest where they differ from it."""
    middle, low, high = (f"{value:.{digits}f}" for value in (median(values), min(values), max(values)))
    return middle if low == high else f"{middle} ({low} - {high})"


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """An aligned Markdown table; the first column is text, the others are numbers."""
    cells = [list(header), *(list(row) for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(header))]

    def line(row: Sequence[str]) -> str:
        texts = [row[0].ljust(widths[0])]
        texts += [text.rjust(width) for text, width in zip(row[1:], widths[1:], strict=True)]
        return f"| {' | '.join(texts)} |"

    rule = [":" + "-" * (widths[0] - 1), *("-" * (width - 1) + ":" for width in widths[1:])]
    return "\n".join([line(cells[0]), line(rule), *(line(row) for row in cells[1:])])


def job_table(results: Results, job: str) -> str:
    """All contenders of one job, medians with the range of the rounds."""
    limit = results.samples[job].get("limit", [])
    rows = []
    for name, samples in results.samples[job].items():
        contender = CONTENDERS[name]
        cells = [spread([of(sample) for sample in samples], digits) for _, of, digits in COLUMNS]
        pairs = zip(samples, limit, strict=False)
        ratios = [sample.cpu_per_record / base.cpu_per_record for sample, base in pairs]
        against = f"{median(ratios):.1f}" if ratios else "-"
        rows.append((f"{contender.label} ({contender.yields})", *cells, against, _rounds(results, job, name)))
    header = ["contender (what it hands out)", *(title for title, _, _ in COLUMNS), "CPU x limit", "rounds"]
    return table(header, rows)


def _rounds(results: Results, job: str, contender: str) -> str:
    """How many rounds stand behind a row, and of how many where some are missing."""
    done, planned = len(results.samples[job][contender]), results.planned[job][contender]
    return str(done) if done == planned else f"{done} of {planned}"


def flat_table(results: Results) -> str:
    """What one more record, or window, costs near the start of a read and far into a long one."""
    rows = []
    for name, slope in results.slopes.items():
        thing, shape = name.removesuffix("s"), slope.shape
        for start, seconds in ((shape.steps.near, slope.near), (shape.steps.far, slope.far)):
            what = f"one more {thing}, after {start // shape.thing:,}"
            rows.append((what, spread(slope.per_thing(seconds), 2), str(len(seconds))))
    return table(["what", "CPU us", "steps"], rows)


def import_table(results: Results) -> str:
    """CPU of imports in milliseconds."""
    rows = [
        (name, spread([value * 1e3 for value in values], 0), str(len(values)))
        for name, values in results.imports.items()
        if values
    ]
    return table(["command", "CPU ms", "rounds"], rows)


def claim_table(verdicts: Iterable[Verdict]) -> str:
    """Every claim with its bound and what was measured."""
    words = {True: "kept", False: "BROKEN", None: "not measured"}
    rows = []
    for verdict in verdicts:
        claim = verdict.claim
        value = "-" if verdict.value is None else f"{verdict.value:.2f} {claim.unit}"
        rows.append((claim.name, claim.limits, value, words[verdict.kept]))
    return table(["claim", "bound", "measured", "verdict"], rows)


def machine() -> dict[str, object]:
    """What the numbers depend on."""
    packages = sorted({package for contender in CONTENDERS.values() for package in contender.packages})
    versions = {}
    for package in packages:
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            versions[package] = "not installed"
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "cores": os.cpu_count(),
        "load": os.getloadavg() if hasattr(os, "getloadavg") else None,
        "packages": versions,
    }


def render(results: Results, verdicts: list[Verdict]) -> str:
    """The whole report."""
    facts = machine()
    packages = ", ".join(f"{name} {version}" for name, version in facts["packages"].items())
    parts = [f"Python {facts['python']}, {facts['platform']}, {facts['cores']} cores. {packages}."]
    for name, job in results.jobs.items():
        if results.samples.get(name):
            parts.append(
                f"## {name}: {job.records:,} records, {job.windows:,} windows, {job.page_size} per page, "
                f"{job.latency * 1e3:.0f} ms latency, {job.concurrency} in flight"
            )
            parts.append(job_table(results, name))
    if results.slopes:
        parts += ["## cost at growing sizes: 2,000 records per window, then 12 per window", flat_table(results)]
    if results.imports:
        parts += ["## imports", import_table(results)]
    parts += ["## claims", claim_table(verdicts)]
    if results.failures:
        parts += ["## not measured", "\n".join(f"- {n}: {why}" for n, why in results.failures.items())]
    return "\n\n".join(parts) + "\n"


def _plain(samples: dict[str, dict[str, list[Sample]]]) -> dict[str, object]:
    return {
        job: {name: [asdict(sample) for sample in kept] for name, kept in contenders.items()}
        for job, contenders in samples.items()
    }


def save(path: Path, results: Results, verdicts: list[Verdict]) -> None:
    """Write `path` as JSON and its neighbour with the suffix `.md`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    content = {
        "machine": machine(),
        "jobs": {name: asdict(job) for name, job in results.jobs.items()},
        "samples": _plain(results.samples),
        "beside": _plain(results.beside),
        "planned": results.planned,
        "slopes": {name: asdict(slope) for name, slope in results.slopes.items()},
        "imports": results.imports,
        "claims": [{"name": v.claim.name, "bound": v.claim.bound, "value": v.value, "kept": v.kept} for v in verdicts],
        "failures": results.failures,
    }
    path.write_text(json.dumps(content, indent=1) + "\n")
    path.with_suffix(".md").write_text(render(results, verdicts))
