"""What must be true at the end, read by SQL from the tables themselves."""

import psycopg

ANSWERS = """
create temporary table answers (user_id text, client_order_id text, answer text, value text);
"""

# What each number counts must not exist.
CHECKS = [
    ("acknowledged commands missing in the log", """
        select count(*) from answers a
        left join pgbook_data.commands c
            on c.id::text = a.value and c.user_id = a.user_id and c.client_order_id = a.client_order_id
        where a.answer = 'acknowledged' and c.id is null"""),
    ("acknowledged commands in the log more than once", """
        select count(*) from (
            select c.user_id, c.client_order_id from pgbook_data.commands c
            join answers a using (user_id, client_order_id)
            group by 1, 2 having count(*) > 1) twice"""),
    ("acknowledged commands without exactly one outcome", """
        select count(*) from (
            select a.value from answers a left join pgbook_data.executions o on o.id::text = a.value
            where a.answer = 'acknowledged'
            group by 1 having count(o.id) <> 1) wrong"""),
    ("answers given for one client order id more than once", """
        select count(*) from (
            select user_id, client_order_id from answers group by 1, 2 having count(*) > 1) twice"""),
    ("refused commands that are in the log", """
        select count(*) from answers a join pgbook_data.commands c using (user_id, client_order_id)
        where a.answer = 'refused'"""),
    ("commands in the log that no client was told of", """
        select count(*) from pgbook_data.commands c left join answers a using (user_id, client_order_id)
        where c.kind <> 7 and a.value is null"""),
    ("commands executed twice", """
        select count(*) from (select id from pgbook_data.executions group by id having count(*) > 1) twice"""),
    ("commands without an outcome", """
        select count(*) from pgbook_data.commands c left join pgbook_data.executions o using (id) where o.id is null"""),
    ("commands still waiting", "select count(*) from pgbook_data.inbox"),
    ("gaps in seq", """
        select abs(s.seq - count(o.seq)) + abs(s.seq - coalesce(max(o.seq), 0))
        from pgbook_data.market_state s left join pgbook_data.executions o using (market) group by s.seq"""),
    ("gaps in trade ids, or trade ids twice", """
        select abs(s.trade_id - count(t.trade_id)) + abs(s.trade_id - count(distinct t.trade_id))
            + abs(s.trade_id - coalesce(max(t.trade_id), 0))
        from pgbook_data.market_state s left join pgbook_data.trades t using (market) group by s.trade_id"""),
    ("crossed prices in the book", """
        select count(*) from (select max(price) filter (where side = 0) >= min(price) filter (where side = 1) as crossed
            from pgbook_data.book) b where crossed"""),
]


def check(folder, digests):
    """Runs all checks; gives (what must not exist, how often it does)."""
    with psycopg.connect(application_name="checks") as connection:
        connection.execute(ANSWERS)
        with connection.cursor().copy("copy answers from stdin (format csv)") as copy:
            for journal in sorted(folder.glob("client-*.csv")):
                copy.write(journal.read_bytes())
        connection.execute("analyze answers")
        found = [(what, connection.execute(sql).fetchone()[0]) for what, sql in CHECKS]
        found.append(("states seen that the log does not have", unseen(connection, digests)))
        return found


def unseen(connection, digests):
    """How many of the states that the watcher saw are not in the history as it stands now."""
    stored = dict(connection.execute("select seq, digest_head from pgbook_data.executions").fetchall())
    return sum(1 for seq, digest in digests.items() if stored.get(seq) != digest)


def facts():
    """Commands by outcome, and other figures for the summary."""
    with psycopg.connect(application_name="checks") as connection:
        return connection.execute("""
            select (select count(*) from pgbook_data.executions), (select count(*) from pgbook_data.trades),
                   (select count(*) from pgbook_data.book),
                   (select string_agg(code || ' ' || n, ', ' order by n desc) from (
                       select pgbook_data.code_name(code) as code, count(*) as n
                       from pgbook_data.executions group by code) o)""").fetchone()
