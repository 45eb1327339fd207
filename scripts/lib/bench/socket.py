"""Flows through a running server: over WebSocket with `pgbook bench socket`, and over libpq with pgbench."""

import json
import os
import pathlib
import re
import socket
import statistics
import subprocess
import tempfile
import threading
import time
import urllib.error
import urllib.request

import psycopg

from . import contestants
from .contestants import Contestant, Fault, Naive
from .machine import TICKS_PER_SECOND, process, server_seconds

NAMES = ["one", "clients", "paced", "memory"]
MARKET = "BENCH"
READY_SECONDS_MAX = 30
DRAIN_SECONDS_MAX = 120
STOP_SECONDS_MAX = 20


def plan(name, setup, plan):
    """Fills a plan with the contestants of one of these flows."""
    options = setup.options
    quick = options.quick
    match name:
        case "one":
            orders = options.orders or (300 if quick else 5_000)
            naive = Naive(setup, ["--flow", "crossing"], orders, 1)
            over_socket = OneSocket(setup, "pgbook, WebSocket", orders)
            plan.contestants = [over_socket, naive, OnePlace(setup, "place_order, to its commit", orders)]
            plan.ratios = [("p50 of pgbook ÷ naive", "p50_us", [over_socket.name], [naive.name])]
        case "clients":
            plan.contestants = [
                part for count in (16, 256) for part in Parts.of(Crowd(setup, count, 2 if quick else 10))]
        case "paced":
            plan.contestants = Parts.of(Paced(setup, 2 if quick else 20))
        case "memory":
            plan.rounds_max = 1
            plan.contestants = [Memory(setup, "pgbook, WebSocket", options.orders or (50_000 if quick else 2_000_000))]
    return plan


class Server:
    """`pgbook serve` on a database, with its own port and log."""

    def __init__(self, setup, database, folder):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.setup = setup
        self.log = pathlib.Path(folder) / "serve.log"
        command = [setup.options.program, "serve", "--port", str(self.port), "--log-level", "warning"]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=os.environ | {"PGDATABASE": database})

    def __enter__(self):
        deadline = time.monotonic() + READY_SECONDS_MAX
        while not self.answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                raise Fault(f"pgbook serve is not ready: {self.last_words()}")
            time.sleep(0.05)
        return self

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            self.kill()
            raise Fault(f"pgbook serve did not end within {STOP_SECONDS_MAX} s of SIGTERM") from None

    def kill(self):
        self.process.kill()
        self.process.wait()

    def answers(self):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/ready", timeout=2) as answer:
                return answer.status == 200
        except (urllib.error.URLError, OSError):
            return False

    def last_words(self):
        lines = self.log.read_text(errors="replace").strip().splitlines()
        return lines[-1] if lines else "it said nothing"

    def complaints(self):
        return len(self.log.read_text(errors="replace").splitlines())

    def memory(self):
        """MiB resident now, and at most so far."""
        text = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return tuple(int(re.search(rf"{name}:\s+(\d+) kB", text)[1]) / 1024 for name in ("VmRSS", "VmHWM"))

    def cpu_seconds(self):
        return process(self.process.pid)["ticks"] / TICKS_PER_SECOND


class Served(Contestant):
    """Something that runs against a server on a database of its own, and ends with a proof."""

    def __init__(self, setup, name, orders=0):
        super().__init__(setup, name, [], orders)

    def run_in(self, database):
        setup = self.setup
        setup.run([setup.options.program, "market", "add", MARKET, "--tick", "0.01", "--lot", "0.001"], database)
        errors = ServerLog(setup)
        with tempfile.TemporaryDirectory() as folder, Server(setup, database, folder) as server:
            figures = self.drive(server, database)
            with psycopg.connect(dbname=database, autocommit=True) as connection:
                drain(connection)
            figures["complaints"] = server.complaints()
        figures["errors_logged"] = errors.count()
        if setup.options.verify:
            figures["verified"] = self.is_proved(database)
        return figures

    def is_proved(self, database):
        try:
            self.setup.run([self.setup.options.program, "verify"], database)
        except Fault as fault:
            print(f"  {fault}", flush=True)
            return False
        return True

    def drive(self, server, database):
        raise NotImplementedError

    def measured(self, server, database, load):
        """Runs a load; adds to its figures what it cost."""
        setup, before = self.setup, trade_count(database)
        # What ran before leaves pages that the kernel writes half a minute later, all at once, and commits wait for that.
        setup.server.execute("checkpoint")
        os.sync()
        cpu, postgres, wal = server.cpu_seconds(), server_seconds(setup.postmaster), setup.wal()
        start, _ = server.memory()
        figures = load()
        cpu, postgres = server.cpu_seconds() - cpu, server_seconds(setup.postmaster) - postgres
        bytes_, syncs = (after and after - before for after, before in zip(setup.wal(), wal))
        end, peak = server.memory()
        return figures | {
            "contestant": "pgbook serve", "trades": trade_count(database) - before, "client_cpu_us": round(cpu * 1e6),
            "server_cpu_us": round(postgres * 1e6), "wal_bytes": bytes_, "fsyncs": syncs,
            "memory_start_mib": start, "memory_end_mib": end, "rss_peak_bytes": round(peak * 2**20)}

    def load(self, server, database, *options):
        """`pgbook bench socket`; failed orders are counted."""
        command = [
            self.setup.options.program, "bench", "socket", "--port", server.port, "--market", MARKET, "--json", *options]
        return socket_figures(json.loads(self.setup.run(command, database, answers_always=True).splitlines()[0]))

    def pgbench(self, database, clients, folder, *options):
        command = [
            self.setup.options.pgbench, "--no-vacuum", "--protocol", "prepared", "--client", clients, "--file",
            self.setup.options.sql / "place.pgbench.sql", "--log", "--log-prefix", f"{folder}/log", *options]
        said = self.setup.run(command, database)
        failed = re.search(r"number of failed transactions: (\d+)", said)
        count = int(re.search(r"number of transactions actually processed: (\d+)", said)[1])
        return contestants.transactions(folder) | {"orders": count, "failed": int(failed[1]) if failed else 0}


def socket_figures(answer):
    times = answer["latency_us"]
    return {
        "orders": answer["measured"], "elapsed_us": answer["milliseconds"] * 1000, "p50_us": times["p50"],
        "p99_us": times["p99"], "p999_us": times["p999"], "max_us": times["max"], "sent": answer["sent"],
        "sent_late": answer["sent_late"], "statuses": answer["statuses"],
        "failed": answer["timeouts"] + sum(answer["errors"].values())}


def trade_count(database):
    with psycopg.connect(dbname=database) as connection:
        return connection.execute("select coalesce(sum(trade_id), 0)::bigint from pgbook_data.market_state").fetchone()[0]


def drain(connection):
    """Waits until every command is executed."""
    deadline = time.monotonic() + DRAIN_SECONDS_MAX
    while waiting := connection.execute("select count(*) from pgbook_data.inbox").fetchone()[0]:
        if time.monotonic() > deadline:
            raise Fault(f"{waiting} commands still wait after {DRAIN_SECONDS_MAX} s; the matcher does not get on")
        time.sleep(0.05)


class ServerLog:
    """Errors that PostgreSQL logs from now on."""

    def __init__(self, setup):
        data, folder = setup.server.execute(
            "select current_setting('data_directory'), current_setting('log_directory')").fetchone()
        self.folder = pathlib.Path(data) / folder
        self.sizes = {path: path.stat().st_size for path in self.folder.glob("*.log")}

    def count(self):
        found = 0
        for path in self.folder.glob("*.log"):
            with path.open(errors="replace") as file:
                file.seek(self.sizes.get(path, 0))
                found += sum(bool(re.search(r"\b(ERROR|FATAL|PANIC):", line)) for line in file)
        return found


class OneSocket(Served):
    def drive(self, server, database):
        warmup = min(200, self.orders // 4)
        return self.measured(server, database, lambda: self.load(
            server, database, "--one", "--orders", self.orders + warmup, "--warmup", warmup))


class OnePlace(Served):
    """What place_order takes until it has committed; the outcome comes later."""

    def drive(self, server, database):
        def load():
            with tempfile.TemporaryDirectory() as folder:
                return self.pgbench(database, 1, folder, "--transactions", self.orders)
        return self.measured(server, database, load)


class Parts(Contestant):
    """One figure of a run that gives several: whoever is asked first runs it for all."""

    @staticmethod
    def of(run):
        stash = {}
        return [Parts(run, name, stash) for name in run.names]

    def __init__(self, run, name, stash):
        super().__init__(run.setup, name, [], run.orders)
        self.whole = run
        self.stash = stash

    def measure(self):
        if self.name not in self.stash:
            figures = self.whole.measure()
            common = {key: value for key, value in figures.items() if key not in self.whole.names}
            for name in self.whole.names:
                self.stash[name] = common | figures[name]
        return self.stash.pop(self.name)


class Crowd(Served):
    """Many connections at once: a quarter sockets, the others libpq."""

    OUTSTANDING = 4

    def __init__(self, setup, count, seconds):
        super().__init__(setup, f"{count} clients")
        self.sockets = count // 4
        self.sessions = count - self.sockets
        self.seconds = seconds
        self.names = [
            f"{count} clients", f"of {count}: {self.sockets} over WebSocket", f"of {count}: {self.sessions} over libpq"]

    def drive(self, server, database):
        over_socket, over_libpq = {}, {}

        def load():
            with tempfile.TemporaryDirectory() as folder:
                jobs = [
                    Job(over_socket, lambda: self.load(
                        server, database, "--clients", self.sockets, "--outstanding", self.OUTSTANDING, "--duration",
                        f"{self.seconds}s", "--orders", 100_000_000)),
                    Job(over_libpq, lambda: self.pgbench(database, self.sessions, folder, "--time", self.seconds))]
                for job in jobs:
                    job.start()
                for job in jobs:
                    job.finish()
            return {"orders": over_socket["orders"] + over_libpq["orders"], "elapsed_us": over_socket["elapsed_us"]}

        together = self.measured(server, database, load)
        # What it costs and gives cannot be told apart.
        unknown = {"trades": 0} | dict.fromkeys(("wal_bytes", "fsyncs", "client_cpu_us", "server_cpu_us"))
        return dict(zip(self.names, (together, over_socket | unknown, over_libpq | unknown)))


class Job(threading.Thread):
    def __init__(self, figures, work):
        super().__init__()
        self.figures = figures
        self.work = work
        self.fault = None

    def run(self):
        try:
            self.figures.update(self.work())
        except (Fault, OSError, ValueError, TypeError) as fault:
            self.fault = fault

    def finish(self):
        self.join()
        if self.fault:
            raise self.fault


class Paced(Served):
    """The most that the server does in a closed loop, then latencies at parts of it in an open loop."""

    PERCENTS = (10, 50, 80)
    #: Clients, and orders of each that are unanswered.
    SHAPES = ((8, 64), (8, 256))

    def __init__(self, setup, seconds):
        super().__init__(setup, "paced")
        self.seconds = seconds
        self.names = ["maximum", *(f"at {percent} %" for percent in self.PERCENTS)]

    def drive(self, server, database):
        best = None
        for clients, outstanding in self.SHAPES:
            figures = self.measured(server, database, lambda: self.load(
                server, database, "--clients", clients, "--outstanding", outstanding, "--duration",
                f"{max(2, self.seconds // 2)}s", "--orders", 100_000_000))
            if best is None or rate(figures) > rate(best):
                best = figures
        result = {"maximum": best}
        for percent, name in zip(self.PERCENTS, self.names[1:]):
            result[name] = self.measured(server, database, lambda: self.load(
                server, database, "--clients", 8, "--rate", max(1, rate(best) * percent // 100), "--duration",
                f"{self.seconds}s", "--seed", percent))
        return result


def rate(figures):
    return figures["orders"] * 1_000_000 // max(1, figures["elapsed_us"])


class Memory(Served):
    """The server's memory while it takes in many commands."""

    def drive(self, server, database):
        samples, stop = [], threading.Event()

        def watch():
            while not stop.wait(1):
                samples.append(server.memory()[0])

        watcher = threading.Thread(target=watch)
        watcher.start()
        try:
            figures = self.measured(server, database, lambda: self.load(
                server, database, "--clients", 8, "--outstanding", 64, "--orders", self.orders))
        finally:
            stop.set()
            watcher.join()
        samples = samples or [server.memory()[0]]
        size = max(1, -(-len(samples) // 4))
        quarters = [statistics.median(samples[at:at + size]) for at in range(0, len(samples), size)]
        return figures | {
            "memory_quarters_mib": quarters, "memory_max_mib": max(samples),
            "note": f"resident MiB: at start {figures['memory_start_mib']:.1f}, median of each quarter "
                    f"{', '.join(f'{value:.1f}' for value in quarters)}, at most {max(samples):.1f}"}


def check(name, figures, faults):
    """What must hold of every measurement of these flows."""
    for contestant, measured in figures.items():
        for key, what in (
                ("failed", "failed orders"), ("errors_logged", "errors in PostgreSQL's log"),
                ("complaints", "warnings of pgbook serve")):
            if measured.get(key):
                faults.append(f"{name}: {contestant}: {measured[key]} {what}")
