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
