"""Where a backfill's records go; see `Sink` for a target of your own."""

from .protocol import Batch, Sink, StoredRecord

__all__ = ["Batch", "Sink", "StoredRecord"]
