"""Clients that place and cancel orders at one node, whatever becomes of it."""

import decimal
import random
import threading
import time
import uuid

import psycopg


class Client(threading.Thread):
    def __init__(self, node, seed, rate, markets=("BTC-USD",)):
        super().__init__(daemon=True)
        self.node = node
        self.random = random.Random(seed)
        self.rate = rate
        self.markets = markets
        self.ends = threading.Event()
        # Of orders: those that were acknowledged, and those of which nothing was heard.
        self.acknowledged = set()
        self.unheard = set()
        self.refused = {}
        self.unexpected = []

    def run(self):
        connection = None
        due = time.monotonic()
        while not self.ends.is_set():
            due = max(due + 1 / self.rate, time.monotonic() - 1)
            if self.ends.wait(max(0, due - time.monotonic())):
                break
            if connection is None:
                connection = self.connect()
                continue
            try:
                self.give(connection)
            except psycopg.Error as error:
                if connection.closed or not (error.sqlstate or "").startswith("PB"):
                    connection.close()
                    connection = None
                    if error.sqlstate and not error.sqlstate.startswith(("PB", "57", "08", "40")):
                        self.unexpected.append(f"{error.sqlstate} {error}".splitlines()[0])
                else:
                    code = str(error).split(":")[0]
                    self.refused[code] = self.refused.get(code, 0) + 1
        if connection:
            connection.close()

    def connect(self):
        try:
            return psycopg.connect(self.node.conninfo(), autocommit=True, connect_timeout=2, options="-c statement_timeout=5000")
        except psycopg.Error:
            self.ends.wait(0.2)
            return None

    def give(self, connection):
        if self.acknowledged and self.random.random() < 0.15:
            victim = self.random.choice(sorted(self.acknowledged)[-50:])
            connection.execute("select pgbook.cancel_order(%s::uuid, user_id => %s)", (victim, self.node.name))
            return
        order = str(uuid.UUID(int=self.random.getrandbits(128), version=4))
        price = decimal.Decimal(round(10_000 + self.random.gauss(0, 100))) / 100
        self.unheard.add(order)
        try:
            connection.execute(
                "select pgbook.place_order(%s, %s, %s::numeric, %s::numeric, user_id => %s, id => %s::uuid)",
                (self.random.choice(self.markets), self.random.choice(("bid", "ask")), self.random.randint(1, 9), price,
                 self.node.name, order))
        except psycopg.Error as error:
            # A refusal leaves no trace; of anything else it is not known.
            if (error.sqlstate or "").startswith("PB"):
                self.unheard.discard(order)
            raise
        self.unheard.discard(order)
        self.acknowledged.add(order)

    def stop(self):
        self.ends.set()
        self.join(15)
