"""Orders in batches, as fast as a database takes them or at a steady rate."""

import random
import threading
import time

import psycopg

MARKET = "BTC-USD"


def enter(connection, generator, size):
    """Enters orders in one transaction, half of which trade; returns how many were taken, and the reason where not all were."""
    sides = [generator.randrange(2) for _ in range(size)]
    prices = [10_000 + generator.randint(-5, 5) for _ in range(size)]
    refused, reason = connection.execute(
        """select count(*), min(message) from pgbook_data.enter(
               array_fill(1::smallint, array[%(n)s]), array_fill(null::uuid, array[%(n)s]),
               array_fill('bench'::text, array[%(n)s]), array_fill(%(market)s::text, array[%(n)s]), %(sides)s::smallint[],
               array_fill(1::smallint, array[%(n)s]), array_fill(0::smallint, array[%(n)s]),
               array_fill(false, array[%(n)s]), array_fill(null::smallint, array[%(n)s]),
               array_fill(1::numeric, array[%(n)s]),
               (select array_agg(p::numeric / 100 order by n) from unnest(%(prices)s::int[]) with ordinality u(p, n)),
               array_fill(null::uuid, array[%(n)s]), array_fill(null::smallint, array[%(n)s]),
               array_fill(null::timestamptz, array[%(n)s]), array_fill(null::text, array[%(n)s]),
               array_fill(null::text, array[%(n)s])) where code is not null""",
        {"n": size, "market": MARKET, "sides": sides, "prices": prices}).fetchone()
    return size - refused, reason


def entered(connection, seed, count, batch):
    """Enters so many orders, each batch a transaction."""
    generator = random.Random(seed)
    for begin in range(0, count, batch):
        enter(connection, generator, min(batch, count - begin))


class Offer(threading.Thread):
    """Offers orders to one node at a steady rate, whatever becomes of them: what falls due while it waits comes after."""

    STEP_SECONDS = 0.02

    def __init__(self, node, seed, rate):
        super().__init__(daemon=True)
        self.node = node
        self.random = random.Random(seed)
        self.rate = rate
        self.ends = threading.Event()
        self.taken = 0
        self.refused = 0
        self.reason = None

    def run(self):
        with psycopg.connect(self.node.conninfo(), autocommit=True) as connection:
            began = time.monotonic()
            offered = 0
            while not self.ends.wait(self.STEP_SECONDS):
                due = int((time.monotonic() - began) * self.rate) - offered
                while due > 0 and not self.ends.is_set():
                    size = min(due, 500)
                    taken, reason = enter(connection, self.random, size)
                    self.taken += taken
                    self.refused += size - taken
                    self.reason = reason or self.reason
                    offered += size
                    due -= size

    def stop(self):
        self.ends.set()
        self.join(30)


class Load:
    """A steady rate, shared evenly between some nodes."""

    def __init__(self, nodes, rate, seed=1):
        self.offers = [Offer(node, seed + number, rate / len(nodes)) for number, node in enumerate(nodes)]

    def start(self):
        for offer in self.offers:
            offer.start()

    def stop(self):
        for offer in self.offers:
            offer.stop()

    @property
    def taken(self):
        return sum(offer.taken for offer in self.offers)

    @property
    def refused(self):
        return sum(offer.refused for offer in self.offers)

    @property
    def reason(self):
        return next((offer.reason for offer in self.offers if offer.reason), None)
