"""One client: places, amends and cancels its own orders, and asks again until every command has an answer."""

import random
import threading
import time
from collections import deque

import psycopg

from commands import CommandMaker

RETRY_PAUSE_SECONDS = 0.1
STATEMENT_TIMEOUT_MILLISECONDS = 30_000
REPEAT_SHARE = 0.05


class Client(threading.Thread):
    """What it is told it writes down at once, one line per answer: client order id, answer, command id."""

    def __init__(self, number, seed, folder, stop, faults):
        super().__init__(name=f"client-{number}", daemon=True)
        self.user = f"soak_{number}"
        self.random = random.Random(f"{seed}/{number}")
        self.commands = CommandMaker(self.random)
        self.stop = stop
        self.faults = faults
        self.journal = open(folder / f"{self.name}.csv", "a", buffering=1, encoding="ascii")
        self.connection = None
        self.answered = deque(maxlen=50)
        self.sent = 0
        self.acknowledged = 0
        self.refused = 0
        self.retries = 0
        self.repeats = 0
        self.connects = 0

    def run(self):
        try:
            while not self.stop.is_set():
                if self.answered and self.random.random() < REPEAT_SHARE:
                    self.repeat()
                else:
                    self.give(self.commands.next())
        except Exception as error:  # whatever it is, the run must not pass
            self.faults.append(f"{self.name} ended: {type(error).__name__}: {error}")
        finally:
            self.journal.close()
            self.disconnect()

    def give(self, command):
        """Gives a new command and notes its answer."""
        self.sent += 1
        answer, value = self.ask(command)
        self.journal.write(f"{self.user},{command.client_order_id},{answer},{value}\n")
        if answer == "acknowledged":
            self.acknowledged += 1
            self.commands.note_acknowledged(command, value)
            self.answered.append((command, value))
        else:
            self.refused += 1

    def repeat(self):
        """Asks again for a command that has its answer: the answer must be the same."""
        command, first = self.random.choice(self.answered)
        self.repeats += 1
        answer, value = self.ask(command)
        if (answer, value) != ("acknowledged", first):
            self.faults.append(
                f"{command.client_order_id} ({command.describe()}) was acknowledged as {first},"
                f" and asked again it was {answer}: {value}")

    def ask(self, command):
        """Asks until there is an answer: ("acknowledged", id) or ("refused", SQLSTATE)."""
        while True:
            try:
                if self.connection is None:
                    self.connect()
                row = self.connection.execute(command.sql, command.values).fetchone()
                return "acknowledged", row[0]
            except psycopg.Error as error:
                state = error.sqlstate or ""
                if state.startswith("PB"):
                    return "refused", state
                if not self.is_lost(state):
                    self.faults.append(f"{self.name}: {state} {error} for {command.describe()}")
                self.disconnect()
                self.retries += 1
                time.sleep(self.random.uniform(0, RETRY_PAUSE_SECONDS))

    def is_lost(self, state):
        """Whether an error says only that the server, or the way to it, is gone."""
        return state == "" or state[:2] in ("08", "57")

    def connect(self):
        options = f"-c statement_timeout={STATEMENT_TIMEOUT_MILLISECONDS}"
        self.connection = psycopg.connect(
            user=self.user, application_name=self.name, autocommit=True, options=options)
        self.connects += 1

    def disconnect(self):
        if self.connection is not None:
            self.connection.close()
            self.connection = None
