-- name: market_heads
-- How far each market is: what tells whether anything changed. Imported histories are no news: nothing happens there.
select s.market, s.seq, s.trade_id, s.is_halted
from pgbook_data.newest_state s join pgbook_data.markets m using (market)
where not m.is_imported
order by s.market

-- name: not_ready
-- Why a node of a cluster is not ready; null where it is, or is alone.
select coalesce(
    pgbook_data.not_ready(),
    (select case
         when closed_through < clock_timestamp() - 3 * "window" * interval '1 microsecond' - interval '2 seconds'
         then format('it is behind: pools are closed through %s',
                     to_char(closed_through at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'))
         when heard_at < clock_timestamp() - interval '2500 milliseconds'
         then format('its sidecar hangs or is gone: it was last heard of at %s',
                     to_char(heard_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')) end
     from pgbook_data.cluster))

-- name: no_matcher
select pgbook_data.no_matcher()

-- name: is_deaf
-- Whether no hints are sent; see pgbook_data.hint.
select pg_notification_queue_usage() >= 0.5

-- name: aggregated_book
-- The best levels of both sides of one market, best first, and the execution number they stand at: one snapshot.
select s.seq, l.side, l.price, l.amount, l.orders
from (select market, seq from pgbook_data.market_state where market = $1 order by seq desc limit 1) s
left join lateral (
    (select 0::smallint as side, min(b.price) as price,
            least(sum(b.amount - b.filled - b.dropped), 9223372036854775807)::bigint as amount, count(*) as orders,
            (case b.side when 0 then -b.price else b.price end) as rank
     from pgbook_data.book b
     where b.market = $1 and b.side = 0
     group by (case b.side when 0 then -b.price else b.price end)
     order by rank limit $2)
    union all
    (select 1::smallint, min(b.price), least(sum(b.amount - b.filled - b.dropped), 9223372036854775807)::bigint, count(*),
            (case b.side when 0 then -b.price else b.price end) as rank
     from pgbook_data.book b
     where b.market = $1 and b.side = 1
     group by (case b.side when 0 then -b.price else b.price end)
     order by rank limit $2)
) l on true
order by l.side, l.rank

-- name: trades_floor
-- A time at or before the last $2 trades of a market; no row if it has none. Candles know, without a look at old chunks.
select c.time
from (select time, coalesce(sum(trades) over (order by time desc rows between unbounded preceding and 1 preceding), 0)
                 as later
      from (select time, trades from pgbook_data.candles_1m where market = $1 order by time desc limit $2) newest) c
where c.later < $2
order by c.time limit 1

-- name: first_trade_floor
-- A time at or before the first trade of a market; no row if it has none.
select time from pgbook_data.candles_1m where market = $1 order by time limit 1

-- name: last_trades
-- The last $3 trades of a market that are not older than $2, newest first.
select trade_id, seq, time, taker_order, maker_order, taker_user, maker_user, taker_side, price, amount, best_bid, best_ask
from pgbook_data.trades
where market = $1 and time >= $2
order by time desc, trade_id desc
limit $3

-- name: trades_after
-- The trades of a market after the one numbered $3 at $2, in order.
select trade_id, seq, time, taker_order, maker_order, taker_user, maker_user, taker_side, price, amount, best_bid, best_ask
from pgbook_data.trades
where market = $1 and time >= $2 and trade_id > $3
order by time, trade_id
limit $4
