-- What `pgbook import` writes: everything of a file in one transaction, through a temporary table.

-- name: lock_import_market
-- Whoever executes commands of the market waits until the import has ended.
select m.market, m.symbol, m.tick_size, m.lot_size, m.max_amount, m.min_price, m.max_price,
       least(floor(m.max_notional), 1e37) as max_notional, m.is_imported, s.seq, s.trade_id, s.clock,
       exists (select from pgbook_data.inbox i where i.market = m.market) as has_waiting
from pgbook_data.markets m join pgbook_data.market_state s using (market)
where m.symbol = $1
for update of s

-- name: lock_inbox
-- Nobody is in the middle of entering a command.
lock table pgbook_data.inbox in share mode

-- name: mark_imported
update pgbook_data.markets set is_imported = true where market = $1

-- name: create_import
create temporary table pgbook_import (
    line bigint not null, trade_id bigint not null, time timestamptz not null, price bigint not null,
    amount bigint not null, taker_side smallint not null
) on commit drop

-- name: copy_import
copy pgbook_import (line, trade_id, time, price, amount, taker_side) from stdin (format binary)

-- name: find_import_duplicate
select trade_id, min(line) as first_line, max(line) as line
from pgbook_import group by trade_id having count(*) > 1 order by min(line) limit 1

-- name: find_import_known
select trade_id, line from pgbook_import where trade_id <= $1 order by line limit 1

-- name: find_import_disorder
-- Where time falls as ids rise, or below the market's clock.
select trade_id, line
from (select line, trade_id, time, lag(time, 1, $1::timestamptz) over (order by trade_id) as previous from pgbook_import) o
where time < previous
order by trade_id limit 1

-- name: find_import_future
select trade_id, line, time, clock_timestamp() from pgbook_import where time > clock_timestamp() order by line limit 1

-- name: record_import
-- Before the market moves: the import can be taken back to where it stood.
insert into pgbook_data.imports (market, source, trades, first_trade_id, last_trade_id, first_time, last_time,
                                 trade_id_before, last_price_before, clock_before)
select $1::smallint, $2::text, count(*), min(t.trade_id), max(t.trade_id), min(t.time), max(t.time), s.trade_id, s.last_price,
       s.clock
from pgbook_import t cross join pgbook_data.market_state s
where s.market = $1
group by s.trade_id, s.last_price, s.clock

-- name: imports
select import, security, source, trades, first_trade_id, last_trade_id, first_time, last_time, imported_at, imported_by,
       undone_at
from pgbook.imports where $1::text is null or security = $1 order by import desc limit $2::bigint

-- name: undo_import
select import, security, source, trades, first_trade_id, last_trade_id, first_time, last_time, imported_at, imported_by,
       undone_at
from pgbook.undo_import($1)

-- name: insert_import
insert into pgbook_data.trades (market, time, trade_id, price, amount, taker_side)
select $1::smallint, time, trade_id, price, amount, taker_side from pgbook_import order by trade_id

-- name: insert_import_candles
-- The first minute may have trades already, all of them earlier.
insert into pgbook_data.candles_1m as c (
    time, open, high, low, close, trades, first_trade_id, last_trade_id, market, volume, notional, taker_buy_volume,
    taker_buy_notional)
select date_bin('1 minute', time, timestamptz '2000-01-03 00:00:00+00'), (min(array[trade_id, price]))[2], max(price),
       min(price), (max(array[trade_id, price]))[2], count(*), min(trade_id), max(trade_id), $1::smallint,
       sum(amount::numeric), sum(amount::numeric * price),
       coalesce(sum(amount::numeric) filter (where taker_side = 0), 0),
       coalesce(sum(amount::numeric * price) filter (where taker_side = 0), 0)
from pgbook_import
group by 1
on conflict (market, time) do update set
    high = greatest(c.high, excluded.high), low = least(c.low, excluded.low), close = excluded.close,
    trades = c.trades + excluded.trades, last_trade_id = excluded.last_trade_id,
    volume = c.volume + excluded.volume, notional = c.notional + excluded.notional,
    taker_buy_volume = c.taker_buy_volume + excluded.taker_buy_volume,
    taker_buy_notional = c.taker_buy_notional + excluded.taker_buy_notional

-- name: move_import_market
update pgbook_data.market_state s
set trade_id = l.trade_id, last_price = l.price, clock = greatest(s.clock, l.time)
from (select trade_id, price, time from pgbook_import order by trade_id desc limit 1) l
where s.market = $1

-- name: close_import_candles
select pgbook_data.close_candles($1)
