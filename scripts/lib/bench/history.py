"""What the trade history gives and costs: export, candles, keeping them, many chunks."""

import datetime
import filecmp
import json
import os
import pathlib
import re
import subprocess
import tempfile
import time

import psycopg

from .contestants import Contestant, Fault, transactions
from .machine import server_seconds

NAMES = ["export", "candles", "ingest", "chunks"]
TRADES = "bench_trades"
FIRST_DAY = datetime.datetime(2025, 10, 12, tzinfo=datetime.timezone.utc)
DAYS = 30


def plan(name, setup, plan):
    """Fills a plan with the contestants of one of these flows."""
    quick = setup.options.quick
    match name:
        case "export":
            history(setup, TRADES, 100_000 if quick else 10_000_000, DAYS)
            plan.contestants = [Export(setup), Copy(setup)]
            compare(plan, "pgbook export ÷ psql", "pgbook export", "psql")
        case "candles":
            history(setup, TRADES, 100_000 if quick else 10_000_000, DAYS)
            last = FIRST_DAY + datetime.timedelta(days=DAYS)
            near, month = (last - datetime.timedelta(minutes=500), last), (FIRST_DAY, last)
            # Of 10,000,000 trades a bucket query takes many seconds.
            few, many = (1, 20) if quick else (2, 200)
            plan.contestants = [
                Query(setup, "last 500 × 1m", "candles", near, many),
                Query(setup, "last 500, buckets", "buckets_last", near, few),
                Query(setup, "of that time, buckets", "buckets", near, many),
                Query(setup, "30 d of 1m", "candles", month, many // 10),
                Query(setup, "30 d of 1m, buckets", "buckets", month, few),
                Query(setup, "30 d of 1m, rows", "rows", month, many // 10),
                Query(setup, "rows, buckets", "rows_buckets", month, few),
                Query(setup, "30 d of 1h", "candles", month, many, width="1h"),
                Query(setup, "30 d of 1h, buckets", "buckets", month, few, width="1h")]
            compare(plan, "last 500 of 1m: time_bucket ÷ candles", "last 500, buckets", "last 500 × 1m")
            compare(plan, "  with the time's bounds given", "of that time, buckets", "last 500 × 1m")
            compare(plan, "30 days of 1m: time_bucket ÷ candles", "30 d of 1m, buckets", "30 d of 1m")
            compare(plan, "  both in ticks and lots", "rows, buckets", "30 d of 1m, rows")
            compare(plan, "30 days of 1h: time_bucket ÷ candles", "30 d of 1h, buckets", "30 d of 1h")
        case "ingest":
            # As dense as ten million in thirty days.
            trades = 33_333 if quick else 333_333
            plan.contestants = [Ingest(setup, "with candles", trades, []), Ingest(setup, "without", trades, ["--no-candles"])]
            compare(plan, "with candles ÷ without", "with candles", "without")
        case "chunks":
            per_day, many = 2_000, 200 if quick else 2_000
            history(setup, "bench_few", per_day * DAYS, DAYS)
            history(setup, "bench_many", per_day * many, many)
            for title, query, width in (("vwap", "vwap", "1d"), ("1s candles", "candles", "1s")):
                # The last whole day but one of each.
                pair = [
                    Query(setup, f"{title}, {days} chunks", query, day(days - 2), 30 if quick else 300, database, width)
                    for days, database in ((DAYS, "bench_few"), (many, "bench_many"))]
                plan.contestants += pair
                compare(plan, f"one day's {title}: speed with {many:,} chunks ÷ with {DAYS}", pair[0].name, pair[1].name)
    return plan


def compare(plan, label, above, below):
    plan.ratios.append((label, "elapsed_us", [above], [below]))


def day(number):
    begin = FIRST_DAY + datetime.timedelta(days=number)
    return begin, begin + datetime.timedelta(days=1)


def history(setup, database, trades, days):
    """Makes a database with one market's history, once."""
    found = setup.server.execute("select 1 from pg_database where datname = %s", (database,)).fetchone()
    if found:
        return
    setup.progress.begin(f"making {trades:,} trades in {days:,} days")
    setup.create(database)
    made = json.loads(setup.run(
        [setup.options.program, "bench", "trades", "--trades", trades, "--days", days, "--from",
         FIRST_DAY.date().isoformat(), "--batch", 5_000, "--json"], database))
    # As it is when it is old, so that no vacuum falls into a measurement.
    with psycopg.connect(dbname=database, autocommit=True) as connection:
        connection.execute("vacuum (freeze, analyze)")
    setup.progress.clear()
    print(f"made {trades:,} trades in {days:,} days, seed {made['seed']}", flush=True)


class Export(Contestant):
    """pgbook export trades, into a file."""

    def __init__(self, setup):
        super().__init__(setup, "pgbook export", [], 0)

    def command(self, file):
        return [self.setup.options.program, "export", "trades", "-o", file]

    def run(self):
        folder = export_folder(self.setup)
        file = folder / f"{self.name.split()[0]}.csv"
        file.unlink(missing_ok=True)
        self.setup.server.execute("checkpoint")
        server, began = server_seconds(self.setup.postmaster), time.monotonic()
        usage, peak = self.timed(self.command(file), file)
        elapsed = time.monotonic() - began
        other = folder / ("psql.csv" if file.name == "pgbook.csv" else "pgbook.csv")
        if other.exists() and not filecmp.cmp(file, other, shallow=False):
            raise Fault(f"{file} and {other} are not the same")
        rows = trade_count(TRADES)
        return {
            "orders": rows, "trades": rows, "elapsed_us": elapsed * 1e6,
            "client_cpu_us": (usage.ru_utime + usage.ru_stime) * 1e6,
            "server_cpu_us": (server_seconds(self.setup.postmaster) - server) * 1e6, "wal_bytes": None, "fsyncs": None,
            "rss_peak_bytes": peak}

    def timed(self, command, file):
        """Runs it to its end and gives what it used, and how much memory at most."""
        with open(f"{file}.log", "wb") as log:
            process = subprocess.Popen(
                [str(word) for word in command], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env=os.environ | {"PGDATABASE": TRADES})
            peak, ended = 0, 0
            while not ended:
                peak = max(peak, memory_peak(process.pid))
                ended, status, usage = os.wait4(process.pid, os.WNOHANG)
                time.sleep(0 if ended else 0.02)
            process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise Fault(f"{command[0]} ended with code {process.returncode}: {pathlib.Path(f'{file}.log').read_text()}")
        return usage, peak


class Copy(Export):
    """psql, with the query whose bytes are the same."""

    def __init__(self, setup):
        super().__init__(setup)
        self.name = "psql"

    def command(self, file):
        psql = self.setup.options.pgbench.parent / "psql"
        return [psql, "-XqAt", "-f", self.setup.options.sql / "export_trades.sql", "-o", file]


def memory_peak(process):
    """Bytes; 0 once it has ended. What wait4 tells counts the program that started it."""
    try:
        status = pathlib.Path(f"/proc/{process}/status").read_text()
    except OSError:
        return 0
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    return int(found[1]) * 1024 if found else 0


def export_folder(setup):
    if not hasattr(setup, "export_files"):
        setup.export_files = tempfile.TemporaryDirectory()
    return pathlib.Path(setup.export_files.name)


def trade_count(database):
    with psycopg.connect(dbname=database) as connection:
        return connection.execute("select sum(trades)::bigint from pgbook_data.candles_1m").fetchone()[0]


class Query(Contestant):
    """A query over and over on one connection, by pgbench: the median time from sending it to its last row."""

    def __init__(self, setup, name, query, between, times, database=TRADES, width="1m"):
        super().__init__(setup, name, [], times)
        self.query = query
        self.between = between
        self.database = database
        self.width = width

    def run(self):
        setup = self.setup
        begin, end = (moment.isoformat() for moment in self.between)
        with tempfile.TemporaryDirectory() as folder:
            # The first finds the files of the table in nobody's memory.
            for times, log in ((1, []), (self.orders, ["--log", "--log-prefix", f"{folder}/log"])):
                setup.run(
                    [setup.options.pgbench, "--no-vacuum", "--protocol", "extended", "--client", 1, "--transactions",
                     times, "--file", setup.options.sql / "queries" / f"{self.query}.sql", "--define", f"from={begin}",
                     "--define", f"to={end}", "--define", f"width={self.width}", *log], self.database)
            figures = transactions(folder)
        return figures | {
            "orders": 1, "trades": None, "elapsed_us": figures["p50_us"], "client_cpu_us": None,
            "server_cpu_us": None, "wal_bytes": None, "fsyncs": None}


class Ingest(Contestant):
    """Trades stored in batches."""

    def __init__(self, setup, name, trades, options):
        super().__init__(setup, name, options, trades)

    def run_in(self, database):
        return json.loads(self.setup.run(
            [self.setup.options.program, "bench", "trades", "--trades", self.orders, "--days", 1, "--batch",
             self.setup.options.batch, *self.flow, "--json"], database)) | {"fsyncs": None}
