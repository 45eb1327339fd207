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
# The others are looked at in steps of this many seconds, for the slowest.
STEP_SECONDS = 5
SLOWEST = f"in the slowest {STEP_SECONDS} s, per second,"


def run(options, folder, figures):
    with Nodes(options, folder, figures, RUN) as cluster:
        *others, joiner = cluster.nodes
        if not options.no_nice:
            joiner.by = ["nice", "-n", "19"]
        cluster.make(say=say)
        cluster.prepare(serve=("--roles", "matcher"))
        for node in others:
            node.start()
        cluster.wait_ready(READY_SECONDS_MAX, others)
        watches = [Watch(node) for node in others]
        write_history(others, watches, options.history, figures)
        load = Load(others, options.join_rate)
        load.start()
        try:
            join(options, figures, others, joiner, watches, load)
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


def join(options, figures, others, joiner, watches, load):
    time.sleep(5)
    before = measure(others, watches, options.before)
    say(f"the others alone: {shown(before)}")
    moment, from_seq, taken = time.time(), [watch.executed() for watch in watches], load.taken
    launched = launch(watches)
    joiner.start()
    watch = Watch(joiner)
    level, even = wait_level(watch, watches, launched, LEVEL_SECONDS_MAX)
    seconds = time.monotonic() - launched[0]
    during = figures_of(others, watches, moment, from_seq, seconds)
    say(f"while {joiner.name} joins: {shown(during)}")
    figures.add(RUN, "level s", level)
    figures.add(RUN, "even with the others s", even)
    figures.add(RUN, "commands per second of the joiner", launched[2] / level if level else None)
    figures.add(RUN, "orders taken per second meanwhile", (load.taken - taken) / seconds)
    for name, said in (("before", before), ("during", during)):
        for key, value in said.items():
            figures.add(RUN, f"{key} {name}", value)
    share = during["executed per second"] / before["executed per second"]
    least = (during[SLOWEST] or during["executed per second"]) / before["executed per second"]
    figures.add(RUN, "during ÷ before", share)
    figures.add(RUN, f"slowest {STEP_SECONDS} s during ÷ before", least)
    figures.rule(RUN, level is not None, f"not level after {LEVEL_SECONDS_MAX} s")
    figures.rule(RUN, share >= SHARE_MIN, f"the others executed {share:.2f} of what they did before, not {SHARE_MIN}")
    watch.close()


def measure(others, watches, seconds):
    moment, from_seq, began = time.time(), [watch.executed() for watch in watches], time.monotonic()
    time.sleep(seconds)
    return figures_of(others, watches, moment, from_seq, time.monotonic() - began)


def figures_of(others, watches, moment, from_seq, seconds):
    """What the others executed since a moment: of the slower one the rate, of all own orders how long they waited."""
    rate = min(watch.executed() - seq for watch, seq in zip(watches, from_seq)) / seconds
    waits, steps = [], []
    for node in others:
        with psycopg.connect(node.conninfo()) as connection:
            steps += slowest(connection, from_seq[0], moment, seconds)
            waits += [row[0] for row in connection.execute(
                """select extract(epoch from o.executed_at - c.accepted_at)::float8
                   from pgbook_data.outcomes o join pgbook_data.commands c using (id)
                   where c.origin = %s and o.seq > %s and o.executed_at >= to_timestamp(%s)""",
                (node.name, from_seq[0], moment)).fetchall()]
    waits.sort()
    return {
        "executed per second": rate,
        SLOWEST: min(steps, default=None),
        "order to executed p50 ms": waits[len(waits) // 2] * 1000 if waits else None,
        "order to executed p99 ms": waits[len(waits) * 99 // 100] * 1000 if waits else None,
    }


def slowest(connection, seq, moment, seconds):
    """What was executed a second in each whole step since a moment."""
    whole = int(seconds / STEP_SECONDS)
    counts = dict(connection.execute(
        """select floor(extract(epoch from executed_at - to_timestamp(%s)) / %s)::int, count(*)
           from pgbook_data.outcomes where seq > %s group by 1""", (moment, STEP_SECONDS, seq)).fetchall())
    return [counts.get(step, 0) / STEP_SECONDS for step in range(whole)]


def shown(said):
    return ", ".join(f"{key} {value:.5g}" for key, value in said.items() if value is not None)
