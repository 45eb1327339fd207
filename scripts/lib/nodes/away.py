"""A node is killed, is away for a while, and comes back."""

import time

from .entering import Load
from .trial import READY_SECONDS_MAX, Nodes, judge, say
from .watching import Watch, launch, wait_level

RUN = "away"
LEVEL_SECONDS = 5
# Who has missed more than this times the seconds above is given longer.
MISSED_PER_SECOND = 10_000
LEVEL_SECONDS_MAX = 120
BREATH_SECONDS = 3


def run(options, folder, figures):
    with Nodes(options, folder, figures, RUN) as cluster:
        cluster.make(say=say)
        cluster.start(serve=("--roles", "matcher"))
        cluster.wait_ready(READY_SECONDS_MAX)
        *others, victim = cluster.nodes
        load = Load(others, options.rate)
        watches = [Watch(node) for node in others]
        load.start()
        began = time.monotonic()
        try:
            for number in range(options.rounds):
                time.sleep(BREATH_SECONDS)
                one(options, figures, number, victim, watches, load)
        finally:
            load.stop()
        rate = load.taken / (time.monotonic() - began)
        figures.add(RUN, "orders offered per second", options.rate)
        figures.add(RUN, "orders taken per second", rate)
        figures.rule(RUN, rate > 0.95 * options.rate, f"only {rate:.0f} orders a second of {options.rate:g} were taken: {load.reason}")
        judge(figures, RUN, cluster, cluster.nodes)


def one(options, figures, number, victim, watches, load):
    victim.kill()
    missed = max(watch.executed() for watch in watches)
    time.sleep(options.down)
    launched = launch(watches)
    missed = launched[2] - missed
    victim.start_database()
    database = time.monotonic() - launched[0]
    victim.start()
    watch = Watch(victim)
    level, even = wait_level(watch, watches, launched, LEVEL_SECONDS_MAX)
    watch.close()
    for name, value in (("level s", level), ("of it PostgreSQL s", database), ("even with the others s", even), ("commands missed", missed)):
        figures.add(RUN, name, value)
    allowed = max(LEVEL_SECONDS, missed / MISSED_PER_SECOND)
    figures.rule(
        RUN, level is not None and level <= allowed,
        f"round {number + 1}: level after {'more than ' + str(LEVEL_SECONDS_MAX) if level is None else f'{level:.2f}'} s, not within {allowed:.1f} s")
    shown = "not level" if level is None else f"level after {level:.2f} s (PostgreSQL {database:.2f} s)"
    say(f"round {number + 1}: {shown}, {missed} commands missed, {load.taken} orders taken so far")
