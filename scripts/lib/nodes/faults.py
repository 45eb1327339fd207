"""Ten minutes of random faults on three nodes; then all three must hold the same. scripts/faults starts it."""

import pathlib
import random
import shutil
import signal
import sys
import tempfile
import time

import psycopg

from .cluster import Cluster
from .equality import differences, unknown
from .load import Client
from .node import Fault
from .options import Parser

LEVEL_SECONDS_MAX = 120
# How often a sidecar compares its tables with its log.
CHECK_SECONDS = 15


def arguments():
    parser = Parser("scripts/faults")
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--nodes", type=int, default=3)
    parser.add_argument("--rate", type=float, default=40)
    parser.add_argument("--every", type=float, default=3)
    parser.add_argument("--window", type=int, default=3000)
    parser.add_argument("--confirmations", type=int, default=0)
    parser.add_argument("--only", default="")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1_000_000))
    return parser.parse_args()


class Faults:
    """Breaks one thing after the other, and mends each after a while."""

    def __init__(self, cluster, generator, only):
        self.cluster = cluster
        self.random = generator
        self.counts = {}
        self.mending = []
        self.kinds = {
            "kill sidecar": self.kill_sidecar, "kill server": self.kill_server, "kill PostgreSQL": self.kill_database,
            "stop sidecar": self.pause_sidecar, "stop server": self.pause_server, "delay": self.delay,
            "reset": self.reset, "cut": self.cut, "blackhole": self.blackhole, "one-way blackhole": self.one_way,
            "half-open": self.half_open, "slow": self.slow, "flip": self.flip, "duplicate": self.duplicate,
            "reorder": self.reorder, "isolate": self.isolate, "stop PostgreSQL": self.pause_database,
            "clock": self.clock, "table": self.table,
        }
        if only:
            self.kinds = {kind: act for kind, act in self.kinds.items() if kind in only.split(",")}

    def one(self):
        kind = self.random.choice(sorted(self.kinds))
        self.counts[kind] = self.counts.get(kind, 0) + 1
        self.kinds[kind]()

    def later(self, seconds, mend):
        self.mending.append((time.monotonic() + seconds, mend))

    def mend(self, everything=False):
        now = time.monotonic()
        due = [entry for entry in self.mending if everything or entry[0] <= now]
        self.mending = [entry for entry in self.mending if entry not in due]
        for _, mend in due:
            mend()

    def node(self):
        return self.random.choice(self.cluster.nodes)

    def route(self):
        return self.random.choice(self.cluster.proxies.routes)

    def pause(self):
        return self.random.choice((0.3, 1, 2, 4, 8))

    # Processes

    def kill_sidecar(self):
        self.kill(self.node().sidecar)

    def kill_server(self):
        self.kill(self.node().server)

    def kill(self, process):
        process.kill()
        process.held = True
        self.later(self.pause(), process.release)

    def kill_database(self):
        node = self.node()
        try:
            node.kill_database()
        except (OSError, ValueError):
            return
        self.later(self.pause(), node.start_database)

    def pause_sidecar(self):
        node = self.node()
        node.sidecar.pause()
        self.later(self.pause(), node.sidecar.go_on)

    def pause_server(self):
        node = self.node()
        node.server.pause()
        self.later(self.pause(), node.server.go_on)

    def pause_database(self):
        node = self.node()
        self.signal(node, signal.SIGSTOP)
        self.later(self.pause(), lambda: self.signal(node, signal.SIGCONT))

    def signal(self, node, number):
        try:
            node.signal_database(number)
        except (OSError, ValueError):
            pass

    def clock(self):
        """A sidecar's clock is wrong: it jumps, and jumps back."""
        sidecar = self.node().sidecar
        option = f"--clock-error={self.random.choice((-3000, -600, -200, 200, 600, 3000))}"
        sidecar.command.append(option)
        self.restart(sidecar)

        def mend():
            sidecar.command.remove(option)
            self.restart(sidecar)

        self.later(self.pause(), mend)

    def restart(self, process):
        process.kill()
        if not process.held:
            process.start()

    def table(self):
        """Somebody changes a row of the book by hand."""
        try:
            with psycopg.connect(self.node().conninfo(), connect_timeout=2, options="-c statement_timeout=2000") as connection:
                connection.execute("update pgbook_data.book set amount = amount + 1 where ctid = (select ctid from pgbook_data.book limit 1)")
        except psycopg.Error:
            # The database is down, or stands still.
            self.counts["table"] -= 1

    # The network

    def tell(self, route, **command):
        self.cluster.proxies.tell(route=route, **command)

    def healed_later(self, route):
        self.later(self.pause(), lambda: self.tell(route, do="heal"))

    def delay(self):
        route = self.route()
        self.tell(route, do="delay", ms=self.random.choice((5, 50, 300)), jitter=self.random.choice((0, 4, 40)))
        self.healed_later(route)

    def reset(self):
        self.tell(self.route(), do="reset")

    def cut(self):
        self.tell(self.route(), do="cut", after=self.random.randint(0, 5000))

    def blackhole(self):
        route = self.route()
        self.tell(route, do="blackhole", way="both")
        self.healed_later(route)

    def one_way(self):
        route = self.route()
        self.tell(route, do="blackhole", way=self.random.choice(("out", "back")))
        self.healed_later(route)

    def half_open(self):
        route = self.route()
        self.tell(route, do="half-open", way=self.random.choice(("out", "back")))
        self.healed_later(route)

    def slow(self):
        route = self.route()
        self.tell(route, do="slow", bytes=self.random.choice((2_000, 20_000)))
        self.healed_later(route)

    def flip(self):
        self.tell(self.route(), do="flip", after=self.random.randint(0, 3000))

    def duplicate(self):
        self.tell(self.route(), do="duplicate")

    def reorder(self):
        self.tell(self.route(), do="reorder")

    def isolate(self):
        """One node hears and reaches nobody, longer than the window at times."""
        name = self.node().name
        routes = [route for route in self.cluster.proxies.routes if name in route.split(">")]
        for route in routes:
            self.tell(route, do="blackhole", way="both")
        self.later(self.pause(), lambda: [self.tell(route, do="heal") for route in routes])


def run(options):
    generator = random.Random(options.seed)
    print(f"seed {options.seed}", flush=True)
    cluster = Cluster(
        options.folder, options.program, options.postgres, options.nodes, window_ms=options.window,
        confirmations=options.confirmations, proxied=True)
    cluster.make(say=lambda text: print(text, flush=True))
    cluster.start(gossip=("--check", f"{CHECK_SECONDS}s"))
    problems = []
    try:
        cluster.wait_ready(30)
        clients = [Client(node, options.seed + number, options.rate) for number, node in enumerate(cluster.nodes)]
        for client in clients:
            client.start()
        faults = Faults(cluster, generator, options.only)
        break_things(options, cluster, faults, clients)
        for client in clients:
            client.stop()
        faults.mend(everything=True)
        cluster.proxies.tell(do="heal")
        for node in cluster.nodes:
            node.start()
        began = time.monotonic()
        cluster.wait_ready(LEVEL_SECONDS_MAX)
        cluster.settle(LEVEL_SECONDS_MAX)
        print(f"all level and quiet {time.monotonic() - began:.1f} s after the last fault", flush=True)
        if faults.counts.get("table"):
            print(f"a row changed by hand is found within {CHECK_SECONDS} s", flush=True)
            time.sleep(2 * CHECK_SECONDS)
            cluster.wait_ready(LEVEL_SECONDS_MAX)
        problems = judge(cluster, clients)
        report(faults, clients, cluster)
    finally:
        problems += cluster.stop(databases=False)
        for problem in problems:
            print(f"FAULT {problem}", flush=True)
        cluster.stop_databases()
    return problems


def break_things(options, cluster, faults, clients):
    end = time.monotonic() + options.seconds
    next_fault = time.monotonic()
    next_line = time.monotonic() + 10
    while (now := time.monotonic()) < end:
        faults.mend()
        for node in cluster.nodes:
            # What ended by itself is started again, as whoever supervises it would.
            node.start()
        if now >= next_fault:
            next_fault = now + faults.random.uniform(0.3, 2 * options.every)
            faults.one()
        if now >= next_line:
            next_line = now + 10
            placed = sum(len(client.acknowledged) for client in clients)
            print(f"{end - now:5.0f} s left, {sum(faults.counts.values())} faults, {placed} orders acknowledged", flush=True)
        time.sleep(0.05)


def judge(cluster, clients):
    problems, counts = differences(cluster.nodes)
    print("rows: " + ", ".join(f"{table} {count}" for table, count in counts.items()), flush=True)
    acknowledged = set().union(*(client.acknowledged for client in clients))
    for node in cluster.nodes:
        lost = unknown(node, acknowledged)
        if lost:
            problems.append(f"{node.name} has {len(lost)} of {len(acknowledged)} acknowledged orders not exactly once, such as {lost[0]}")
        try:
            node.pgbook("verify")
        except Fault as fault:
            problems.append(f"{node.name}: {fault}")
    for client in clients:
        problems += [f"a client of {client.node.name} was told: {line}" for line in client.unexpected[:3]]
    return problems


def report(faults, clients, cluster):
    print("faults: " + ", ".join(f"{kind} {count}" for kind, count in sorted(faults.counts.items())))
    refused = {}
    for client in clients:
        for code, count in client.refused.items():
            refused[code] = refused.get(code, 0) + count
    placed = sum(len(client.acknowledged) for client in clients)
    print(f"orders acknowledged {placed}; refused at the entrance: {refused}")
    for node in cluster.nodes:
        state = (node.status() or {}).get("sidecar") or {}
        changed = node.psql("select count(*) from pgbook.divergence").strip()
        late = node.psql("select count(*) from pgbook_data.node_log where verdict = 1").strip()
        print(f"{node.name}: late {late}, outcomes changed by a rebuild {changed}, reports {state.get('reports')}")


def main():
    options = arguments()
    if not options.program:
        return 0
    options.folder = options.folder or pathlib.Path(tempfile.mkdtemp(prefix="faults."))
    try:
        problems = run(options)
    except Fault as fault:
        print(f"FAULT {fault}")
        problems = [str(fault)]
    except KeyboardInterrupt:
        # Everything was stopped on the way here, and what was broken half-way proves nothing.
        print("\ninterrupted", flush=True)
        shutil.rmtree(options.folder, ignore_errors=True)
        return 130
    if problems:
        print(f"FAILED; databases and logs are kept in {options.folder}")
        return 1
    print("passed: the databases of all nodes are equal row by row")
    shutil.rmtree(options.folder, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
