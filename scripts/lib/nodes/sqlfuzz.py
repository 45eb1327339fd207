"""Traders and readers call every public function with whatever the types allow, and leave transactions open. Whoever
trades beside them must hardly notice."""

import argparse
import pathlib
import random
import sys
import threading
import time

import psycopg

from .cluster import Cluster
from .node import Node, run
from .options import Parser, count, positive
from .trial import READY_SECONDS_MAX, Nodes, carry_out, judge, say

MARKETS = ("A", "M-1", "Z/9")
RATIO_MAX = 5
# A market that has not executed a bystander's order for so long stands.
STANDS_SECONDS = 5
ANSWER_SECONDS_MAX = 10
HOLD_SECONDS_MAX = 20

TEXTS = (
    "", " ", "M-1", "A", "Z/9", "nope", "bid", "ask", "buy", "limit", "market", "gtc", "ioc", "fok", "gtd", "dc", "co", "1m", "1s",
    "1h", "1d", "1M", "UTC", "Europe/Berlin", "none", "zero", "previous", "x" * 64, "x" * 65, "é" * 64, "é" * 33, "\u202e", "\u200b",
    "'; drop table pgbook_data.commands; --", "%s%n", "\\", "\x01", "\x7f", "🦊" * 16, "NaN", "null", "a" * 100_000)
NUMBERS = (
    "0", "-0", "1", "-1", "0.5", "0.01", "1e-38", "1e-1000", "1e38", "1e400", "9223372036854775807", "9223372036854775808",
    "-9223372036854775808", "NaN", "Infinity", "-Infinity", "100", "99.99", "100.01", "3", "1e15", "1e12", "0.00000001",
    "123456789012345678901234567890.123456789")
TIMES = (
    "epoch", "now", "infinity", "-infinity", "294276-12-31 23:59:59.999999+00", "294247-01-10 04:00:54.775807+00",
    "294247-01-10 04:00:54.775808+00", "4714-11-24 00:00:00+00 BC", "0001-01-01 00:00:00+00", "9999-12-31 23:59:59.999999+00",
    "10000-01-01 00:00:00+00", "2000-01-03 00:00:00+00", "2026-01-01 00:00:00+00", "2038-01-19 03:14:07+00")
INTERVALS = ("0", "1 us", "-1 us", "1 s", "1 min", "1 day", "1 mon", "178000000 years", "-178000000 years", "1 year -1 day")
INTEGERS = (0, 1, -1, 2, 10, 1000, 2**31 - 1, -(2**31))
BIGINTS = (*INTEGERS, 2**63 - 1, -(2**63))

FUNCTIONS = """
    select p.proname, p.proretset,
           (select array_agg(format_type(t, null) order by n) from unnest(p.proargtypes) with ordinality a(t, n)),
           has_function_privilege('pgbook_reader', p.oid, 'execute')
    from pg_proc p where p.pronamespace = 'pgbook'::regnamespace and p.prokind = 'f'
      and has_function_privilege('pgbook_trader', p.oid, 'execute')
    order by p.oid::regprocedure::text"""
VIEWS = "select c.relname from pg_class c where c.relnamespace = 'pgbook'::regnamespace and c.relkind = 'v' order by 1"

# What a session may try beside the interface.
TRICKS = (
    "select pg_advisory_lock(g) from generate_series(0, 30) g", "select pg_advisory_lock(oid::bigint) from pg_class",
    "select pg_advisory_xact_lock_shared(oid::bigint) from pg_class", "select pg_advisory_lock(32200047298964331)",
    "listen pgbook_orders", "listen pgbook_books", "notify pgbook_orders, 'x'",
    "select pg_notify('pgbook_books', repeat('x', 7000)) from generate_series(1, 300)",
    "select pg_notify('pgbook_trades', 'nonsense ' || g) from generate_series(1, 100) g",
    "lock table pgbook.orders in access share mode", "select * from pgbook.orders for update",
    "create temporary table commands (id uuid)", "create function pg_temp.length(text) returns int language sql as 'select 1'",
    "set enable_indexscan = off", "set work_mem = '64kB'", "set datestyle = 'German'", "set timezone = 'Asia/Kathmandu'",
    "set transaction isolation level serializable", "set session characteristics as transaction isolation level serializable",
    "set lc_numeric = 'C'", "set intervalstyle = 'iso_8601'", "set synchronous_commit = off", "set statement_timeout = 1",
    "set row_security = off", "set search_path = pg_temp, pgbook", "declare c cursor with hold for select * from pgbook.commands",
    "select pg_sleep(0.2)", "update pgbook.markets set security = 'X'", "delete from pgbook.orders", "select * from pgbook_data.commands",
    "select pgbook_data.enter_one(1::smallint,null,'x','A',0::smallint,1::smallint,0::smallint,false,null,1,1,null,null,null,null,null)")


class Attacker(threading.Thread):
    """One login, one session after the other, until it is told to end."""

    def __init__(self, node, role, seed, functions, views):
        super().__init__(daemon=True, name=f"{role} {seed}")
        self.node, self.role, self.functions, self.views = node, role, functions, views
        self.random = random.Random(f"{seed}/{role}")
        self.ends = threading.Event()
        self.calls, self.refused, self.answers, self.unexpected = 0, 0, {}, []

    def run(self):
        while not self.ends.is_set():
            try:
                with psycopg.connect(self.node.conninfo_of(self.role), autocommit=True, connect_timeout=5) as connection:
                    connection.execute("set statement_timeout = '8s'")
                    self.session(connection)
            except psycopg.Error as error:
                self.note(error)
                self.ends.wait(0.05)

    def session(self, connection):
        for _ in range(self.random.randint(1, 60)):
            if self.ends.is_set():
                return
            in_transaction = self.random.random() < 0.2
            if in_transaction:
                connection.execute(self.random.choice((
                    "begin", "begin isolation level repeatable read", "begin isolation level serializable", "begin read only")))
            for _ in range(self.random.randint(1, 5) if in_transaction else 1):
                self.act(connection)
            if in_transaction:
                # Left open for as long as a person at lunch, as far as this run allows.
                if self.random.random() < 0.3:
                    self.ends.wait(self.random.uniform(0, HOLD_SECONDS_MAX))
                connection.execute(self.random.choice(("commit", "rollback")))

    def act(self, connection):
        self.calls += 1
        try:
            cursor = connection.execute(*self.statement())
            for _ in range(50):
                if cursor.description is None or cursor.fetchone() is None:
                    break
        except NotImplementedError:
            # Of the driver, which does not read the times of a session that it had set to another style.
            pass
        except psycopg.Error as error:
            if connection.closed:
                raise
            self.note(error)
            if connection.info.transaction_status == psycopg.pq.TransactionStatus.INERROR:
                connection.execute("rollback")
                connection.execute("begin")

    def note(self, error):
        state = error.sqlstate or "connection"
        self.refused += 1
        self.answers[state] = self.answers.get(state, 0) + 1
        # XX: an internal error of the server is nobody's intention.
        if state.startswith(("XX", "58")):
            self.unexpected.append(f"{state} {error}".splitlines()[0])

    def statement(self):
        kind = self.random.random()
        if kind < 0.12:
            return (self.random.choice(TRICKS),)
        if kind < 0.2:
            view = self.random.choice(self.views)
            return (f"select * from pgbook.{view} offset {self.random.choice((0, 10, 10_000))} limit 50",)
        if kind < 0.45 and self.role == "trader":
            return self.order()
        name, is_set, types, _ = self.random.choice([f for f in self.functions if f[3] or self.role == "trader"])
        # Any number of arguments may be left to their defaults.
        types = (types or [])[: self.random.randint(0, len(types or []))] if self.random.random() < 0.3 else (types or [])
        values = [self.value(t) for t in types]
        places = ", ".join(f"%s::text::{t}" for t in types)
        return f"select {'* from ' if is_set else ''}pgbook.{name}({places})", values

    def order(self):
        """One that may well be taken."""
        price = round(100 + self.random.gauss(0, 1), 2)
        options = {
            "time_in_force": self.random.choice(("gtc", "gtc", "ioc", "fok", None)), "post_only": self.random.choice((False, False, True, None)),
            "client_order_id": self.random.choice((None, None, self.value("text"), f"c{self.random.randint(0, 200)}")),
            "self_trade_prevention": self.random.choice((None, "dc", "co", "cn", "cb"))}
        words = ", ".join(f"{name} => %s" for name in options)
        return (f"select pgbook.place_order(%s, %s, %s::text::numeric, %s::text::numeric, {words})",
                (self.random.choice(MARKETS), self.random.choice(("bid", "ask")), str(self.random.choice((1, 2, 5, 0.5))), str(price),
                 *options.values()))

    def value(self, type_name):
        if self.random.random() < 0.06:
            return None
        pick = self.random.choice
        if type_name == "text":
            return pick(MARKETS) if self.random.random() < 0.4 else pick(TEXTS)
        if type_name == "numeric":
            return pick(NUMBERS) if self.random.random() < 0.7 else str(round(self.random.uniform(-10, 1e6), self.random.randint(0, 10)))
        if type_name.startswith("timestamp"):
            return pick(TIMES) if self.random.random() < 0.6 else f"2026-{self.random.randint(1, 12):02}-{self.random.randint(1, 28):02} 00:00:00+00"
        if type_name == "interval":
            return pick(INTERVALS)
        if type_name == "integer":
            return str(pick(INTEGERS))
        if type_name == "bigint":
            return str(pick(BIGINTS))
        if type_name == "boolean":
            return pick(("true", "false"))
        if type_name == "uuid":
            return f"00000000-0000-4000-8000-{self.random.getrandbits(16):012x}"
        if type_name.endswith("[]"):
            return "{}"
        return pick(TEXTS)


class Bystander(threading.Thread):
    """Trades in one market at one node, one order after the other, and times each from call to outcome."""

    def __init__(self, node, market):
        super().__init__(daemon=True)
        self.node, self.market = node, market
        self.ends = threading.Event()
        self.latencies, self.faults = [], []
        self.last = time.monotonic()

    def run(self):
        with psycopg.connect(self.node.conninfo(), autocommit=True) as connection:
            side = "bid"
            while not self.ends.is_set():
                began = time.monotonic()
                side = "ask" if side == "bid" else "bid"
                try:
                    order = connection.execute(
                        "select pgbook.place_order(%s, %s, 1::numeric, 50::numeric, user_id => 'bystander')", (self.market, side)).fetchone()[0]
                    self.wait(connection, order, began)
                except psycopg.Error as error:
                    self.faults.append(str(error).splitlines()[0])
                self.ends.wait(0.02)

    def wait(self, connection, order, began):
        while connection.execute("select status from pgbook.orders where id = %s", (order,)).fetchone()[0] == "pending":
            passed = time.monotonic() - began
            if passed > ANSWER_SECONDS_MAX:
                self.faults.append(f"order {order} in {self.market} at {self.node.name} was not executed within {passed:.0f} s")
                return
            time.sleep(0.001)
        self.last = time.monotonic()
        self.latencies.append(self.last - began)

    def take(self):
        taken, self.latencies = self.latencies, []
        return taken


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("nan")


class LoginNode(Node):
    """A node whose database has a trader's and a reader's login."""

    def make_logins(self):
        for role in ("trader", "reader"):
            self.psql(f"do $$ begin if not exists (select from pg_roles where rolname = 'fuzz_{role}') then "
                      f"create role fuzz_{role} login password 'fuzz'; end if; end $$; grant pgbook_{role} to fuzz_{role}")

    def conninfo_of(self, role):
        words = [word for word in self.conninfo().split(" ") if not word.startswith(("user=", "password="))]
        return " ".join([*words, f"user=fuzz_{role}", "password=fuzz"])


def attack(options, figures, name, nodes):
    bystanders = [Bystander(node, market) for node in nodes for market in MARKETS]
    for each in bystanders:
        each.start()
    say(f"{options.quiet:g} s quiet")
    time.sleep(options.quiet)
    quiet = [latency for each in bystanders for latency in each.take()]
    with psycopg.connect(nodes[0].conninfo()) as connection:
        functions, views = connection.execute(FUNCTIONS).fetchall(), [row[0] for row in connection.execute(VIEWS)]
    say(f"{options.seconds:g} s of {options.attackers} attackers at each node, with {len(functions)} functions and {len(views)} views; seed {options.seed}")
    attackers = [
        Attacker(node, ("trader", "reader")[number % 2], options.seed + number, functions, views)
        for node in nodes for number in range(options.attackers)]
    for each in attackers:
        each.start()
    began, longest, under, next_line = time.monotonic(), 0.0, [], time.monotonic() + 15
    while (passed := time.monotonic() - began) < options.seconds:
        time.sleep(0.5)
        longest = max(longest, *(time.monotonic() - each.last for each in bystanders))
        if time.monotonic() >= next_line:
            next_line += 15
            under += [latency for each in bystanders for latency in each.take()]
            say(f"{options.seconds - passed:.0f} s left, {sum(each.calls for each in attackers)} calls; bystanders' p99 "
                f"{percentile(under, 0.99) * 1000:.0f} ms, quiet {percentile(quiet, 0.99) * 1000:.0f} ms; a market stood at most {longest:.1f} s")
    under += [latency for each in bystanders for latency in each.take()]
    for each in [*attackers, *bystanders]:
        each.ends.set()
    for each in [*attackers, *bystanders]:
        each.join(30)
    report(figures, name, quiet, under, longest, attackers, bystanders, nodes)


def report(figures, name, quiet, under, longest, attackers, bystanders, nodes):
    figures.add(name, "calls", sum(each.calls for each in attackers))
    for word, values in (("quiet", quiet), ("under attack", under)):
        figures.add(name, f"bystanders' orders, {word}", len(values))
        for share in (0.5, 0.99):
            figures.add(name, f"their p{share * 100:g}, {word}, ms", percentile(values, share) * 1000)
    ratio = percentile(under, 0.99) / percentile(quiet, 0.99)
    figures.add(name, "p99 under attack / quiet", ratio)
    figures.add(name, "longest that a market stood, s", longest)
    figures.rule(name, ratio <= RATIO_MAX, f"a bystander's p99 is {ratio:.1f} times its quiet value")
    figures.rule(name, longest <= STANDS_SECONDS, f"a market stood for {longest:.1f} s")
    answers = {}
    for each in attackers:
        for state, number in each.answers.items():
            answers[state] = answers.get(state, 0) + number
        for line in each.unexpected[:3]:
            figures.rule(name, False, f"{each.name} was answered {line}")
    say("answers: " + ", ".join(f"{state} {number}" for state, number in sorted(answers.items(), key=lambda a: -a[1])[:12]))
    for each in bystanders:
        for line in each.faults[:3]:
            figures.rule(name, False, line)
    for node in nodes:
        figures.rule(name, node.server.runs, f"the server of {node.name} ended: {node.server.last_words()}")
        try:
            node.pgbook("verify")
            node.pgbook("doctor")
        except Exception as fault:
            figures.rule(name, False, f"{node.name}: {fault}")


def alone(options, folder, figures):
    node = LoginNode("alone", folder, options.program, options.postgres)
    folder.mkdir(parents=True, exist_ok=True)
    try:
        node.make_database()
        node.make_logins()
        for market in MARKETS:
            node.pgbook("market", "add", market, "--tick", "0.01", "--lot", "0.001")
        node.prepare()
        node.server.start()
        wait_executes(node)
        attack(options, figures, "alone", [node])
    finally:
        if node.server and (fault := node.server.stop()):
            figures.rule("alone", False, fault)
        run([node.postgres, "stop", "--dir", node.data], check=False)


def wait_executes(node):
    end = time.monotonic() + READY_SECONDS_MAX
    order = node.psql("select pgbook.place_order('A', 'bid', 1, 1)").strip()
    while node.psql(f"select status from pgbook.orders where id = '{order}'").strip() == "pending":
        if time.monotonic() > end:
            raise RuntimeError("the server executes nothing")
        time.sleep(0.05)


def cluster(options, folder, figures):
    with Nodes(options, folder, figures, "cluster") as made:
        made.nodes = [LoginNode(node.name, node.folder, node.program, node.postgres, node.port) for node in made.nodes]
        made.make(markets=[(market, "0.01", "0.001") for market in MARKETS], say=say)
        for node in made.nodes:
            node.make_logins()
        made.start()
        made.wait_ready(READY_SECONDS_MAX)
        attack(options, figures, "cluster", made.nodes)
        judge(figures, "cluster", made, [])


RUNS = {"alone": alone, "cluster": cluster}


def main():
    parser = Parser("scripts/sqlfuzz")
    parser.add_argument("runs", nargs="*", metavar="RUN")
    parser.add_argument("--seconds", type=positive, default=600)
    parser.add_argument("--quiet", type=positive, default=20)
    parser.add_argument("--attackers", type=count, default=4)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**31))
    parser.add_argument("--json", type=pathlib.Path)
    options = parser.parse_args()
    if unknown := set(options.runs) - set(RUNS):
        parser.error(f"there is no run {sorted(unknown)[0]!r}; there are {', '.join(RUNS)}")
    if options.program is None:
        return 0
    return carry_out(options, [(name, RUNS[name]) for name in (options.runs or RUNS)])


if __name__ == "__main__":
    sys.exit(main())
