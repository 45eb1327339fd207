"""Nodes that go away and come back, or join late. scripts/rejoin starts it."""

import pathlib
import sys

from . import away, joining, stopped
from .options import Parser, count, positive
from .trial import carry_out

RUNS = {"away": away.run, "join": joining.run, "stopped": stopped.run}
QUICK = {"rounds": 1, "down": 3, "history": 20_000, "before": 5, "seconds": 20}


def arguments():
    parser = Parser("scripts/rejoin")
    parser.add_argument("runs", nargs="*")
    parser.add_argument("--rounds", type=count, default=5)
    parser.add_argument("--rate", type=positive, default=500)
    parser.add_argument("--down", type=positive, default=10)
    parser.add_argument("--history", type=count, default=1_000_000)
    parser.add_argument("--join-rate", type=positive, default=500)
    parser.add_argument("--before", type=positive, default=30)
    parser.add_argument("--no-nice", action="store_true")
    parser.add_argument("--seconds", type=positive, default=600)
    parser.add_argument("--stopped-rate", type=positive, default=20)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--json", type=pathlib.Path)
    options = parser.parse_args()
    for name in options.runs:
        if name not in RUNS:
            parser.error(f"unknown run '{name}'; there are {', '.join(RUNS)}")
    options.runs = options.runs or list(RUNS)
    if options.quick:
        for name, value in QUICK.items():
            setattr(options, name, value)
    return options


def main():
    options = arguments()
    if not options.program:
        return 0
    return carry_out(options, [(name, RUNS[name]) for name in options.runs])


if __name__ == "__main__":
    sys.exit(main())
