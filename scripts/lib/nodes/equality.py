"""Whether the databases of a cluster's nodes hold the same, row by row."""

import itertools

import psycopg

# What must be equal; wall-clock times of acceptance and execution are each node's own.
TABLES = {
    "orders": """
        select id, time, user_id, type, exec_type, amount, price, security, status, filled, remaining, avg_price, reason,
               time_in_force, post_only, self_trade_prevention, expires, client_order_id, origin, seq
        from pgbook.orders order by id, origin, time""",
    "commands": """
        select id, time, security, user_id, kind, target, seq, code, amount, price, filled, remaining, dropped, avg_price,
               client_order_id, origin
        from pgbook.commands order by id, origin, time""",
    "log": "select origin, number, id, time, verdict from pgbook_data.node_log order by origin, number",
    "book": """
        select m.symbol, b.id, b.side, b.price, b.priority, b.amount, b.filled, b.dropped, b.expires, b.user_id
        from pgbook_data.book b join pgbook_data.markets m using (market) order by m.symbol collate "C", b.id""",
    "trades": """
        select m.symbol, t.trade_id, t.time, t.seq, t.taker_order, t.maker_order, t.price, t.amount, t.taker_side,
               t.taker_user, t.maker_user, t.best_bid, t.best_ask
        from pgbook_data.trades t join pgbook_data.markets m using (market)
        where t.time > '-infinity' and t.time < 'infinity' order by m.symbol collate "C", t.trade_id""",
    "candles": "select * from pgbook.candles_1m order by security collate \"C\", time",
    "markets": """
        select m.symbol, s.seq, s.trade_id, s.last_price, s.clock, s.is_halted, encode(s.digest, 'hex')
        from pgbook_data.market_state s join pgbook_data.markets m using (market) order by m.symbol collate "C\"""",
}


def differences(nodes):
    """One line for each table that is not the same everywhere, with the first row that is not."""
    found, counts = [], {}
    for table, query in TABLES.items():
        counts[table] = 0
        connections = [psycopg.connect(node.conninfo()) for node in nodes]
        try:
            # Row by row side by side: a table may be larger than this process should be.
            for row, all_rows in enumerate(itertools.zip_longest(*(rows(each, query) for each in connections))):
                counts[table] += all_rows[0] is not None
                other = next((number for number, each in enumerate(all_rows) if each != all_rows[0]), None)
                if other is not None:
                    found.append(
                        f"{table}: {nodes[0].name} and {nodes[other].name} differ in row {row + 1}: "
                        f"{show(all_rows[0])} against {show(all_rows[other])}")
                    break
        finally:
            for each in connections:
                each.close()
    return found, counts


def rows(connection, query):
    """As bytes, in the order of the query."""
    with connection.cursor() as cursor, cursor.copy(f"copy ({query}) to stdout") as copy:
        for row in copy:
            yield bytes(row)


def show(row):
    return "nothing" if row is None else "(" + row.decode().rstrip("\n").replace("\t", ", ") + ")"


def unknown(node, ids):
    """Of acknowledged orders, those that a node does not have exactly once, or that it has not decided about."""
    with psycopg.connect(node.conninfo()) as connection:
        found = dict(connection.execute(
            "select id::text, count(*) filter (where status <> 'pending') from pgbook.orders where id = any (%s::uuid[]) group by id",
            (list(ids),)).fetchall())
    return [order for order in ids if found.get(order) != 1]
