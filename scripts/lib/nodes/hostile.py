"""Strangers and a faithless member against one node of a cluster. scripts/hostile starts it."""

import collections
import json
import pathlib
import re
import shutil
import sys
import threading
import time

from . import attacks
from .attacks import Target
from .entering import Load
from .lines import Lines, judge_lines, kinds, said_in_words, without_time
from .node import Fault, run as command
from .options import Parser, count, positive
from .trial import READY_SECONDS_MAX, Nodes, carry_out, judge, say
from .watching import Watch, launch, resident, wait_level

GROUPS = {
    "strangers": attacks.STRANGERS, "frames": attacks.FRAMES, "messages": attacks.MESSAGES, "floods": attacks.FLOODS,
    "extremes": attacks.EXTREMES,
}
RUN = "hostile"
# Of the attacked sidecar, over the whole run.
GROWTH_BYTES_MAX = 64 << 20
# What a sidecar that ended by a fault of its own says of it, in little time.
BACKTRACE = "threads=crashed,symbolicate=fast,images=none"
STATUS_SECONDS_MAX = 10
LEVEL_SECONDS_MAX = 60


def arguments():
    parser = Parser("scripts/hostile")
    parser.add_argument("groups", nargs="*")
    parser.add_argument("--times", type=count, default=5)
    parser.add_argument("--rate", type=positive, default=20)
    parser.add_argument("--only")
    parser.add_argument("--json", type=pathlib.Path)
    options = parser.parse_args()
    for name in options.groups:
        if name not in GROUPS:
            parser.error(f"unknown group '{name}'; there are {', '.join(GROUPS)}")
    options.groups = options.groups or list(GROUPS)
    return options


class Memory(threading.Thread):
    """The most that a process held."""

    def __init__(self, process):
        super().__init__(daemon=True)
        self.process = process
        self.first = self.most = resident(process)
        self.start()

    def run(self):
        while True:
            self.most = max(self.most, resident(self.process))
            time.sleep(0.1)


def run(options, folder, figures):
    # The member that is impersonated does not run, so that the window rules.
    with Nodes(options, folder, figures, RUN, window_ms=2000) as cluster:
        cluster.make(say=say)
        for each in cluster.nodes:
            each.environment["SWIFT_BACKTRACE"] = BACKTRACE
        cluster.start(serve=("--roles", "matcher"))
        cluster.wait_ready(READY_SECONDS_MAX)
        node, other, member = cluster.nodes
        target = prepare(cluster, node, member)
        load = Load([node, other], options.rate)
        load.start()
        try:
            time.sleep(3)
            attack_all(options, figures, target, node, other)
            come_back(figures, member, node, other)
        finally:
            load.stop()
        judge(figures, RUN, cluster, cluster.nodes)
        judge_log(figures, node, load.taken)


def prepare(cluster, node, member):
    """The member takes some orders and then leaves; its certificate is known to the attacker."""
    load = Load([member], 100)
    load.start()
    time.sleep(1)
    load.stop()
    cluster.settle(60)
    for fault in member.stop():
        raise Fault(fault)
    member.before = load.taken
    authority = cluster.folder / "authority"
    strangers = {"other": cluster.folder / "other", "own": cluster.folder / "own"}
    command([cluster.program, "cluster", "init", "--name", "local", strangers["other"]])
    configuration = json.loads((authority / "cluster.json").read_text())
    # The same cluster by name, not by its authority.
    (strangers["other"] / "cluster.json").write_text(json.dumps(configuration | {"members": []}))
    command([cluster.program, "cluster", "add-node", member.name, "--host", "127.0.0.1:1", strangers["other"]])
    shutil.copytree(authority, strangers["own"])
    command([cluster.program, "cluster", "add-node", "nobody", "--host", "127.0.0.1:1", strangers["own"]])
    last, stamp = Watch(node).one(
        """select number, (extract(epoch from time) * 1000000)::bigint from pgbook_data.node_log
           where origin = %s order by number desc limit 1""", (member.name,))
    return Target(json.loads((node.config / "cluster.json").read_text()), node, member, strangers, (last, stamp))


def attack_all(options, figures, target, node, other):
    memory = Memory(node.sidecar)
    watches = Watch(node), Watch(other)
    target.counters, target.watch = counters(node), watches[0]
    for watch in watches:
        watch.node.unseen = watch.node.since = Lines(watch.node.log)
    say(f"{'attack':46} {'times':>5} {'s':>6}  counters, log lines")
    for group in options.groups:
        for name, (attack, expected) in GROUPS[group].items():
            if options.only and options.only not in name:
                continue
            one(options, figures, target, node, watches, name, attack, expected)
    say(f"the sidecar of {node.name}: {memory.first >> 20} MiB before, at most {memory.most >> 20} MiB")
    figures.add(RUN, "sidecar before, MiB", memory.first / (1 << 20))
    figures.add(RUN, "sidecar at most, MiB", memory.most / (1 << 20))
    growth = memory.most - memory.first
    figures.rule(RUN, growth <= GROWTH_BYTES_MAX, f"the sidecar of {node.name} grew by {growth >> 20} MiB")


def one(options, figures, target, node, watches, name, attack, expected):
    lines = Lines(node.log)
    before, rows, executed = target.counters, traces(watches[0], target), [watch.executed() for watch in watches]
    times = 1 if name in attacks.ONCE else options.times
    began = time.monotonic()
    for _ in range(times):
        try:
            attack(target)
        except (AssertionError, OSError) as error:
            figures.rule(RUN, False, f"{name}: {error}")
            break
    seconds = time.monotonic() - began
    after = target.counters = counters(node)
    risen = collections.Counter(after)
    risen.subtract(before)
    risen = {kind: count for kind, count in sorted(risen.items()) if count}
    # That the member is not there is no news.
    said = kinds(line for line in lines.new() if "cannot reach" not in line)
    shown = ", ".join(f"{kind} {count}" for kind, count in risen.items()) or "none"
    say(f"{name:46} {times:5} {seconds:6.1f}  {shown}; {said_in_words(said)}")
    for kind in expected:
        rose = risen.get(kind, 0)
        figures.rule(RUN, rose >= times, f"{name}: the counter {kind} rose by {rose} in {times} times")
    judge_lines(figures, RUN, name, said, seconds)
    for watch in watches:
        mend(figures, target, watch.node, name)
    for watch in watches:
        lost = watch.node.since.new()
        figures.rule(
            RUN, not any("cannot be used" in line for line in lost),
            f"{name}: {watch.node.name} had to begin anew: {next((without_time(line)[:200] for line in lost if 'cannot be used' in line), '')}")
        watch.node.since = Lines(watch.node.log)
    if name not in attacks.OWN:
        figures.rule(RUN, traces(watches[0], target) == rows, f"{name}: rows changed by it")
    for watch, count in zip(watches, executed):
        figures.rule(RUN, goes_on(watch, count), f"{name}: {watch.node.name} executes nothing")


def mend(figures, target, node, name):
    """Starts a sidecar that ended, so that the next attack has something to attack."""
    if node.sidecar.runs and not any("*** Signal" in line for line in node.unseen.new()):
        node.unseen = Lines(node.log)
        return
    wait_end(node.sidecar)
    words = node.unseen.new()
    words = next((line for line in words if re.match(r"\s+0 \[?", line)), words[-1] if words else "it said nothing")
    figures.rule(RUN, False, f"{name}: the sidecar of {node.name} ended: {' '.join(words.split())[:200]}")
    node.start()
    node.unseen = Lines(node.log)
    if node is target.node:
        target.counters = counters(node)


def wait_end(process):
    end = time.monotonic() + 30
    while process.runs and time.monotonic() < end:
        time.sleep(0.1)


def counters(node):
    """Of the connections, and of what was reported, as the sidecar has written them down since this was asked."""
    end = time.monotonic() + STATUS_SECONDS_MAX
    watch = Watch(node)
    seen = []
    # The first that it writes from now on may have been made before this.
    while len(seen) < 3 and time.monotonic() < end:
        row = watch.one("select status from pgbook.cluster_status")
        if row and row[0] not in seen[-1:]:
            seen.append(row[0])
        time.sleep(0.05)
    watch.close()
    return collections.Counter(seen[-1]["refusals"]) + collections.Counter(seen[-1]["reports"]) if seen else collections.Counter()


def traces(watch, target):
    """Whatever could be left of an attack: the member's log, an intruder's order, a market."""
    return watch.one(
        """select (select count(*) || '/' || max(number) from pgbook_data.node_log where origin = %s),
                  (select count(*) from pgbook.orders where user_id = 'intruder'),
                  (select count(*) from pgbook_data.markets)""", (target.member.name,))


def goes_on(watch, executed):
    end = time.monotonic() + STATUS_SECONDS_MAX
    while time.monotonic() < end:
        if watch.executed() > executed:
            return True
        time.sleep(0.05)
    return False


def come_back(figures, member, node, other):
    """The real one, after all that was done in its name."""
    launched = launch([Watch(node), Watch(other)])
    member.start()
    level, _ = wait_level(Watch(member), [Watch(node), Watch(other)], launched, LEVEL_SECONDS_MAX)
    figures.add(RUN, "level s of the member whose name was used", level)
    figures.rule(RUN, level is not None, f"{member.name} is not level {LEVEL_SECONDS_MAX} s after its start")


def judge_log(figures, node, taken):
    """The log holds what honest clients were told that it holds, and nothing else."""
    honest = int(node.psql("select count(*) from pgbook_data.node_log where origin <> 'node-3'"))
    figures.rule(RUN, honest == taken, f"{taken} orders were acknowledged, and the log holds {honest}")


def main():
    options = arguments()
    if not options.program:
        return 0
    return carry_out(options, [(RUN, run)])


if __name__ == "__main__":
    sys.exit(main())
