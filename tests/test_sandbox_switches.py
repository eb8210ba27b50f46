"""What a sandbox refuses to be told."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import pytest

from confirma_async.errors import ConfigurationError
from confirma_async.sandbox import SandboxServer


@pytest.mark.parametrize(
    "switches",
    [
        {"invoices_per_day": -1},
        {"invoices_per_day": True},
        {"invoices_per_day": "5"},
        {"invoices_per_day": {date(2025, 1, 1): -1}},
        {"invoices_per_day": {datetime(2025, 1, 1): 1}},
        {"paging": "cursor"},
        {"paging": True},
        {"page_size": 0},
        {"page_size": 10**9},
        {"latency": -0.1},
        {"latency": float("nan")},
        {"latency": float("inf")},
        {"seed": "zero"},
        {"port": 65536},
        {"today": datetime(2025, 1, 1)},
        {"first_page": 2},
        {"page_past_end": 500},
        {"ignore_page": 1},
        {"empty_pages": {-1}},
        {"empty_pages": 2},
        {"empty_pages": "2"},
        {"total": "some"},
        {"echo": "loud"},
        {"exclusive_end": None},
        {"unauthorized_after": -1},
        {"renew_field": ""},
        {"invoice_numbers": "float"},
        {"timestamps": "unix"},
        {"mutate": {}},
        {"keep_requests": -1},
        {"strict": "yes"},
        {"faults": ["503"]},
    ],
)
def test_a_switch_that_makes_no_sense_is_refused(switches: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError):
        SandboxServer(**switches)


def test_a_switch_is_checked_when_it_is_changed_too() -> None:
    sandbox = SandboxServer()
    with pytest.raises(ConfigurationError, match="page_size must be a whole number from 1"):
        sandbox.page_size = 0


@pytest.mark.parametrize("name", ["seed", "invoices_per_day", "invoice_numbers", "timestamps", "extra_fields", "port"])
def test_what_the_data_are_made_of_cannot_be_changed(name: str) -> None:
    sandbox = SandboxServer()
    with pytest.raises(AttributeError):
        setattr(sandbox, name, getattr(sandbox, name))
