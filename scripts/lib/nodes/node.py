"""One node: a PostgreSQL, a server and a sidecar."""

import json
import os
import shlex
import signal
import subprocess

from .processes import Process, free_port

DATABASE = "pgbook"
# What a node's processes log in as: no superuser.
SERVING_USER = "pgbook_server"


class Fault(Exception):
    """What cannot go on, in one line."""


class Node:
    def __init__(self, name, folder, program, postgres, port=None):
        self.name = name
        self.folder = folder
        self.program = program
        self.postgres = postgres
        self.data = folder / "postgres"
        self.config = folder / "config"
        self.port = port or free_port()
        # What its processes are started by.
        self.by = []
        self.environment = None
        self.server = None
        self.sidecar = None

    # The database

    def start_database(self):
        run([*self.by, self.postgres, "start", "--dir", self.data])
        told = run([self.postgres, "env", "--dir", self.data])
        variables = dict(word.split("=", 1) for word in shlex.split(told, comments=True) if "=" in word)
        clean = {name: value for name, value in os.environ.items() if not name.startswith("PG") or name.startswith("PGBOOK")}
        clean.pop("DATABASE_URL", None)
        self.environment = clean | variables | {"PGDATABASE": DATABASE}

    def make_database(self):
        self.start_database()
        found = self.psql(f"select count(*) from pg_database where datname = '{DATABASE}'", database="postgres")
        if found.strip() == "0":
            self.psql(f"create database {DATABASE}", database="postgres")
        self.pgbook("migrate")
        found = self.psql(f"select count(*) from pg_roles where rolname = '{SERVING_USER}'")
        if found.strip() == "0":
            self.psql(f"create role {SERVING_USER} login in role pgbook_node")

    def psql(self, sql, database=DATABASE):
        return run([self.postgres, "psql", "--dir", self.data, "-XqAt", "-v", "ON_ERROR_STOP=1", "-d", database, "-c", sql])

    def conninfo(self):
        known = {"PGHOST": "host", "PGPORT": "port", "PGUSER": "user", "PGPASSWORD": "password"}
        words = [f"{word}={self.environment[name]}" for name, word in known.items() if name in self.environment]
        return " ".join([*words, f"dbname={DATABASE}"])

    def postmaster(self):
        return int((self.data / "data" / "postmaster.pid").read_text().split()[0])

    def kill(self):
        """Everything, without warning."""
        for process in (self.server, self.sidecar):
            process.kill()
        self.kill_database()

    def kill_database(self):
        """Without warning: the postmaster and, by its death, all others."""
        # Those that stand still would not notice.
        self.signal_database(signal.SIGCONT)
        os.kill(self.postmaster(), signal.SIGKILL)

    def signal_database(self, number):
        """To all its processes that there are now."""
        postmaster = self.postmaster()
        children = subprocess.run(["pgrep", "-P", str(postmaster)], capture_output=True, text=True).stdout.split()
        for process in [postmaster, *map(int, children)]:
            try:
                os.kill(process, number)
            except ProcessLookupError:
                pass

    # The processes

    def prepare(self, serve=(), gossip=()):
        serving = self.environment | {"PGUSER": SERVING_USER}
        self.server = Process(
            f"{self.name} server", [*self.by, self.program, "serve", "--log-level", "warning", "--port", self.port, *serve],
            serving, self.folder / "serve.log")
        self.sidecar = Process(
            f"{self.name} sidecar", [*self.by, self.program, "gossip", "--config", self.config, *gossip],
            serving, self.log)

    def start(self):
        for process in (self.sidecar, self.server):
            if not process.runs and not process.held:
                process.start()

    def stop(self):
        return [fault for fault in (self.server.stop(), self.sidecar.stop()) if fault]

    @property
    def log(self):
        """The sidecar's."""
        return self.folder / "gossip.log"

    # Asking

    def pgbook(self, *words, check=True):
        return run([self.program, *words], self.environment, check)

    def status(self):
        """What `pgbook status --json` says, or None where the database does not answer."""
        try:
            said = self.pgbook("status", "--json", check=False)
            return json.loads(said.splitlines()[0])
        except (Fault, ValueError, IndexError):
            return None


def run(command, environment=None, check=True):
    words = [str(word) for word in command]
    done = subprocess.run(
        words, stdin=subprocess.DEVNULL, capture_output=True, text=True, env=environment, errors="replace")
    if check and done.returncode:
        said = (done.stderr.strip() or done.stdout.strip() or "it said nothing").splitlines()[-1]
        raise Fault(f"{os.path.basename(words[0])} {' '.join(words[1:4])} ended with code {done.returncode}: {said}")
    return done.stdout
