"""A node that was never started joins a long history, while the others go on."""

import random
import time

import psycopg

from .entering import Load, enter
from .trial import READY_SECONDS_MAX, Nodes, judge, say
from .watching import Watch, launch, wait_level

RUN = "join"
LEVEL_SECONDS_MAX = 1800
# A node does not take more orders than it can keep waiting.
AHEAD_MAX = 40_000
SHARE_MIN = 0.9
SETTLE_SECONDS = 5
# The others are looked at in steps of this many seconds, for the slowest.
STEP_SECONDS = 5
EXECUTED = "executed per second"
SLOWEST = f"in the slowest {STEP_SECONDS} s, per second,"


def run(options, folder, figures):
    with Nodes(options, folder, figures, RUN, count=2) as cluster:
        cluster.make(say=say)
        cluster.start(serve=("--roles", "matcher"))
        cluster.wait_ready(READY_SECONDS_MAX)
        others = list(cluster.nodes)
        watches = [Watch(node) for node in others]
        write_history(others, watches, options.history, figures)
        load = Load(others, options.join_rate)
        load.start()
        try:
            joiner = join(options, figures, cluster, others, watches, load)
        finally:
            load.stop()
        judge(figures, RUN, cluster, [joiner])


def write_history(others, watches, history, figures):
    """By turns at each node, no further ahead than a node may be."""
    began = said = time.monotonic()
    connections = [psycopg.connect(node.conninfo(), autocommit=True) for node in others]
    generator = random.Random(1)
    count, batch, turn = 0, 1000, 0
    while count < history:
        while count - min(watch.executed() for watch in watches) > AHEAD_MAX:
            time.sleep(0.05)
        taken, _ = enter(connections[turn % len(connections)], generator, min(batch, history - count))
        count += taken
        turn += 1
        if time.monotonic() - said > 10:
            said = time.monotonic()
            say(f"{count} commands of {history} entered")
    while min(watch.executed() for watch in watches) < history:
        time.sleep(0.1)
    for connection in connections:
        connection.close()
    seconds = time.monotonic() - began
    figures.add(RUN, "commands of history", history)
    figures.add(RUN, "history, commands per second", history / seconds)
    say(f"{history} commands executed at {history / seconds:.0f} a second")


def join(options, figures, cluster, others, watches, load):
    """Before: the two, which close early. Then they are told of the third, which is silent until it is level, so that
    the window rules. During: from its start until it is level."""
    time.sleep(SETTLE_SECONDS)
    before = Phase(others, watches, load)
    time.sleep(options.before)
    before.end()
    say(f"the two alone: {before.reckon()}")
    began = time.monotonic()
    joiner = cluster.grow("node-3", [] if options.no_nice else ["nice", "-n", "19"])
    figures.add(RUN, "telling the two of it s", time.monotonic() - began)
    say(f"the two know of {joiner.name}")
    # The window has begun to rule by then.
    time.sleep(SETTLE_SECONDS)
    during = Phase(others, watches, load)
    launched = launch(watches)
    joiner.start()
    watch = Watch(joiner)
    level, even = wait_level(watch, watches, launched, LEVEL_SECONDS_MAX, when_level=during.end)
    watch.close()
    figures.rule(RUN, level is not None, f"not level after {LEVEL_SECONDS_MAX} s")
    if level is None:
        during.end()
    say(f"while {joiner.name} joins: {during.reckon()}")
    figures.add(RUN, "level s", level)
    figures.add(RUN, "even with the others s", even)
    figures.add(RUN, "commands per second of the joiner", launched[2] / level if level else None)
    figures.add(RUN, "orders offered per second", options.join_rate)
    for name, phase in (("before", before), ("during", during)):
        for key, value in phase.figures.items():
            figures.add(RUN, f"{key} {name}", value)
    share = during.figures[EXECUTED] / before.figures[EXECUTED]
    figures.add(RUN, "during ÷ before", share)
    figures.rule(RUN, share >= SHARE_MIN, f"the others executed {share:.2f} of what they did before, not {SHARE_MIN}")
    return joiner


class Phase:
    """What the others take and execute from now until its end: of the slower one the rate, of all own orders how long they
    waited. What had been taken earlier and waited when it began does not count as executed in it."""

    def __init__(self, others, watches, load):
        self.others, self.watches, self.load = others, watches, load
        self.seqs, self.taken = self.executed(), load.taken
        self.moment, self.began = time.time(), time.monotonic()
        self.figures = None

    def executed(self):
        return [watch.executed() for watch in self.watches]

    def end(self):
        self.moments = self.moment, time.time()
        self.seconds = time.monotonic() - self.began
        self.executed_here = min(now - then for now, then in zip(self.executed(), self.seqs))
        self.taken = self.load.taken - self.taken

    def reckon(self):
        """Once it has ended, since asking for it takes the databases a while."""
        waits, steps = [], []
        for node in self.others:
            with psycopg.connect(node.conninfo()) as connection:
                steps += slowest(connection, self.seqs[0], self.moment, self.seconds)
                waits += [row[0] for row in connection.execute(
                    """select extract(epoch from o.executed_at - c.accepted_at)::float8
                       from pgbook_data.outcomes o join pgbook_data.commands c using (id)
                       where c.origin = %s and o.seq > %s and o.executed_at between to_timestamp(%s) and to_timestamp(%s)""",
                    (node.name, self.seqs[0], *self.moments)).fetchall()]
        waits.sort()
        self.figures = {
            "seconds": self.seconds,
            "orders taken per second": self.taken / self.seconds,
            EXECUTED: min(self.taken, self.executed_here) / self.seconds,
            SLOWEST: min(steps, default=None),
            "order to executed p50 ms": waits[len(waits) // 2] * 1000 if waits else None,
            "order to executed p99 ms": waits[len(waits) * 99 // 100] * 1000 if waits else None,
        }
        return self

    def __str__(self):
        return ", ".join(f"{key} {value:.5g}" for key, value in self.figures.items() if value is not None)


def slowest(connection, seq, moment, seconds):
    """What was executed a second in each whole step since a moment."""
    whole = int(seconds / STEP_SECONDS)
    counts = dict(connection.execute(
        """select floor(extract(epoch from executed_at - to_timestamp(%s)) / %s)::int, count(*)
           from pgbook_data.outcomes where seq > %s group by 1""", (moment, STEP_SECONDS, seq)).fetchall())
    return [counts.get(step, 0) / STEP_SECONDS for step in range(whole)]
