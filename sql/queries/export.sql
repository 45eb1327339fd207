-- What `pgbook export` reads. COPY takes no parameters: the values stand in its text as literals of known types.

-- name: export_markets
select market, security, tick_size, lot_size, is_imported, clock, first_minute, last_minute
from pgbook.market_units
where $1::text is null or security = $1
order by security collate "C"

-- name: count_trades
-- About how many there are between two minutes, for a progress bar.
select coalesce(sum(trades), 0)::bigint from pgbook.candles_1m where security = $1 and time >= $2 and time < $3

-- name: export_trades
copy (
    select time, trade_id, price, amount, taker_side, maker_order, taker_order
    from pgbook.trade_units
    where market = $1 and time >= $2 and time < $3
    order by time, trade_id
) to stdout (format binary)

-- name: export_trades_latest_first
copy (
    select time, trade_id, price, amount, taker_side, maker_order, taker_order
    from pgbook.trade_units
    where market = $1 and time >= $2 and time < $3
    order by time desc, trade_id desc
) to stdout (format binary)

-- name: export_candles
select time, open, high, low, close, volume, quote_volume, trades, vwap, taker_buy_volume, taker_buy_quote_volume
from pgbook.candles($1, $2, $3, $4, fill => $5)
order by time

-- name: export_candles_latest_first
select time, open, high, low, close, volume, quote_volume, trades, vwap, taker_buy_volume, taker_buy_quote_volume
from pgbook.candles($1, $2, $3, $4, fill => $5)
order by time desc

-- name: candles_closed_until
select pgbook.candles_closed_until($1, $2)

-- name: candle_trade_ids
select first_trade_id, last_trade_id from pgbook.candle_trade_ids($1, $2, $3, $4)

-- name: export_orders
select id, time, user_id, type, exec_type, amount, price, security, status, filled, remaining, avg_price, reason,
       time_in_force, post_only, self_trade_prevention, expires, client_order_id, origin, seq, accepted_at, executed_at
from pgbook.orders
where ($1::text is null or security = $1) and time >= $2 and time < $3
order by time, id

-- name: export_orders_latest_first
select id, time, user_id, type, exec_type, amount, price, security, status, filled, remaining, avg_price, reason,
       time_in_force, post_only, self_trade_prevention, expires, client_order_id, origin, seq, accepted_at, executed_at
from pgbook.orders
where ($1::text is null or security = $1) and time >= $2 and time < $3
order by time desc, id desc
