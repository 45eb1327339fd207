"""One run of a script: what it leaves behind, and how it ends."""

import pathlib
import shutil
import signal
import sys
import tempfile

from .cluster import Cluster
from .equality import differences
from .figures import Figures
from .node import Fault

READY_SECONDS_MAX = 60
SETTLE_SECONDS_MAX = 120


def say(text):
    print(text, flush=True)


def carry_out(options, runs):
    """Does the runs one after the other, each a name and a function of options, folder and figures. Returns the exit code:
    data and logs are kept after a failure only."""
    signal.signal(signal.SIGTERM, interrupt)
    folder = options.folder or pathlib.Path(tempfile.mkdtemp(prefix="nodes."))
    figures = Figures()
    try:
        for name, run in runs:
            say(f"== {name}")
            try:
                run(options, folder / name, figures)
            except Fault as fault:
                figures.rule(name, False, str(fault))
    except KeyboardInterrupt:
        # Everything was stopped on the way here, and what was broken off half-way proves nothing.
        print("\ninterrupted", file=sys.stderr, flush=True)
        shutil.rmtree(folder, ignore_errors=True)
        return 130
    figures.show()
    if options.json:
        figures.write(options.json)
    for problem in figures.problems:
        say(f"FAULT {problem}")
    if figures.problems:
        say(f"FAILED; databases and logs are kept in {folder}")
        return 1
    say("passed")
    shutil.rmtree(folder, ignore_errors=True)
    return 0


def interrupt(*_):
    raise KeyboardInterrupt


class Nodes:
    """A cluster that is made on the way in and stopped on the way out, whatever happens between."""

    def __init__(self, options, folder, figures, run, count=3, **more):
        self.cluster = Cluster(folder, options.program, options.postgres, count, **more)
        self.figures = figures
        self.run = run

    def __enter__(self):
        return self.cluster

    def __exit__(self, kind, value, trace):
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
        for fault in self.cluster.stop():
            self.figures.rule(self.run, kind is KeyboardInterrupt, fault)
        signal.signal(signal.SIGINT, before)


def judge(figures, run, cluster, verified):
    """The nodes come to rest and hold the same, and what they hold follows from the log."""
    say("waiting until nothing waits anywhere")
    cluster.settle(SETTLE_SECONDS_MAX)
    say("comparing the databases row by row")
    found, counts = differences(cluster.nodes)
    for line in found:
        figures.rule(run, False, line)
    say("rows: " + ", ".join(f"{table} {count}" for table, count in counts.items()))
    for node in verified:
        say(f"pgbook verify of {node.name}")
        try:
            node.pgbook("verify")
        except Fault as fault:
            figures.rule(run, False, f"{node.name}: {fault}")
