"""What readers cost traders; see scripts/readers."""

import argparse
import json
import os
import pathlib
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

import psycopg

MARKET = "READ"
READY_SECONDS_MAX = 30
GROWTH_MAX = 1.5
COST_MAX = 0.10
SINGLES = 1_000
ANALYTICS = (
    f"select count(*) from pgbook.volatility('{MARKET}')",
    f"select count(*) from pgbook.vwap('{MARKET}', by => '1m')",
    "select user_id, sum(amount) from pgbook.trades group by 1 order by 2 desc limit 10",
)


class Server:
    def __init__(self, program, folder):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.log = pathlib.Path(folder) / "serve.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [program, "serve", "--port", str(self.port), "--log-level", "warning"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        deadline = time.monotonic() + READY_SECONDS_MAX
        while not self.is_ready():
            if self.process.poll() is not None or time.monotonic() > deadline:
                sys.exit(f"readers: the server is not ready: {self.log.read_text(errors='replace')[-500:]}")
            time.sleep(0.05)

    def is_ready(self):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/ready", timeout=2) as answer:
                return answer.status == 200
        except OSError:
            return False

    def stop(self):
        self.process.terminate()
        self.process.wait(20)


class Bench:
    def __init__(self, options, server):
        self.program, self.server = options.program, server
        self.seed = 0

    def run(self, *arguments):
        self.seed += 1
        said = subprocess.run(
            [self.program, "bench", "socket", "--port", str(self.server.port), "--market", MARKET, "--json", "--seed",
             str(self.seed), *map(str, arguments)],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        if not said.stdout:
            sys.exit(f"readers: {said.stderr.strip()}")
        return json.loads(said.stdout.splitlines()[0])

    def singles(self):
        """Microseconds at the median and at 99 %, one order at a time."""
        times = self.run("--one", "--orders", SINGLES)["latency_us"]
        return times["p50"], times["p99"]

    def rate(self, orders):
        """Orders a second of 16 clients who each wait for 32 answers."""
        answer = self.run("--clients", 16, "--outstanding", 32, "--orders", orders)
        return answer["measured"] / answer["milliseconds"] * 1000


def by_sql(connection, count=300):
    """Microseconds from a command's acceptance to its execution, at the median and at 99 %."""
    ids = []
    for number in range(count):
        side = "bid" if number % 2 else "ask"
        ids.append(connection.execute(
            "select pgbook.place_order(%s, %s, 1, 5, user_id => 'reader')", (MARKET, side)).fetchone()[0])
        while connection.execute("select 1 from pgbook_data.inbox limit 1").fetchone():
            time.sleep(0.0005)
    times = sorted(row[0] for row in connection.execute(
        """select extract(epoch from executed_at - accepted_at)::float8 * 1000000 from pgbook.commands
           where id = any (%s)""", (ids,)))
    return statistics.median(times), times[int(len(times) * 0.99) - 1]


def held(bench, seconds):
    with psycopg.connect(autocommit=True) as trader, psycopg.connect() as reader:
        bench.singles()
        figures = {"direct_before": bench.singles(), "inbox_before": by_sql(trader)}
        reader.execute("set transaction isolation level repeatable read")
        reader.execute("select count(*) from pgbook.orders").fetchone()
        begun, batches = time.monotonic(), trader.execute("select sum(seq) from pgbook.markets").fetchone()[0]
        while time.monotonic() - begun < seconds:
            bench.run("--one", "--orders", 2_000)
            by_sql(trader, 200)
        figures["commands_meanwhile"] = int(
            trader.execute("select sum(seq) from pgbook.markets").fetchone()[0] - batches)
        figures["direct_after"], figures["inbox_after"] = bench.singles(), by_sql(trader)
        reader.rollback()
    for road in ("direct", "inbox"):
        before, after = figures[f"{road}_before"], figures[f"{road}_after"]
        figures[f"{road}_growth"] = after[0] / before[0]
        print(f"{road:8} p50 {before[0]:8.0f} -> {after[0]:8.0f} us   p99 {before[1]:8.0f} -> {after[1]:8.0f} us   "
              f"{after[0] / before[0]:.2f} times, after {seconds} s and {figures['commands_meanwhile']} commands", flush=True)
    return figures


class Again:
    """Runs something again and again in a thread until it is left."""

    def __init__(self, once):
        self.once, self.ends, self.count = once, threading.Event(), 0
        self.thread = threading.Thread(target=self.run)

    def run(self):
        while not self.ends.is_set():
            self.once()
            self.count += 1

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ends.set()
        self.thread.join()


def beside(bench, options, folder):
    def call(*command):
        subprocess.run(list(map(str, command)), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=True)

    def export():
        pathlib.Path(f"{folder}/trades.csv").unlink(missing_ok=True)
        call(options.program, "export", "trades", MARKET, "-o", f"{folder}/trades.csv")

    def analytics():
        with psycopg.connect(autocommit=True) as connection:
            for query in ANALYTICS:
                connection.execute(query).fetchall()

    readers = {
        "pg_dump": lambda: call(options.pg_dump, "--file", f"{folder}/dump.sql"),
        "export": export,
        "analytics": analytics,
    }
    bench.rate(50_000)
    rates = {name: [] for name in ("alone", *readers)}
    for _ in range(options.rounds):
        for name in rates:
            if name == "alone":
                rates[name].append(bench.rate(100_000))
            else:
                with Again(readers[name]):
                    time.sleep(0.2)
                    rates[name].append(bench.rate(100_000))
    alone = statistics.median(rates["alone"])
    figures = {}
    for name, values in rates.items():
        cost = 1 - statistics.median(values) / alone
        figures[name] = {"rates": [round(value) for value in values], "cost": cost}
        print(f"{name:10} {statistics.median(values):8.0f} orders/s ({min(values):.0f}-{max(values):.0f})"
              + ("" if name == "alone" else f"   costs {cost:.1%}"), flush=True)
    return figures


def main():
    parser = argparse.ArgumentParser(prog="scripts/readers")
    parser.add_argument("--program", required=True)
    parser.add_argument("--pg-dump", required=True)
    parser.add_argument("--seconds", type=int, default=180)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    subprocess.run([options.program, "market", "add", MARKET, "--tick", "0.01", "--lot", "0.001"], check=True,
                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    with tempfile.TemporaryDirectory() as folder:
        server = Server(options.program, folder)
        try:
            bench = Bench(options, server)
            figures = held(bench, options.seconds)
            figures["beside"] = beside(bench, options, folder) if options.rounds else {}
        finally:
            server.stop()
    figures["verified"] = subprocess.run(
        [options.program, "verify"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL).returncode == 0
    print("verified" if figures["verified"] else "pgbook verify found a fault", flush=True)
    if options.json:
        print(json.dumps(figures))
    too_slow = max(figures["direct_growth"], figures["inbox_growth"]) > GROWTH_MAX
    too_dear = any(reader["cost"] > COST_MAX for reader in figures["beside"].values())
    sys.exit(1 if too_slow or too_dear or not figures["verified"] else 0)


main()
