"""What agreement costs: three nodes on one machine. `scripts/bench gossip` starts it."""

import json
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import uuid

import psycopg

from .cluster import Cluster
from .entering import MARKET, entered
from .node import Fault, Node
from .options import Parser

READY_SECONDS_MAX = 60


def arguments():
    parser = Parser("scripts/bench gossip")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--orders", type=int, default=30_000)
    parser.add_argument("--batch", type=int, default=500)
    parser.add_argument("--singles", type=int, default=100)
    parser.add_argument("--json", type=pathlib.Path)
    return parser.parse_args()


def executed(node):
    return int(node.psql(f"select s.seq from pgbook_data.market_state s join pgbook_data.markets m using (market) where m.symbol = '{MARKET}'").strip() or 0)


def throughput(nodes, shares, batch, seed):
    """Commands a second, from the first that is entered until every node has executed all that it must."""
    def load(node, count, number):
        with psycopg.connect(node.conninfo(), autocommit=True) as connection:
            entered(connection, seed + number, count, batch)
    is_shared = nodes[0].sidecar is not None
    wanted = [executed(node) + (sum(shares) if is_shared else share) for node, share in zip(nodes, shares)]
    began = time.monotonic()
    threads = [threading.Thread(target=load, args=(node, share, number)) for number, (node, share) in enumerate(zip(nodes, shares))]
    for thread in threads:
        thread.start()
    ends = [None] * len(nodes)
    connections = [psycopg.connect(node.conninfo(), autocommit=True) for node in nodes]
    while None in ends:
        for number, connection in enumerate(connections):
            if ends[number] is None:
                seq = connection.execute("select max(seq) from pgbook_data.market_state").fetchone()[0]
                if seq >= wanted[number]:
                    ends[number] = time.monotonic() - began
        if time.monotonic() - began > 300:
            raise Fault(f"not executed within 300 s: {[executed(node) for node in nodes]} of {wanted}")
        time.sleep(0.005)
    for thread in threads:
        thread.join()
    for connection in connections:
        connection.close()
    # Each node alone executes its own share; a cluster's nodes all execute everything.
    return sum(shares) / max(ends) if is_shared else statistics.mean(share / end for share, end in zip(shares, ends))


def latencies(nodes, count):
    """From sending an order until all nodes have executed it, in milliseconds."""
    connections = [psycopg.connect(node.conninfo(), autocommit=True) for node in nodes]
    found = []
    for number in range(count):
        order = str(uuid.uuid4())
        began = time.monotonic()
        connections[number % len(nodes)].execute(
            "select pgbook.place_order(%s, 'bid', 1, 50, user_id => 'bench', id => %s::uuid)", (MARKET, order))
        missing = list(connections)
        while missing:
            missing = [connection for connection in missing if not connection.execute(
                "select exists (select from pgbook_data.executions where id = %s::uuid)", (order,)).fetchone()[0]]
            if time.monotonic() - began > 30:
                raise Fault(f"order {order} was not executed everywhere within 30 s")
        found.append((time.monotonic() - began) * 1000)
    for connection in connections:
        connection.close()
    return found


class Alone:
    """Nodes without a cluster, all at work at once: each has a third of the machine."""

    def __init__(self, options, folder, count):
        self.nodes = [Node(f"alone-{number}", folder / f"alone-{number}", options.program, options.postgres) for number in range(1, count + 1)]
        for node in self.nodes:
            node.folder.mkdir(parents=True)
            node.make_database()
            node.pgbook("market", "add", MARKET, "--tick", "0.01", "--lot", "0.00000001")

    def start(self):
        for node in self.nodes:
            node.prepare(serve=("--roles", "matcher"))
            node.server.start()
            node.sidecar = None

    def stop(self):
        for node in self.nodes:
            node.server.stop()


def run(options):
    folder = options.folder
    early = Cluster(folder / "early", options.program, options.postgres, 3)
    window = Cluster(folder / "window", options.program, options.postgres, 3, early=False)
    alone = Alone(options, folder, 3)
    figures = {"early p50 ms": [], "window p50 ms": [], "early ÷ window": [], "cluster/s": [], "alone/s": [], "cluster ÷ alone": []}
    try:
        early.make()
        window.make()
        for number in range(options.rounds):
            early.start(serve=("--roles", "matcher"))
            early.wait_ready(READY_SECONDS_MAX)
            latencies(early.nodes, 5)
            quick = statistics.median(latencies(early.nodes, options.singles))
            rate = throughput(early.nodes, [options.orders // 3] * 3, options.batch, number)
            early.stop(databases=False)
            window.start(serve=("--roles", "matcher"))
            window.wait_ready(READY_SECONDS_MAX)
            slow = statistics.median(latencies(window.nodes, 5))
            window.stop(databases=False)
            alone.start()
            single = throughput(alone.nodes, [options.orders // 3] * 3, options.batch, number)
            alone.stop()
            for name, value in zip(figures, (quick, slow, quick / slow, rate, single, rate / single)):
                figures[name].append(value)
            print(f"round {number + 1}: " + ", ".join(f"{name} {values[-1]:.4g}" for name, values in figures.items()), flush=True)
        for cluster in (early, window):
            for node in cluster.nodes:
                node.pgbook("verify")
    finally:
        for nodes in (early, window, alone):
            nodes.stop()
        for node in [*early.nodes, *window.nodes, *alone.nodes]:
            subprocess.run([options.postgres, "stop", "--dir", str(node.data)], capture_output=True)
    print()
    for name, values in figures.items():
        print(f"{name:18} {statistics.median(values):10.4g}  ({min(values):.4g}–{max(values):.4g})")
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n")


def main():
    options = arguments()
    if not options.program:
        return 0
    options.folder = options.folder or pathlib.Path(tempfile.mkdtemp(prefix="gossip."))
    try:
        run(options)
    except Fault as fault:
        print(f"pgbook: {fault}; databases and logs are kept in {options.folder}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\ninterrupted", file=sys.stderr, flush=True)
        shutil.rmtree(options.folder, ignore_errors=True)
        return 130
    shutil.rmtree(options.folder, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
