"""Measures a bystander alone and beside each attack."""

import argparse
import json
import multiprocessing
import os
import re
import signal
import subprocess
import sys
import tempfile
import time

import psycopg

from . import wire
from .attacks import ATTACKS, MARKET

PAUSE_SECONDS = 0.02
TOKEN = "the-token-of-the-bystander"
START_SECONDS_MAX = 60
SETTLE_SECONDS = 1.0
BEGIN_SECONDS = 2.0
SETTLE_SECONDS_MAX = 60
WAL_FILES = 60
# Of these nothing is left for others of the same address.
FROM_ELSEWHERE = ("sockets",)


def parse():
    parser = argparse.ArgumentParser(prog="scripts/crowd", add_help=False)
    parser.add_argument("attacks", nargs="*", metavar="ATTACK")
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--times", type=float, default=5)
    parser.add_argument("--markets", type=int, default=64)
    parser.add_argument("--json")
    parser.add_argument("--program")
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    for name in options.attacks:
        if name not in ATTACKS:
            parser.error(f"'{name}' is no attack; there are {', '.join(ATTACKS)}")
    return options


class Server:
    """A server of its own, whose log is kept until the end."""

    def __init__(self, program, *options):
        self.log = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(
            [program, "serve", "--port", "0", *options], stderr=self.log, stdin=subprocess.DEVNULL)
        deadline = time.monotonic() + START_SECONDS_MAX
        while True:
            found = re.search(r"port=(\d+) \[pgbook\] listening", self.text())
            if found:
                self.port = int(found[1])
                break
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(f"the server did not start: {self.text()}")
            time.sleep(0.05)

    def text(self):
        self.log.seek(0)
        return self.log.read()

    def memory(self):
        with open(f"/proc/{self.process.pid}/status") as status:
            return int(re.search(r"VmRSS:\s+(\d+)", status.read())[1]) // 1024

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        if self.process.wait(30) != 0:
            raise SystemExit(f"the server ended with {self.process.returncode}: {self.text()[-2000:]}")


def measure(port, seconds, token, source, answers):
    """Places an order each PAUSE_SECONDS and cancels it when it has heard of it; in a process of its own."""
    socket = wire.Socket(port, [f"Authorization: Bearer {token}"] if token else [], source)
    socket.send(type="subscribe", securities=[])
    while socket.next()["type"] != "subscribed":
        pass
    latencies, number, end = [], 0, time.monotonic() + seconds
    while time.monotonic() < end:
        number += 1
        name, began = f"b{os.getpid()}-{number}", time.monotonic()
        socket.send(type="add", security=MARKET, side="bid", amount="1", price="1", clientOrderId=name)
        while True:
            heard = socket.next()
            if heard["type"] == "error":
                raise OSError(f"the bystander is told: {heard}")
            if heard.get("clientOrderId") == name and heard.get("status") == "open":
                break
        latencies.append(time.monotonic() - began)
        socket.send(type="delete", id=heard["id"])
        time.sleep(max(0, PAUSE_SECONDS - (time.monotonic() - began)))
    socket.close()
    answers.put(latencies)


def bystander(port, seconds, token, source="127.0.0.1"):
    answers = multiprocessing.Queue()
    process = multiprocessing.Process(target=measure, args=(port, seconds, token, source, answers))
    process.start()
    try:
        latencies = answers.get(timeout=seconds * 4 + 30)
    except Exception:
        process.kill()
        return None
    process.join()
    return sorted(latencies)


def attack(function, port, stop, done):
    wire.be_nice()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        done.put(function(port, stop))
    except OSError as error:
        done.put(f"gave up: {error}")


def percentile(latencies, part):
    return latencies[min(len(latencies) - 1, int(len(latencies) * part))] * 1000


def settle(port, token, p50):
    """Waits until what an attack left in line is worked off."""
    deadline = time.monotonic() + SETTLE_SECONDS_MAX
    time.sleep(SETTLE_SECONDS)
    while time.monotonic() < deadline:
        latencies = bystander(port, SETTLE_SECONDS, token)
        if latencies and percentile(latencies, 0.5) < 2 * p50:
            return
    raise SystemExit(f"the server has not come to rest in {SETTLE_SECONDS_MAX} s after the attack")


def trial(name, server, seconds, token):
    source = "127.0.0.2" if name in FROM_ELSEWHERE else "127.0.0.1"
    quiet = bystander(server.port, seconds, token, source)
    function, count = ATTACKS[name]
    stop, done = multiprocessing.Event(), multiprocessing.Queue()
    attackers = [multiprocessing.Process(target=attack, args=(function, server.port, stop, done)) for _ in range(count)]
    for each in attackers:
        each.start()
    time.sleep(BEGIN_SECONDS)
    crowded = bystander(server.port, seconds, token, source)
    memory = server.memory()
    stop.set()
    counts = [done.get(timeout=30) for _ in attackers]
    for each in attackers:
        each.join()
    settle(server.port, token, percentile(quiet, 0.5))
    words = [count for count in counts if isinstance(count, str)]
    figures = {
        "attack": name, "attempts": sum(count for count in counts if not isinstance(count, str)), "said": words,
        "memory_mb": memory, "quiet_p50_ms": percentile(quiet, 0.5), "quiet_p99_ms": percentile(quiet, 0.99)}
    if crowded:
        figures |= {"p50_ms": percentile(crowded, 0.5), "p99_ms": percentile(crowded, 0.99), "orders": len(crowded)}
        figures["ratio"] = figures["p99_ms"] / figures["quiet_p99_ms"]
    return figures


def show(figures, times):
    if "ratio" not in figures:
        line, verdict = "the bystander was kept from it", "FAILS"
    else:
        line = (f"{figures['quiet_p50_ms']:8.1f} {figures['quiet_p99_ms']:8.1f} {figures['p50_ms']:8.1f} "
                f"{figures['p99_ms']:8.1f} {figures['ratio']:6.1f}")
        verdict = "" if figures["ratio"] <= times else "FAILS"
    print(f"{figures['attack']:12} {figures['attempts']:>10} {figures['memory_mb']:>6}  {line}  {verdict}"
          + "".join(f"  {words}" for words in figures["said"]), flush=True)


def prepare(connection):
    """Leaves WAL files to be used again, as a database has that has run for a while: making one takes 50 ms."""
    connection.execute("alter system set min_wal_size = '1GB'")
    connection.execute("select pg_reload_conf()")
    for _ in range(WAL_FILES):
        connection.execute("select pg_logical_emit_message(false, 'crowd', 'x'), pg_switch_wal()")
    connection.execute("checkpoint")


def main():
    options = parse()
    if options.check:
        return 0
    with psycopg.connect(autocommit=True) as connection:
        prepare(connection)
        for name in [MARKET, *(f"M{number:05}" for number in range(options.markets))]:
            connection.execute("select pgbook.add_market(%s, 0.01, 0.001)", [name])
    results = []
    print(f"{'attack':12} {'attempts':>10} {'MB':>6}  {'p50 ms':>8} {'p99 ms':>8} {'p50 ms':>8} {'p99 ms':>8} {'times':>6}")
    print(f"{'':30}  {'alone':>17} {'beside':>17}", flush=True)
    names = options.attacks or list(ATTACKS)
    with tempfile.NamedTemporaryFile("w", suffix=".tokens") as tokens:
        tokens.write(f"{TOKEN} bystander\n")
        tokens.flush()
        for isGuessed in (False, True):
            chosen = [name for name in names if (name == "guesses") == isGuessed]
            if not chosen:
                continue
            server = Server(options.program, *(["--tokens", tokens.name] if isGuessed else []))
            bystander(server.port, 2, TOKEN if isGuessed else None)
            for name in chosen:
                results.append(trial(name, server, options.seconds, TOKEN if isGuessed else None))
                show(results[-1], options.times)
            server.stop()
    if options.json:
        with open(options.json, "w") as file:
            json.dump(results, file, indent=1)
    return 0 if all(each.get("ratio", options.times + 1) <= options.times for each in results) else 1


if __name__ == "__main__":
    sys.exit(main())
