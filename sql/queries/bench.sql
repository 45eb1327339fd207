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
copy pgbook_bench.commands (market, id, time, target, amount, price, expires, kind, side, exec_type, tif, stp, change,
                           post_only, user_id, owner, client_order_id, origin, seq, filled, remaining, dropped,
                           digest_head, code, notional) from stdin (format binary)

-- name: copy_limit_trades
copy pgbook_bench.trades (market, time, trade_id, seq, taker_order, maker_order, taker_user, maker_user, taker_side,
                         price, amount, best_bid, best_ask) from stdin (format binary)

-- name: copy_limit_book
copy pgbook_bench.book (market, id, user_id, side, price, amount, filled, dropped, notional, priority, expires,
                       post_only, stp) from stdin (format binary)

-- name: copy_limit_closed
copy pgbook_bench.closed (market, id, seq, price, amount, filled, dropped, reason, notional) from stdin (format binary)

-- name: copy_limit_candles
copy pgbook_bench.candles_1m (
    time, open, high, low, close, trades, first_trade_id, last_trade_id, market, volume, notional, taker_buy_volume,
    taker_buy_notional) from stdin (format binary)

-- name: copy_naive_flow
copy naive.flow (position, kind, id, market, user_id, side, price, amount, is_ioc) from stdin (format binary)

-- name: bench_end_history
-- Its trades came from no command, so it takes none, and nothing of it is replayed.
with market as (update pgbook_data.markets set is_imported = true where market = $1)
update pgbook_data.market_state set trade_id = $2, last_price = $3, clock = $4 where market = $1

-- name: bench_close_candles
select pgbook_data.close_candles($1::smallint)
