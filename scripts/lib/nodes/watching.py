"""How a node stands and what its processes take, looked at often."""

import pathlib
import re
import time

import psycopg

LOOK_SECONDS = 0.02


class Watch:
    """A connection to one node that is made anew whenever it is lost."""

    def __init__(self, node):
        self.node = node
        self.connection = None

    def one(self, query, parameters=()):
        """The first row, or None where the database does not answer."""
        try:
            if self.connection is None or self.connection.closed:
                self.connection = psycopg.connect(self.node.conninfo(), autocommit=True, connect_timeout=2)
            return self.connection.execute(query, parameters).fetchone()
        except psycopg.Error:
            self.close()
            return None

    def close(self):
        if self.connection is not None:
            self.connection.close()
            self.connection = None

    def executed(self):
        """How many commands it has executed."""
        row = self.one("select coalesce(sum(seq), 0)::bigint from pgbook_data.market_state")
        return row[0] if row else 0

    def takes_orders_since(self, moment):
        """Whether its sidecar has been heard of since a moment of this machine's clock, and the node takes orders.
        A node that is not level takes none."""
        row = self.one("select is_ready and heard_at > to_timestamp(%s) from pgbook.cluster", (moment,))
        return bool(row and row[0])


def wait_level(watch, others, launched, seconds_max, when_level=lambda: None):
    """Seconds from a launch (of the monotonic and of the wall clock) until the node takes orders and has executed what the
    others had when it was launched, and until it has also executed what they had a moment ago; None for what did not
    come in time."""
    began, moment, target = launched
    level = None
    while time.monotonic() - began < seconds_max:
        goal = max(other.executed() for other in others)
        if watch.takes_orders_since(moment):
            executed = watch.executed()
            if level is None and executed >= target:
                level = time.monotonic() - began
                when_level()
            if level is not None and executed >= goal:
                return level, time.monotonic() - began
        time.sleep(LOOK_SECONDS)
    return level, None


def launch(others):
    """A moment on both clocks, and how far the others are."""
    target = max(other.executed() for other in others)
    return time.monotonic(), time.time(), target


def resident(process):
    """Bytes of memory that a process holds, or 0 where it has ended."""
    try:
        text = pathlib.Path(f"/proc/{process.process.pid}/status").read_text()
    except (OSError, AttributeError):
        return 0
    found = re.search(r"^VmRSS:\s+(\d+) kB", text, re.MULTILINE)
    return int(found[1]) * 1024 if found else 0
