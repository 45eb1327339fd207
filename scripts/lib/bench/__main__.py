"""Reads the options, runs the rounds, prints what came out."""

import argparse
import json
import pathlib
import signal
import sys

from . import flows, history
from .contestants import Fault, Setup
from .machine import Machine
from .progress import Progress
from .report import Report


class Parser(argparse.ArgumentParser):
    def error(self, message):
        print(f"{self.prog}: {message}; see {self.prog} --help", file=sys.stderr)
        sys.exit(2)


def arguments():
    parser = Parser(prog="scripts/bench", allow_abbrev=False)
    # What scripts/bench adds. Without a program the arguments are only checked.
    for name in ("--program", "--pgbench", "--sql", "--data"):
        parser.add_argument(name, type=pathlib.Path, help=argparse.SUPPRESS)
    parser.add_argument("flows", nargs="?", type=flow_names)
    parser.add_argument("--flow", type=flow_names, default=["crossing", "single", "normal"])
    parser.add_argument("--rounds", type=positive)
    parser.add_argument("--orders", type=positive)
    parser.add_argument("--naive-orders", type=positive)
    parser.add_argument("--batch", type=positive, default=1000)
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--no-verify", dest="verify", action="store_false")
    parser.add_argument("--json", type=pathlib.Path)
    options = parser.parse_args()
    options.flow = options.flows or options.flow
    options.rounds = options.rounds or (1 if options.quick else 5)
    return options


def positive(text):
    value = int(text)
    if value <= 0:
        raise argparse.ArgumentTypeError(f"{text} is not above zero")
    return value


def flow_names(text):
    groups = {"all": flows.NAMES, "history": history.NAMES}
    names = groups.get(text) or text.split(",")
    for name in names:
        if name not in flows.NAMES:
            raise argparse.ArgumentTypeError(f"there is no flow {name}; there are {', '.join(flows.NAMES)}")
    return names


def main():
    options = arguments()
    if options.program is None:
        return 0
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    progress = Progress()
    try:
        setup = Setup(options, progress)
        report = Report(options, Machine.describe())
        for name in options.flow:
            plan = flows.plan(name, setup)
            if plan.missing:
                print(f"flow {name} is left out: {plan.missing}", flush=True)
                continue
            report.begin(plan)
            try:
                run_rounds(plan, options, progress, report)
            finally:
                plan.close()
            progress.clear()
            report.print_flow(plan)
        if options.json:
            options.json.write_text(json.dumps(report.document(), indent=1) + "\n")
        return 1 if report.faults else 0
    except Fault as fault:
        progress.clear()
        print(f"pgbook: {fault}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        progress.clear()
        return 130


def run_rounds(plan, options, progress, report):
    """Each round measures every contestant once; the first of a round is another one each time."""
    count = len(plan.contestants)
    for number in range(min(options.rounds, plan.rounds_max or options.rounds)):
        for place in range(count):
            contestant = plan.contestants[(number + place) % count]
            progress.begin(f"{plan.name}, round {number + 1} of {options.rounds}: {contestant.name}")
            report.add(plan, contestant, contestant.measure())
        plan.check_round(report.last_round(plan), report.faults)


if __name__ == "__main__":
    sys.exit(main())
