"""The codec, without I/O: builds requests, reads replies. The only room that knows wire names."""

from .codec import from_dict, to_dict
from .echo import Contradiction, EchoVerdict, echoed_days, judge_echo
from .fast import row_digest, same_row
from .renewal import read_renewed_key
from .reply import Answer, RawReply, parse_retry_after, raise_for_status, read_reply, rows_again, scrub
from .request import Filters, PageAsk, Request, distribution_request, renew_request

__all__ = [
    "Answer",
    "Contradiction",
    "EchoVerdict",
    "Filters",
    "PageAsk",
    "RawReply",
    "Request",
    "distribution_request",
    "echoed_days",
    "from_dict",
    "judge_echo",
    "parse_retry_after",
    "raise_for_status",
    "read_renewed_key",
    "read_reply",
    "renew_request",
    "row_digest",
    "rows_again",
    "same_row",
    "scrub",
    "to_dict",
]
