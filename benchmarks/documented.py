"""The table of claims in the README, which is written from `claims.py` and must equal it."""

from pathlib import Path

from benchmarks.claims import CLAIMS
from benchmarks.report import table

README = Path(__file__).parent / "README.md"
START, END = "<!-- written by `python -m benchmarks --write-claims` -->\n", "<!-- end of the claims -->\n"


def claims_are_documented() -> bool:
    """Whether the README has the claims that are checked, each with its bound."""
    return _with_claims() == README.read_text()


def write_claims() -> None:
    """Bring the table up to date."""
    README.write_text(_with_claims())


def _with_claims() -> str:
    before, _, rest = README.read_text().partition(START)
    _, _, after = rest.partition(END)
    rows = [(claim.name, claim.limits) for claim in CLAIMS]
    return f"{before}{START}\n{table(['claim', 'bound'], rows)}\n\n{END}{after}"
