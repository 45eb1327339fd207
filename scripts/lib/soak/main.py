"""Runs the soak: clients, matchers, kills and crashes; then the checks. scripts/soak starts it."""

import argparse
import pathlib
import random
import signal
import subprocess
import sys
import threading
import time

import psycopg

import checks
from client import Client
from http_client import HTTPClient
from matchers import Matchers
from report import Progress, summary
from watcher import Watcher

ANSWER_SECONDS_MAX = 90
DRAIN_SECONDS_MAX = 60
FAULTS_MAX = 20


def arguments():
    parser = argparse.ArgumentParser(prog="scripts/soak", allow_abbrev=False)
    # What scripts/soak adds. Without a program the arguments are only checked.
    for name, kind in (("--program", str), ("--cluster", pathlib.Path), ("--postgres", str)):
        parser.add_argument(name, type=kind, help=argparse.SUPPRESS)
    parser.add_argument("--seconds", type=positive(float), default=60)
    parser.add_argument("--clients", type=positive(int), default=16)
    parser.add_argument("--http-clients", type=int)
    parser.add_argument("--matchers", type=positive(int), default=2)
    parser.add_argument("--kill-every", type=positive(float), default=4)
    parser.add_argument("--cut-every", type=positive(float), default=2)
    parser.add_argument("--restarts", type=int, default=2)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1_000_000))
    options = parser.parse_args()
    if options.http_clients is None:
        options.http_clients = options.clients // 2
    return options


def positive(kind):
    def parse(text):
        value = kind(text)
        if value <= 0:
            raise argparse.ArgumentTypeError(f"{text} is not above zero")
        return value
    parse.__name__ = kind.__name__
    return parse


class Soak:
    def __init__(self, options):
        self.options = options
        self.random = random.Random(options.seed)
        self.folder = options.cluster / "soak"
        self.folder.mkdir()
        self.faults = []
        self.stop_clients = threading.Event()
        self.stop_watcher = threading.Event()
        self.restarts = 0
        self.cuts = 0

    def run(self):
        self.add_users()
        self.matchers = Matchers(self.options.program, self.options.matchers, self.folder, self.faults)
        self.watcher = Watcher(self.stop_watcher, self.faults)
        common = (self.options.seed, self.folder, self.stop_clients, self.faults)
        self.clients = [
            HTTPClient(number, *common, self.matchers.ports) if number <= self.options.http_clients
            else Client(number, *common)
            for number in range(1, self.options.clients + 1)]
        self.progress = Progress(self)
        try:
            for thread in (self.watcher, *self.clients):
                thread.start()
            self.disturb()
            self.finish_clients()
            self.drain()
            self.matchers.stop()
        finally:
            self.stop_clients.set()
            self.stop_watcher.set()
            self.matchers.kill_all()
            self.progress.clear()
        self.watcher.join()
        self.found = checks.check(self.folder, self.watcher.digests)
        self.verify()
        return summary(self)

    def add_users(self):
        """Each client is a user of its own with the rights of a trader, no more."""
        with psycopg.connect() as connection:
            for number in range(1, self.options.clients + 1):
                connection.execute(f"create role soak_{number} login in role pgbook_trader")

    def disturb(self):
        """Kills, cuts and crashes until the time is up."""
        seconds = self.options.seconds
        self.began = time.monotonic()
        crashes = [
            seconds * (number + self.random.uniform(0.3, 0.7)) / self.options.restarts
            for number in range(self.options.restarts)]
        kill, cut = self.after(0, self.options.kill_every), self.after(0, self.options.cut_every)
        while (now := time.monotonic() - self.began) < seconds:
            self.matchers.tend()
            if crashes and now >= crashes[0]:
                crashes.pop(0)
                self.crash()
            elif now >= kill:
                self.matchers.kill(self.random.randrange(self.options.matchers))
                kill = self.after(now, self.options.kill_every)
            elif now >= cut:
                self.cut()
                cut = self.after(now, self.options.cut_every)
            if len(self.faults) >= FAULTS_MAX:
                break
            self.progress.show()
            time.sleep(0.05)
        self.seconds = time.monotonic() - self.began

    def after(self, now, every):
        return now + every * self.random.uniform(0.5, 1.5)

    def crash(self):
        """PostgreSQL ends without a checkpoint, as after a power cut, and recovers from its log."""
        result = subprocess.run(
            [self.options.postgres, "restart", "--dir", self.options.cluster, "-m", "immediate"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True, text=True)
        self.restarts += 1
        if result.returncode != 0:
            self.faults.append(f"PostgreSQL did not come back: {result.stdout.strip()}")

    def cut(self):
        """Ends some client's connection in the middle of whatever it does."""
        name = self.random.choice(self.clients).name
        try:
            with psycopg.connect(autocommit=True) as connection:
                self.cuts += connection.execute(
                    "select count(pg_terminate_backend(pid)) from pg_stat_activity where application_name = %s",
                    [name]).fetchone()[0]
        except psycopg.OperationalError as error:
            self.faults.append(f"the database does not answer: {error}")

    def finish_clients(self):
        self.stop_clients.set()
        deadline = time.monotonic() + ANSWER_SECONDS_MAX
        for client in self.clients:
            client.join(max(0, deadline - time.monotonic()))
            if client.is_alive():
                self.faults.append(f"{client.name} got no answer within {ANSWER_SECONDS_MAX} s of the end")

    def drain(self):
        """Waits until nothing waits any more."""
        deadline = time.monotonic() + DRAIN_SECONDS_MAX
        with psycopg.connect(autocommit=True) as connection:
            while count := connection.execute("select count(*) from pgbook_data.inbox").fetchone()[0]:
                if time.monotonic() > deadline:
                    self.faults.append(f"{count} commands still wait {DRAIN_SECONDS_MAX} s after the end")
                    return
                self.matchers.tend()
                time.sleep(0.05)

    def verify(self):
        result = subprocess.run(
            [self.options.program, "verify", "--market", "SOAK"], stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.verified = result.returncode == 0
        if not self.verified:
            self.faults.append(f"pgbook verify ended with code {result.returncode}:\n{result.stdout.strip()}")


def main():
    options = arguments()
    if options.program is None:
        return 0
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    print(f"seed {options.seed}", flush=True)
    try:
        return 0 if Soak(options).run() else 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
