"""A tap built on singer-sdk: `RESTStream`, windows as partitions, JSON lines out.

singer-sdk has no parallel reading. Its messages are written with the SDK's own msgspec writer, the
fastest it ships, into the void; the invoices are counted in `post_process`, the hook made for rows.
"""

import logging
import os
import sys
from collections.abc import Iterator

from singer_sdk import RESTStream, Tap
from singer_sdk import typing as th
from singer_sdk.authenticators import APIKeyAuthenticator
from singer_sdk.contrib.msgspec import MsgSpecWriter
from singer_sdk.pagination import PageNumberPaginator

from benchmarks.contenders.protocol import Tally, main
from benchmarks.jobs import API_KEY, PATH, Job

TEXT, FLAG, MOMENT = th.StringType, th.BooleanType, th.DateTimeType


class Pages(PageNumberPaginator):
    """Goes on until the rows the total promises were asked for."""

    def __init__(self, page_size: int) -> None:
        super().__init__(1)
        self._page_size = page_size
        self.total = 0

    def has_more(self, response) -> bool:
        """Whether rows are left; the answer itself was parsed once, before."""
        return self.current_value * self._page_size < self.total


class Invoices(RESTStream):
    """The distribution endpoint."""

    name = "invoices"
    path = PATH
    primary_keys = ("invoiceNumber",)
    schema = th.PropertiesList(
        th.Property("invoiceNumber", th.IntegerType),
        th.Property("distributionStatus", TEXT),
        th.Property("distributionMethod", TEXT),
        th.Property("distributionMessage", TEXT),
        th.Property(
            "dates",
            th.ObjectType(
                th.Property("createdAt", MOMENT),
                th.Property("printedAt", MOMENT),
                th.Property("distributedAt", MOMENT),
                th.Property("paymentControlActivatedAt", MOMENT),
            ),
        ),
        th.Property("file", th.ObjectType(th.Property("url", TEXT))),
        th.Property(
            "paymentControl",
            th.ObjectType(
                th.Property("enabled", FLAG),
                th.Property("agency", TEXT),
                th.Property("status", TEXT),
                th.Property("caseId", th.IntegerType),
            ),
        ),
        th.Property(
            "errors",
            th.ArrayType(
                th.ObjectType(
                    th.Property("errorCode", TEXT),
                    th.Property("errorDescription", TEXT),
                    th.Property("errorType", TEXT),
                )
            ),
        ),
    ).to_dict()
    url_base = ""
    job: Job
    tally: Tally
    seen: list[int]
    pages: Pages

    @property
    def authenticator(self) -> APIKeyAuthenticator:
        """The key goes into a header."""
        return APIKeyAuthenticator(key="X-Api-Key", value=API_KEY)

    @property
    def partitions(self) -> list[dict]:
        """One partition per window."""
        return [{"from_date": start, "to_date": end} for start, end in self.job.all_bounds()]

    def get_new_paginator(self) -> Pages:
        """One for each window; `parse_response` tells it the total."""
        self.pages = Pages(self.job.page_size)
        return self.pages

    def parse_response(self, response) -> Iterator[dict]:
        """Rows of one answer, parsed once."""
        reply = response.json()
        self.pages.total = reply["metaData"]["totalCount"]
        yield from reply["invoices"]

    def get_url_params(self, context, next_page_token) -> dict:
        """The filters of one page."""
        return {"fromInvDate": context["from_date"], "toInvDate": context["to_date"], "page": next_page_token}

    def post_process(self, row, context=None):
        """Count the row."""
        if not self.seen[0]:
            self.tally.first()
        self.seen[0] += 1
        self.seen[1] += row["invoiceNumber"]
        return row


class InvoiceTap(Tap):
    """The tap."""

    name = "tap-confirma"
    config_jsonschema = th.PropertiesList().to_dict()
    message_writer_class = MsgSpecWriter

    def discover_streams(self) -> list[RESTStream]:
        """The one stream."""
        return [Invoices(tap=self)]


def read(url: str, job: Job, tally: Tally) -> None:
    """Sync everything into the void."""
    logging.disable(logging.INFO)
    Invoices.url_base, Invoices.job, Invoices.tally, Invoices.seen = url, job, tally, [0, 0]
    sys.stdout = open(os.devnull, "w")  # noqa: SIM115, PTH123  # the messages of the tap, for the whole process
    InvoiceTap(config={}).sync_all()
    tally.whole(*Invoices.seen)


if __name__ == "__main__":
    main(read)
