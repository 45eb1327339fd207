"""A node's sidecar is stopped for a long while, and then goes on."""

import time

from .entering import Load
from .lines import Lines, judge_lines, kinds
from .trial import READY_SECONDS_MAX, Nodes, judge, say
from .watching import Watch, launch, resident, wait_level

RUN = "stopped"
LEVEL_SECONDS_MAX = 120
SAMPLE_SECONDS = 1
# Growth of another sidecar's memory after the first tenth.
GROWTH_BYTES_MAX = 32 << 20


def run(options, folder, figures):
    with Nodes(options, folder, figures, RUN) as cluster:
        cluster.make(say=say)
        cluster.start(serve=("--roles", "matcher"))
        cluster.wait_ready(READY_SECONDS_MAX)
        *others, victim = cluster.nodes
        watches = [Watch(node) for node in others]
        load = Load(others, options.stopped_rate)
        load.start()
        try:
            time.sleep(2)
            hold(options, figures, others, victim, watches, load)
            come_back(figures, victim, watches)
        finally:
            load.stop()
        judge(figures, RUN, cluster, cluster.nodes)


def hold(options, figures, others, victim, watches, load):
    logs = {node.name: Lines(node.log) for node in others}
    executed, taken = [watch.executed() for watch in watches], load.taken
    victim.sidecar.pause()
    began = time.monotonic()
    samples = {node.name: [] for node in others}
    next_line = began + 30
    while (passed := time.monotonic() - began) < options.seconds:
        for node in others:
            samples[node.name].append((passed, resident(node.sidecar)))
        if time.monotonic() >= next_line:
            next_line += 30
            memory = ", ".join(f"{name} {rows[-1][1] >> 20} MiB" for name, rows in samples.items())
            say(f"{options.seconds - passed:.0f} s left, {load.taken - taken} orders taken; sidecars: {memory}")
        time.sleep(SAMPLE_SECONDS)
    rate = min(watch.executed() - before for watch, before in zip(watches, executed)) / passed
    figures.add(RUN, "stopped for s", passed)
    figures.add(RUN, "executed per second by the others", rate)
    figures.rule(RUN, rate > 0.8 * options.stopped_rate, f"the others executed {rate:.1f} of {options.stopped_rate:g} orders a second")
    for node in others:
        judge_memory(figures, node, samples[node.name], options.seconds)
        said = kinds(logs[node.name].new())
        figures.add(RUN, f"{node.name}'s log lines", said.total())
        for (level, text), number in said.most_common(4):
            say(f"  {node.name}, {number} ×: {level} {text[:160]}")
        judge_lines(figures, RUN, f"the sidecar of {node.name}", said, passed)


def judge_memory(figures, node, samples, seconds):
    """From the end of the first minute, or of the first tenth of a short run."""
    first = next(size for at, size in samples if at >= min(60, seconds / 10))
    last, most = samples[-1][1], max(size for _, size in samples)
    growth = most - first
    for name, value in (("after the first minute", first), ("at the end", last), ("at most", most)):
        figures.add(RUN, f"{node.name}'s sidecar {name}, MiB", value / (1 << 20))
    figures.rule(RUN, last > 0 and growth <= GROWTH_BYTES_MAX, f"the sidecar of {node.name} grew by {growth >> 20} MiB")


def come_back(figures, victim, watches):
    launched = launch(watches)
    victim.sidecar.go_on()
    watch = Watch(victim)
    level, even = wait_level(watch, watches, launched, LEVEL_SECONDS_MAX)
    watch.close()
    figures.add(RUN, "level s", level)
    figures.add(RUN, "even with the others s", even)
    figures.rule(RUN, level is not None, f"not level {LEVEL_SECONDS_MAX} s after it went on")
    say("not level" if level is None else f"level {level:.2f} s after it went on")
