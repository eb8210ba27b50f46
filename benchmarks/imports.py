"""What importing costs: fresh interpreters, interleaved, CPU seconds."""

import sys
from collections.abc import Callable

from benchmarks.runner import ContenderError, Finished, last_line, run

IMPORT = "import time; start = time.process_time(); import {}; print(time.process_time() - start)"
HELP = "import sys; sys.argv = ['confirma', '--help']; from confirma_async.cli import main; main()"


def _inside(finished: Finished) -> float:
    return float(finished.out)


def _whole(finished: Finished) -> float:
    return finished.cpu


# What is run, and where its seconds are read: inside (the import statement alone, stricter for a ratio)
# or of the whole process.
MEASURED: dict[str, tuple[str, Callable[[Finished], float]]] = {
    "import aiohttp": (IMPORT.format("aiohttp"), _inside),
    "import confirma_async": (IMPORT.format("confirma_async"), _inside),
    "python -c 'import typer, aiohttp'": ("import typer, aiohttp", _whole),
    "confirma --help": (HELP, _whole),
}


def import_times(rounds: int) -> tuple[dict[str, list[float]], dict[str, ContenderError]]:
    """Seconds of each command in each round, and why some could not be measured."""
    seconds: dict[str, list[float]] = {name: [] for name in MEASURED}
    failures: dict[str, ContenderError] = {}
    for number in range(rounds + 1):  # the first round compiles and fills the file cache
        for name, (code, read) in MEASURED.items():
            if name in failures:
                continue
            try:
                value = read(_run(code))
            except ContenderError as error:
                failures[name] = error
                seconds[name].clear()  # of some rounds only: not what was planned
                continue
            if number:
                seconds[name].append(value)
    return seconds, failures


def _run(code: str) -> Finished:
    finished = run([sys.executable, "-c", code], timeout=60)
    if finished.code:
        raise ContenderError(last_line(finished.err) or f"exit code {finished.code}")
    return finished
