"""The commands as they are typed; each returns what is to be done, and does nothing itself.

Annotations are not postponed here: typer would compile each of them again, at every start.
"""

from collections.abc import Callable
from typing import Annotated, TypeAlias

import typer

from . import options as o
from .voice import Voice

Task: TypeAlias = Callable[[], int]
"""What is left to do once everything was understood; returns the exit code."""

app = typer.Typer(
    name="confirma",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # help without rich takes half the time
    help="Invoice distribution records of the Confirma Finance Integrations API, complete or with a reason why not.",
    epilog="Try it without an account: confirma fetch --sandbox --from 2025-01-01 --to 2025-01-02",
)


def _version(wanted: bool) -> None:  # noqa: FBT001  # typer calls it with the option's value
    if wanted:
        from .._version import __version__
        from .voice import show

        show(f"confirma {__version__}")
        raise typer.Exit


@app.callback()
def everything(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version, and end.")
    ] = False,
) -> None:
    """Hold the options that belong to no command."""


@app.command(
    short_help="Print records as JSON lines.",
    epilog="Example: confirma fetch --from 2025-01-01 --to 2025-03-31 > invoices.jsonl",
)
def fetch(
    *,
    from_: o.From = None,
    to: o.To = None,
    invoice: o.Invoice = None,
    fetch_type: o.FetchType = None,
    resume: o.Resume = None,
    window_days: o.WindowDays = "30",
    concurrency: o.Concurrency = "8",
    max_rate: o.MaxRate = None,
    environment: o.EnvironmentName = None,
    base_url: o.BaseUrl = None,
    key_file: o.KeyFile = None,
    key_stdin: o.KeyStdin = False,
    sandbox: o.Sandbox = False,
    plan: o.Plan = False,
    require_complete: o.RequireComplete = False,
    quiet: o.Quiet = False,
    json: o.Json = False,
) -> Task:
    """Print the records of a range of invoice dates as JSON lines; without dates, the service's last 30 days."""
    from .connection import Access
    from .fetching import Fetch

    task = Fetch.checked(
        Voice(json=json, quiet=quiet),
        dates=(from_, to),
        invoice=invoice,
        fetch_type=fetch_type,
        window_days=window_days,
        resume=resume,
        require_complete=require_complete,
        access=Access.checked(
            environment=environment,
            base_url=base_url,
            key_file=key_file,
            key_stdin=key_stdin,
            sandbox=sandbox,
            concurrency=concurrency,
            max_rate=max_rate,
        ),
    )
    return task.plan if plan else task.run


@app.command(
    short_help="Bring records into a file or a database.",
    epilog="Example: confirma backfill --from 2020-01-01 --to 2025-12-31 --into invoices.sqlite",
)
def backfill(
    *,
    from_: o.From = None,
    to: o.To = None,
    into: o.Into,
    fetch_type: o.FetchType = None,
    window_days: o.WindowDays = "30",
    refresh_days: o.RefreshDays = "30",
    concurrency: o.Concurrency = "8",
    max_rate: o.MaxRate = None,
    environment: o.EnvironmentName = None,
    base_url: o.BaseUrl = None,
    key_file: o.KeyFile = None,
    key_stdin: o.KeyStdin = False,
    sandbox: o.Sandbox = False,
    account: o.Account = None,
    accounts: o.Accounts = None,
    plan: o.Plan = False,
    require_complete: o.RequireComplete = False,
    quiet: o.Quiet = False,
    json: o.Json = False,
) -> Task:
    """Bring every record of a range of invoice dates into a target; run again, it goes on where it stopped."""
    from .backfilling import Backfill
    from .connection import Access

    task = Backfill.checked(
        Voice(json=json, quiet=quiet),
        dates=(from_, to),
        into=into,
        fetch_type=fetch_type,
        window_days=window_days,
        refresh_days=refresh_days,
        account=account,
        require_complete=require_complete,
        access=Access.checked(
            environment=environment,
            base_url=base_url,
            key_file=key_file,
            key_stdin=key_stdin,
            sandbox=sandbox,
            concurrency=concurrency,
            max_rate=max_rate,
            accounts=accounts is not None,
        ),
    )
    if accounts is not None:
        from .several import Several

        several = Several.checked(task, accounts)
        return several.plan if plan else several.run
    return task.plan if plan else task.run


@app.command(
    short_help="Show what a target holds.", epilog="Example: confirma report invoices.sqlite --html report.html"
)
def report(
    target: o.Target,
    *,
    html: Annotated[
        str | None, typer.Option("--html", metavar="FILE", help="Write a page with charts instead of printing.")
    ] = None,
    account: o.OneAccount = None,
    quiet: o.Quiet = False,
    json: Annotated[bool, typer.Option("--json", help="The summary as one JSON line on standard output.")] = False,
) -> Task:
    """Show what a target holds: its verdict, the windows in doubt, and how delivery went."""
    from .reading import Report

    return Report(voice=Voice(json=json, quiet=quiet), target=target, html=html, account=account).run


@app.command(
    short_help="Write a target into a CSV or XLSX file.",
    epilog="Example: confirma export invoices.sqlite --to invoices.xlsx",
)
def export(
    target: o.Target,
    *,
    to: Annotated[str, typer.Option("--to", metavar="FILE", help="FILE.csv or FILE.xlsx; it is replaced as a whole.")],
    account: o.OneAccount = None,
    quiet: o.Quiet = False,
    json: o.Json = False,
) -> Task:
    """Write every row of a target into a file for a spreadsheet."""
    from .reading import Export

    return Export(voice=Voice(json=json, quiet=quiet), target=target, to=to, account=account).run


@app.command(
    short_help="Serve a sandbox with synthetic invoices.",
    epilog="Example: confirma sandbox --port 8080 --paging number --page-size 100",
)
def sandbox(
    *,
    port: Annotated[
        str, typer.Option("--port", metavar="PORT", help="Port on 127.0.0.1; 0 takes a free one.")
    ] = "8080",
    invoices_per_day: Annotated[
        str, typer.Option("--invoices-per-day", metavar="N", help="Synthetic invoices of each day.")
    ] = "50",
    paging: Annotated[
        str,
        typer.Option(
            "--paging",
            metavar="none|number|cut",
            help="All rows in one answer, pages by number, or the first rows only.",
        ),
    ] = "none",
    page_size: Annotated[
        str, typer.Option("--page-size", metavar="N", help="Rows of one answer at most, unless paging is none.")
    ] = "100",
    latency: Annotated[str, typer.Option("--latency", metavar="SECONDS", help="Seconds before each answer.")] = "0.0",
    seed: Annotated[
        str, typer.Option("--seed", metavar="N", help="Decides the content of every invoice, and the key.")
    ] = "0",
    json: Annotated[bool, typer.Option("--json", help="The address and the key as one JSON line.")] = False,
) -> Task:
    """Serve the embedded sandbox on 127.0.0.1 until Ctrl-C: synthetic invoices, for tries and tests."""
    from .serving import Serve

    return Serve.checked(
        Voice(json=json),
        port=port,
        invoices_per_day=invoices_per_day,
        paging=paging,
        page_size=page_size,
        latency=latency,
        seed=seed,
    ).run
