-- Reading candles, and keeping them right.

-- name: candles
select time, open, high, low, close, volume, quote_volume, trades, vwap, taker_buy_volume, taker_buy_quote_volume
from pgbook.candles($1, $2, $3, $4, $5, $6)

-- name: last_candles
select time, open, high, low, close, volume, quote_volume, trades, vwap, taker_buy_volume, taker_buy_quote_volume
from pgbook.last_candles($1, $2, $3, $4, $5)

-- name: bust_trade
select security, trade_id, time, busted_at, busted_by, reason from pgbook.bust_trade($1, $2, $3)

-- name: close_candles
select pgbook_data.close_candles($1, $2)

-- name: hold_trades
-- Until the transaction ends no trade is dropped. Takes no snapshot: the first one is of a moment at which it holds.
lock table pgbook_data.trade_horizon in row share mode

-- name: trade_horizon
select dropped_before from pgbook_data.trade_horizon

-- name: trade_spans
-- The time that each chunk covers.
select range_start, range_end
from timescaledb_information.chunks
where hypertable_schema = 'pgbook_data' and hypertable_name = 'trades' and range_end > $1
order by range_start

-- name: candle_trades
-- A page of the trades of one chunk, with what candles are made of.
select time, trade_id, price, amount, taker_side, busted_at is not null
from pgbook_data.trades
where market = $1 and (time, trade_id) > ($2, $3) and time >= $4 and time < $5
order by time, trade_id
limit $6::bigint

-- name: page_1h
select time, open, high, low, close, volume, notional, trades, first_trade_id, last_trade_id, taker_buy_volume,
       taker_buy_notional
from pgbook_data.candles_1h
where market = $1 and time > $2
order by time
limit $3::bigint

-- name: page_1d
select time, open, high, low, close, volume, notional, trades, first_trade_id, last_trade_id, taker_buy_volume,
       taker_buy_notional
from pgbook_data.candles_1d
where market = $1 and time > $2
order by time
limit $3::bigint

-- name: candle_levels
select closed_1h, closed_1d from pgbook_data.candle_levels where market = $1

-- name: market_history
-- Whether a market was imported, and how many trades it had.
select m.is_imported, s.trade_id
from pgbook_data.markets m join pgbook_data.newest_state s using (market)
where m.market = $1

-- name: busted_trades
select trade_id from pgbook_data.busts where market = $1 order by trade_id

-- name: rebuild_range
-- The days that may hold candles or trades of a market, and how far an earlier rebuild came.
select least(c.first_minute, t.first_chunk), greatest(c.last_minute, t.last_chunk),
       (select rebuilt_before from pgbook_data.candle_levels where market = $1)
from (
    select least((select min(time) from pgbook_data.candles_1m where market = $1),
                 (select min(time) from pgbook_data.candles_1h where market = $1),
                 (select min(time) from pgbook_data.candles_1d where market = $1)) as first_minute,
           (select max(time) from pgbook_data.candles_1m where market = $1) as last_minute
) c
cross join (
    select min(range_start) as first_chunk, max(range_end) - interval '1 microsecond' as last_chunk
    from timescaledb_information.chunks
    where hypertable_schema = 'pgbook_data' and hypertable_name = 'trades'
) t

-- name: rebuild_day
select pgbook_data.rebuild_day($1, $2)

-- name: end_rebuild
select pgbook_data.end_rebuild($1)

-- name: trade_chunks
select chunk, begins, ends, trades from pgbook_data.trade_chunks($1)

-- name: drop_trades
select chunk, begins, ends, trades from pgbook_data.drop_trades($1)

-- name: chunk_readers
-- The processes that hold a lock on a chunk of trades, or keep all trades from being dropped.
select string_agg(distinct l.pid::text, ', ' order by l.pid::text)
from pg_locks l
where l.granted and l.pid <> pg_backend_pid()
  and l.database = (select oid from pg_database where datname = current_database())
  and (l.relation in (select c.oid from pg_class c where c.relname = $1)
       or l.relation = 'pgbook_data.trade_horizon'::regclass and l.mode in ('RowShareLock', 'RowExclusiveLock'))

-- name: set_trade_chunk
select pgbook_data.set_trade_chunk($1::bigint * interval '1 second')

-- name: limit_statements
select set_config('statement_timeout', $1, false)
