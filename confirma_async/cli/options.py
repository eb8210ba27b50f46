"""The options that commands share; every value arrives as text and is checked in `values`."""

from __future__ import annotations

from typing import Annotated, TypeAlias

import typer

From: TypeAlias = Annotated[
    str | None,
    typer.Option("--from", metavar="YYYY-MM-DD", help="First invoice date, itself included."),
]
To: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--to",
        metavar="YYYY-MM-DD",
        help="Last invoice date, itself included; today in Europe/Helsinki if not given.",
    ),
]
Invoice: TypeAlias = Annotated[
    str | None,
    typer.Option("--invoice", metavar="NUMBER", help="Only this invoice number."),
]
FetchType: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--fetch-type",
        metavar="TEXT",
        help="The service's own fetchType, passed on as it is; its values are not documented.",
    ),
]
WindowDays: TypeAlias = Annotated[
    str,
    typer.Option("--window-days", metavar="DAYS", help="Days that one window holds at most."),
]
Concurrency: TypeAlias = Annotated[
    str,
    typer.Option("--concurrency", metavar="N", help="Requests in flight at most."),
]
MaxRate: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--max-rate",
        metavar="N",
        help="Requests per second at most; no limit if not given.",
    ),
]
EnvironmentName: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--environment",
        metavar="NAME",
        help="production or staging; CONFIRMA_ENVIRONMENT, then production, if not given.",
    ),
]
BaseUrl: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--base-url",
        metavar="URL",
        help="Another address: https, or http on loopback.",
    ),
]
KeyFile: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--key-file",
        metavar="FILE",
        help="Read the API key from a file; CONFIRMA_API_KEY holds it if not given.",
    ),
]
KeyStdin: TypeAlias = Annotated[
    bool,
    typer.Option("--key-stdin", help="Read the API key from standard input."),
]
Sandbox: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--sandbox",
        help="Ask the embedded sandbox: synthetic invoices, no account and no key needed.",
    ),
]
Plan: TypeAlias = Annotated[
    bool,
    typer.Option("--plan", help="Show the windows that would be asked for, and ask nothing."),
]
RequireComplete: TypeAlias = Annotated[
    bool,
    typer.Option("--require-complete", help="Exit with 1 where the verdict is UNVERIFIED, too."),
]
Quiet: TypeAlias = Annotated[
    bool,
    typer.Option("--quiet", help="Say nothing but warnings and failures."),
]
Json: TypeAlias = Annotated[
    bool,
    typer.Option("--json", help="Events and the report as JSON lines on standard error."),
]
Resume: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--resume",
        metavar="TOKEN",
        help="Go on where an interrupted fetch of the same arguments stopped; it printed the token.",
    ),
]
Into: TypeAlias = Annotated[
    str,
    typer.Option(
        "--into",
        metavar="TARGET",
        help="FILE.jsonl, FILE.sqlite, FOLDER.parquet or a database address; the same one goes on where it stopped.",
    ),
]
RefreshDays: TypeAlias = Annotated[
    str,
    typer.Option(
        "--refresh-days",
        metavar="DAYS",
        help="Read windows again that ended within so many days, since delivery results arrive late; 0 for history.",
    ),
]
Account: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--account",
        metavar="LABEL",
        help="A label of yours for the records; a target holds one, or those of --accounts.",
    ),
]
Accounts: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--accounts",
        metavar="FILE",
        help="A TOML file of accounts, which are read side by side into one target; it says where their keys are.",
    ),
]
Target: TypeAlias = Annotated[
    str,
    typer.Argument(metavar="TARGET", show_default=False, help="What a backfill wrote into."),
]
OneAccount: TypeAlias = Annotated[
    str | None,
    typer.Option("--account", metavar="LABEL", help="Only the records with this label; all if not given."),
]
