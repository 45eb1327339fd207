"""Looks at the market again and again while it works, and holds what it saw against what must always be true."""

import threading
import time

import psycopg

PAUSE_SECONDS = 0.02
RECONNECT_SECONDS = 0.1

LOOK = """
select s.seq, s.trade_id, o.digest_head,
       (select max(price) from pgbook_data.book where market = s.market and side = 0) as best_bid,
       (select min(price) from pgbook_data.book where market = s.market and side = 1) as best_ask,
       (select count(*) from pgbook_data.inbox where market = s.market) as waiting
from pgbook_data.market_state s
join pgbook_data.markets m using (market)
left join pgbook_data.executions o on o.market = s.market and o.seq = s.seq
where m.symbol = 'SOAK'
"""


class Watcher(threading.Thread):
    def __init__(self, stop, faults):
        super().__init__(name="watcher", daemon=True)
        self.stop = stop
        self.faults = faults
        self.looks = 0
        self.crossed = 0
        self.seq = 0
        self.trade_id = 0
        self.waiting = 0
        # The digest seen after a seq: nothing that was ever visible may be undone, by a crash either.
        self.digests = {}

    def run(self):
        while not self.stop.is_set():
            try:
                with psycopg.connect(application_name="watcher") as connection:
                    connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
                    while not self.stop.is_set():
                        self.look(connection)
                        connection.rollback()
                        time.sleep(PAUSE_SECONDS)
            except psycopg.Error as error:
                if error.sqlstate and error.sqlstate[:2] not in ("08", "57"):
                    self.faults.append(f"watcher: {error}")
                time.sleep(RECONNECT_SECONDS)

    def look(self, connection):
        seq, trade_id, digest, best_bid, best_ask, self.waiting = connection.execute(LOOK).fetchone()
        self.looks += 1
        if best_bid is not None and best_ask is not None and best_bid >= best_ask:
            self.crossed += 1
            self.faults.append(f"seq {seq}: the book is crossed, bid {best_bid} at ask {best_ask}")
        if seq < self.seq or trade_id < self.trade_id:
            self.faults.append(
                f"seq fell from {self.seq} to {seq}, or the trade id from {self.trade_id} to {trade_id}")
        if seq > 0 and self.digests.setdefault(seq, digest) != digest:
            self.faults.append(f"seq {seq}: the digest changed after it was seen")
        self.seq, self.trade_id = seq, trade_id
