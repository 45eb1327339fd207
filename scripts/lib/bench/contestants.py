"""Who is measured: each gives the same figures."""

import json
import os
import pathlib
import subprocess
import tempfile
import time

import psycopg

from . import latency
from .machine import Machine, server_seconds

BASE = "bench_base"


class Fault(Exception):
    """Why nothing can be measured."""


class Setup:
    """What all measurements share: the cluster that libpq's variables name, the programs, a migrated database to copy."""

    def __init__(self, options, progress):
        self.options = options
        self.progress = progress
        self.server = psycopg.connect(autocommit=True)
        path = self.server.execute("show data_directory").fetchone()[0]
        self.postmaster = int((pathlib.Path(path) / "postmaster.pid").read_text().split()[0])
        self.create(BASE, "template0")
        self.run([options.program, "migrate"], BASE)

    def create(self, name, template=BASE):
        self.drop(name)
        self.server.execute(f"create database {name} template {template}")

    def drop(self, name):
        self.server.execute(f"drop database if exists {name} with (force)")

    def script(self, database, name, **variables):
        """Runs a file of sql/bench; {name} stands for a variable."""
        text = (self.options.sql / name).read_text()
        for key, value in variables.items():
            text = text.replace(f":{key}", str(value))
        with psycopg.connect(dbname=database, autocommit=True, application_name=name) as connection:
            connection.execute(text)

    def run(self, command, database, settings="", answers_always=False):
        """Runs a program to its end and gives its standard output; its last line of standard error if it fails, unless
        it answers always."""
        environment = os.environ | {"PGDATABASE": database, "PGOPTIONS": settings}
        with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
            with subprocess.Popen(
                    [str(word) for word in command], stdin=subprocess.DEVNULL, stdout=output, stderr=errors,
                    env=environment) as process:
                try:
                    while process.poll() is None:
                        self.progress.show()
                        try:
                            process.wait(1)
                        except subprocess.TimeoutExpired:
                            pass
                except BaseException:
                    process.kill()
                    raise
            output.seek(0)
            errors.seek(0)
            said, answer = errors.read().strip().splitlines(), output.read()
            if process.returncode and not (answers_always and answer):
                words = " ".join(str(word) for word in command)
                raise Fault(f"{words} ended with code {process.returncode}: {said[-1] if said else answer.strip()}")
            return answer

    def wal(self):
        """Bytes of write-ahead log, and how often it was synced; None where the server does not count that."""
        return self.server.execute(
            "select (pg_current_wal_insert_lsn() - '0/0')::bigint, (to_jsonb(w) ->> 'wal_sync')::bigint"
            " from pg_stat_wal w").fetchone()


class Contestant:
    """One way to execute a flow; `measure` runs it once on a database of its own."""

    def __init__(self, setup, name, flow, orders):
        self.setup = setup
        self.name = name
        self.flow = flow
        self.orders = orders

    def measure(self):
        began, busy, own = time.monotonic(), Machine.busy_seconds(), Machine.children_seconds()
        server = server_seconds(self.setup.postmaster)
        figures = self.run()
        elapsed = time.monotonic() - began
        ours = Machine.children_seconds() - own + server_seconds(self.setup.postmaster) - server
        figures["other_load"] = max(0, Machine.busy_seconds() - busy - ours) / elapsed
        return figures

    def run(self):
        database = "bench_run"
        self.setup.create(database)
        try:
            return self.run_in(database)
        finally:
            self.setup.drop(database)

    def flow_options(self):
        return [*self.flow, "--orders", self.orders]


class Pgbook(Contestant):
    def __init__(self, setup, name, flow, orders, batch, database=None):
        super().__init__(setup, name, flow, orders)
        self.batch = batch
        self.database = database

    def run(self):
        return self.run_in(self.database) if self.database else super().run()

    def run_in(self, database):
        command = [self.setup.options.program, "bench", "pgbook", *self.flow_options(), "--batch", self.batch, "--json"]
        if self.setup.options.verify:
            command.append("--verify")
        return json.loads(self.setup.run(command, database))


class Limit(Contestant):
    def __init__(self, setup, flow, orders, batch):
        super().__init__(setup, "limit", flow, orders)
        self.batch = batch

    def run_in(self, database):
        self.setup.script(database, "limit.sql")
        command = [self.setup.options.program, "bench", "limit", *self.flow_options(), "--batch", self.batch, "--json"]
        return json.loads(self.setup.run(command, database))


class Naive(Contestant):
    def __init__(self, setup, flow, orders, clients):
        super().__init__(setup, f"naive, {clients} client{'s' if clients > 1 else ''}", flow, orders)
        self.clients = clients

    def run_in(self, database):
        setup = self.setup
        setup.script(database, "naive.sql")
        load = [setup.options.program, "bench", "naive-load", *self.flow_options(), "--json"]
        orders = json.loads(setup.run(load, database))["orders"]
        each = orders // self.clients
        setup.script(database, "naive.settle.sql")
        with tempfile.TemporaryDirectory() as folder:
            command = [
                setup.options.pgbench, "--no-vacuum", "--protocol", "prepared", "--client", self.clients, "--jobs",
                self.clients, "--transactions", each, "--file", setup.options.sql / "naive.pgbench.sql", "--log",
                "--log-prefix", f"{folder}/log"]
            setup.server.execute("checkpoint")
            client, server, wal = Machine.children_seconds(), server_seconds(setup.postmaster), setup.wal()
            setup.run(command, database, "-c enable_seqscan=off -c enable_bitmapscan=off")
            client, server = Machine.children_seconds() - client, server_seconds(setup.postmaster) - server
            bytes_, syncs = (after and after - before for after, before in zip(setup.wal(), wal))
            figures = transactions(folder)
        with psycopg.connect(dbname=database) as connection:
            trades, takers = connection.execute(
                "select count(*), count(distinct taker_order) from naive.trades").fetchone()
        return figures | {
            "contestant": "naive", "orders": each * self.clients, "trades": trades, "takers": takers,
            "client_cpu_us": round(client * 1e6), "server_cpu_us": round(server * 1e6), "wal_bytes": bytes_,
            "fsyncs": syncs}


def transactions(folder):
    """The latencies of pgbench's log, and the time from the first begin to the last end."""
    per_client, first, last = {}, None, 0
    for path in pathlib.Path(folder).iterdir():
        for line in path.read_text().splitlines():
            client, _number, taken, _script, seconds, microseconds = (int(field) for field in line.split()[:6])
            ended = seconds * 1_000_000 + microseconds
            per_client.setdefault(client, []).append(taken)
            first = ended - taken if first is None else min(first, ended - taken)
            last = max(last, ended)
    return latency.summary(per_client.values()) | {"elapsed_us": last - first}
