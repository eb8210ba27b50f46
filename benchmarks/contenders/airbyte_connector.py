"""Airbyte's declarative concurrent source as a connector: the entry point's `read`, JSON lines out.

This is what a connector built on the CDK does. The lines go nowhere; counting stands in for a reader.
"""

import json
import logging
import tempfile
from pathlib import Path

from airbyte_cdk.entrypoint import AirbyteEntrypoint

from benchmarks.airbyte_manifest import CATALOG, source
from benchmarks.contenders.protocol import Tally, main
from benchmarks.jobs import API_KEY, Job

MARK = '"data":{"invoiceNumber":'


def read(url: str, job: Job, tally: Tally) -> None:
    """Run the entry point and look at each line it would print."""
    logging.disable(logging.INFO)
    with tempfile.TemporaryDirectory(prefix="bench-airbyte-") as folder:
        config, catalog = Path(folder, "config.json"), Path(folder, "catalog.json")
        config.write_text(json.dumps({"api_key": API_KEY}))
        catalog.write_text(json.dumps(CATALOG))
        arguments = ["read", "--config", str(config), "--catalog", str(catalog)]
        entrypoint = AirbyteEntrypoint(source(url, job))
        _count(entrypoint.run(entrypoint.parse_args(arguments)), tally)


def _count(lines, tally: Tally) -> None:
    count = checksum = 0
    for line in lines:
        at = line.find(MARK)
        if at >= 0:
            if not count:
                tally.first()
            count += 1
            start = at + len(MARK)
            checksum += int(line[start : start + 10])
    tally.whole(count, checksum)


if __name__ == "__main__":
    main(read)
