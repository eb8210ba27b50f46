"""Memory does not grow with the number of records."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

MEASURE = Path(__file__).with_name("measure.py")


def measured(into: str, records: int) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, str(MEASURE), into, str(records)], capture_output=True, text=True, check=True, cwd="/"
    )
    figures: dict[str, float] = json.loads(done.stdout)
    return figures


@pytest.mark.timeout(120)
def test_the_peak_for_four_times_the_records_is_the_same(file_target: Path) -> None:
    few = measured(str(file_target), 30_000)
    many = measured(str(file_target.with_name("many" + file_target.suffix)), 120_000)
    assert many["peak_mib"] < 1.2 * few["peak_mib"]
    assert many["peak_mib"] < 200
