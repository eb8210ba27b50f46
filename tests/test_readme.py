"""The README tells the truth: its example runs, and the files it names are there."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path

import pytest

from confirma_async import ConfirmaClient
from confirma_async.sandbox import SandboxServer

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def block(opening: str) -> str:
    """Return the first Python block that begins so."""
    blocks: list[str] = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    return next(text for text in blocks if text.startswith(opening))


def test_every_file_that_is_linked_exists() -> None:
    linked = {target for target in re.findall(r"\]\(([^)#:]+)\)", README) if not target.startswith("http")}
    assert linked
    assert [target for target in sorted(linked) if not (ROOT / target).exists()] == []


def test_each_of_the_fifteen_promises_names_its_tests() -> None:
    promises = re.findall(r"^\| (\d+) \| .+ \| \[.+\]\(tests/.+\) \|$", README, re.MULTILINE)
    assert promises == [str(number) for number in range(1, 16)]


async def test_the_example_prints_records_and_a_report(monkeypatch: pytest.MonkeyPatch) -> None:
    example = block("import asyncio\nfrom datetime").replace("asyncio.run(main())", "")
    assert len([line for line in example.splitlines() if line.strip()]) <= 12
    async with SandboxServer(1) as sandbox:
        monkeypatch.setenv("CONFIRMA_API_KEY", sandbox.api_key)
        names: dict[str, object] = {}
        exec(compile(example, "README.md", "exec"), names)
        names["ConfirmaClient"] = lambda: ConfirmaClient(base_url=sandbox.url)
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            await names["main"]()  # type: ignore[operator]  # defined by the example
    lines = printed.getvalue().splitlines()
    assert len([line for line in lines if line.startswith("2025")]) == 365
    assert any(line.startswith("COMPLETE: 365 records") for line in lines)


async def test_the_example_for_testing_a_service_reads_past_its_faults() -> None:
    example = block("from confirma_async.sandbox import")
    body = "\n".join(f"    {line}" for line in example.splitlines())
    names: dict[str, object] = {}
    story = f"from datetime import date\nasync def story():\n{body}\n    return records\n"
    exec(compile(story, "README.md", "exec"), names)
    records = await names["story"]()  # type: ignore[operator]  # defined above
    assert len(records) == 31 * 50
