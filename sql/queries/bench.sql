-- What pgbook bench asks and writes besides what any client does. The tables of the schemas pgbook_bench and naive are
-- made by sql/bench.

-- name: checkpoint
checkpoint

-- name: flush_statistics
-- This session's counts go to the shared ones at its next idle moment, instead of within ten seconds.
select pg_stat_force_next_flush()

-- name: wal_counts
-- Through JSON, for the column wal_sync is not in every version.
select (pg_current_wal_insert_lsn() - '0/0')::bigint, (to_jsonb(w) ->> 'wal_sync')::bigint from pg_stat_wal w

-- name: copy_limit_commands
copy pgbook_bench.commands (
    id, time, target, amount, price, market, kind, side, exec_type, tif, change, post_only, user_id, origin,
    seq, code, filled, remaining, dropped, notional, digest_head) from stdin (format binary)

-- name: copy_limit_trades
copy pgbook_bench.trades (
    time, trade_id, seq, taker_order, maker_order, price, amount, best_bid, best_ask, market, taker_side, taker_user,
    maker_user) from stdin (format binary)

-- name: copy_limit_book
copy pgbook_bench.book (
    id, price, priority, amount, filled, dropped, market, side, post_only, user_id, notional)
    from stdin (format binary)

-- name: copy_limit_closed
copy pgbook_bench.closed (id, seq, price, amount, filled, dropped, market, reason, notional) from stdin (format binary)

-- name: copy_limit_candles
copy pgbook_bench.candles_1m (
    time, open, high, low, close, trades, first_trade_id, last_trade_id, market, volume, notional, taker_buy_volume,
    taker_buy_notional) from stdin (format binary)

-- name: copy_naive_flow
copy naive.flow (position, kind, id, market, user_id, side, price, amount, is_ioc) from stdin (format binary)
