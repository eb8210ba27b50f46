"""The one place that knows how confirma_async turns the bytes of an answer into records.

`confirma_async` keeps its reply reader private, so the decoding benchmark reaches it through here and
nowhere else.
"""

from confirma_async._wire import RawReply, read_reply


def read_records(body: bytes) -> int:
    """Decode one answer of the endpoint into records, checks included, and say how many there are."""
    return len(read_reply(RawReply(200, {}, body), "key").rows)
