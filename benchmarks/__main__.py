"""`python -m benchmarks`: every contender on the same jobs in one run, a table, and the claims checked.

Exit code 1 when a claim is broken, or was to be measured and could not be.
"""

import argparse
import sys
from dataclasses import replace
from pathlib import Path

from benchmarks.claims import verdicts
from benchmarks.contenders import CONTENDERS
from benchmarks.documented import claims_are_documented, write_claims
from benchmarks.report import render, save
from benchmarks.suite import JOBS, QUICK, Plan, run_suite

RESULTS = Path(__file__).parent / "results"


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="smaller jobs, two minutes on two cores")
    parser.add_argument(
        "--only", action="append", choices=sorted(CONTENDERS), help="only this contender (may be repeated)"
    )
    parser.add_argument("--job", action="append", choices=JOBS, help="only this job (may be repeated)")
    parser.add_argument("--records", type=int, help="records of the throughput job")
    parser.add_argument("--rounds", type=int, help="passes of each process in the throughput, pairs and latency jobs")
    parser.add_argument("--uvloop", action="store_true", help="also run confirma_async on uvloop")
    parser.add_argument("--save", type=Path, help="JSON file; the table goes beside it as .md")
    parser.add_argument("--silent", action="store_true", help="print the report only, not each run")
    parser.add_argument("--write-claims", action="store_true", help="only write the README's table of claims")
    return parser.parse_args()


def plan(args: argparse.Namespace) -> Plan:
    """The wanted part of the standard plan."""
    wanted = QUICK if args.quick else Plan()
    if args.records:
        wanted = replace(wanted, records=args.records)
    if args.rounds:
        wanted = replace(wanted, rounds=args.rounds, pair_rounds=args.rounds, latency_rounds=args.rounds)
    if args.only:
        wanted = replace(wanted, only=frozenset(args.only))
    if args.uvloop:
        wanted = replace(wanted, only=wanted.only | {"confirma_uvloop"})
    if args.job:
        wanted = replace(wanted, only_jobs=frozenset(args.job))
    return wanted


def main() -> int:
    """Measure, print, save, judge."""
    args = arguments()
    if args.write_claims:
        write_claims()
        return 0
    if not claims_are_documented():
        _say("the README's claims are not those that are checked: python -m benchmarks --write-claims")
        return 1
    results = run_suite(plan(args), (lambda _: None) if args.silent else _say)
    judged = verdicts(results)
    print(render(results, judged))
    partial = bool(args.only or args.job)
    local = args.quick or partial or args.records or args.rounds
    save(args.save or RESULTS / ("local/run.json" if local else "full.json"), results, judged)
    bad = [verdict for verdict in judged if verdict.kept is False or (verdict.kept is None and not partial)]
    for verdict in bad:
        _say(f"claim {'broken' if verdict.kept is False else 'not measured'}: {verdict.claim.name}")
    return 1 if bad else 0


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
