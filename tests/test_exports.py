"""What the package exports, and what importing it costs."""

from __future__ import annotations

import importlib.metadata
import inspect
import logging
import subprocess
import sys
from pathlib import Path

import pytest

import confirma_async
from confirma_async import errors

EXTRAS = ("typer", "click", "rich", "pyarrow", "sqlalchemy", "aiosqlite", "asyncpg", "plotly", "openpyxl", "pandas")
POSTPONED = ("tenacity", "cattrs", "zoneinfo")  # for retries, dictionaries and open ranges: most processes need none


def test_the_list_of_names_is_sorted_and_free_of_doubles() -> None:
    names = confirma_async.__all__
    assert names == sorted(set(names), key=str.lower) or names == sorted(set(names))


def test_every_name_on_the_list_exists() -> None:
    assert [name for name in confirma_async.__all__ if not hasattr(confirma_async, name)] == []


def test_every_public_name_is_on_the_list() -> None:
    public = {
        name for name, value in vars(confirma_async).items() if not name.startswith("_") and not inspect.ismodule(value)
    }
    assert public <= set(confirma_async.__all__)


def test_every_error_is_exported() -> None:
    tree = {
        name for name, value in vars(errors).items() if inspect.isclass(value) and value.__module__ == errors.__name__
    }
    assert tree <= set(confirma_async.__all__)


@pytest.mark.parametrize(
    "name",
    [
        "ConfirmaClient", "SessionManager", "Paginator", "split_date_range", "DateWindow", "InvoiceDistribution",
        "DistributionDates", "DistributionFile", "PaymentControl", "DistributionError", "DistributionMetadata",
        "AppliedFilters", "DistributionPage", "FetchReport", "Verdict", "RetryPolicy", "Timeouts", "Paging",
        "ServiceProfile", "Environment", "RenewingKey", "KeySource", "from_dict", "to_dict", "ConfirmaError",
    ],
)  # fmt: skip
def test_the_promised_names_are_there(name: str) -> None:
    assert name in confirma_async.__all__


def test_every_exported_name_says_what_it_is() -> None:
    silent = [
        name
        for name in confirma_async.__all__
        if (inspect.isclass(value := getattr(confirma_async, name)) or inspect.isfunction(value)) and not value.__doc__
    ]
    assert silent == []


def test_the_package_is_typed() -> None:
    assert Path(confirma_async.__file__).with_name("py.typed").is_file()


def test_the_version_is_the_one_that_was_installed() -> None:
    try:
        installed = importlib.metadata.version("confirma-async")
    except importlib.metadata.PackageNotFoundError:
        pytest.skip("the package runs from its folder")
    assert confirma_async.__version__ == installed


def test_the_logger_is_silent_until_somebody_listens() -> None:
    handlers = logging.getLogger("confirma_async").handlers
    assert [type(handler) for handler in handlers if isinstance(handler, logging.NullHandler)]
    assert logging.getLogger("confirma_async").level == logging.NOTSET


def loaded_by(statement: str) -> set[str]:
    program = f"import sys\n{statement}\nprint(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, timeout=50, check=True
    )
    return set(done.stdout.split())


def test_importing_the_package_loads_no_extra_and_no_face() -> None:
    loaded = loaded_by("import confirma_async")
    assert loaded & set(EXTRAS) == set()
    rooms = {name.split(".")[1] for name in loaded if name.startswith("confirma_async.")}
    assert rooms & {"backfill", "cli", "reporting", "sandbox", "integrations"} == set()


def test_importing_the_package_leaves_for_later_what_few_processes_need() -> None:
    brought_by_others = loaded_by("import aiohttp, attrs, msgspec")
    assert (loaded_by("import confirma_async") - brought_by_others) & set(POSTPONED) == set()


def test_importing_the_package_starts_nothing() -> None:
    program = "import confirma_async, threading, asyncio; print(threading.active_count(), asyncio._get_running_loop())"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=50, check=True)
    assert done.stdout.split() == ["1", "None"]


@pytest.mark.parametrize("module", ["confirma_async", "confirma_async.sandbox", "confirma_async.backfill"])
def test_a_module_can_be_imported_first_and_alone(module: str) -> None:
    assert module in loaded_by(f"import {module}")
