"""Airbyte's declarative concurrent source, its messages consumed in the same process.

Not how connectors are run, but the least the CDK can do: nothing is serialised.
"""

import logging

from airbyte_cdk.models import ConfiguredAirbyteCatalogSerializer, Type

from benchmarks.airbyte_manifest import CATALOG, source
from benchmarks.contenders.protocol import Tally, main
from benchmarks.jobs import API_KEY, Job


def read(url: str, job: Job, tally: Tally) -> None:
    """Iterate `source.read`."""
    logging.disable(logging.INFO)
    count = checksum = 0
    catalog = ConfiguredAirbyteCatalogSerializer.load(CATALOG)
    messages = source(url, job).read(logging.getLogger("airbyte"), {"api_key": API_KEY}, catalog, [])
    for message in messages:
        if message.type == Type.RECORD:
            if not count:
                tally.first()
            count += 1
            checksum += message.record.data["invoiceNumber"]
    tally.whole(count, checksum)


if __name__ == "__main__":
    main(read)
