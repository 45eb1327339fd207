-- Read in one repeatable-read transaction, page by page.

-- name: verify_state
select seq, trade_id, last_price, clock, closed_through, is_halted, digest
from pgbook_data.market_state
where market = $1
order by seq desc limit 1

-- name: verify_executions
select o.seq, o.id, o.code, o.filled, o.remaining, o.dropped, o.notional, o.digest_head, c.id is not null as is_logged,
       c.id, c.time, c.kind, c.side, c.exec_type, c.tif, c.stp, c.change, c.post_only, c.amount, c.price, c.target,
       c.expires, c.user_id, c.owner, c.client_order_id, c.origin
from (
    -- The view executions, but each half read by its own index, and no further than the page.
    (select seq, id, code, filled, remaining, dropped, notional, digest_head
     from pgbook_data.commands where market = $1 and seq > $2 order by seq limit $3::bigint)
    union all
    (select seq, id, code, filled, remaining, dropped, notional, digest_head
     from pgbook_data.outcomes where market = $1 and seq > $2 order by seq limit $3::bigint)
    order by seq limit $3::bigint
) o left join lateral (
    select * from pgbook_data.commands where id = o.id and market = $1 limit 1
) c on true
order by o.seq

-- name: verify_trades
select trade_id, seq, time, taker_order, maker_order, taker_user, maker_user, taker_side, price, amount, best_bid,
       best_ask
from pgbook_data.trades
where market = $1 and (time, trade_id) > ($2, $3) and time >= $5 and time < $6
order by time, trade_id
limit $4::bigint

-- name: verify_closed
select id, seq, price, amount, filled, dropped, reason, notional
from pgbook_data.closed
where market = $1 and id = any ($2::uuid[])

-- name: verify_closed_count
select count(*) from pgbook_data.closed where market = $1

-- name: verify_book
select id, user_id, side, price, amount, filled, dropped, notional, priority, expires, post_only, stp
from pgbook_data.book
where market = $1 and side = $2
  and ((case side when 0 then -price else price end), priority) > ($3::bigint, $4::bigint)
order by (case side when 0 then -price else price end), priority
limit $5::bigint

-- name: verify_candles
select time, open, high, low, close, volume, notional, trades, first_trade_id, last_trade_id, taker_buy_volume,
       taker_buy_notional
from pgbook_data.candles_1m
where market = $1 and time > $2
order by time
limit $3::bigint

-- name: verify_lost
-- Commands that neither wait nor have an outcome, nor were refused before execution.
select c.id from pgbook_data.commands c
where c.market = $1 and c.seq is null and c.code is null
  and not exists (select from pgbook_data.outcomes o where o.id = c.id)
  and not exists (select from pgbook_data.inbox i where i.market = c.market and i.time = c.time and i.id = c.id)
  and not exists (select from pgbook_data.outbox x where x.id = c.id)
  and not exists (select from pgbook_data.set_aside a where a.id = c.id)
limit 1

-- name: verify_twice
-- Commands that wait although they have an outcome or were refused. Each is looked up by its id. As a join it was planned
-- for finding one at once, which there never is, and went through what waits for every outcome.
select i.id
from pgbook_data.inbox i
where i.market = $1
  and ((select o.id from pgbook_data.outcomes o where o.id = i.id limit 1) is not null
       or (select c.code from pgbook_data.commands c where c.id = i.id limit 1) is not null)
limit 1

-- name: verify_fills
-- M3 without the engine: what orders were filled by, and what trades moved, on both sides.
select
    (select coalesce(sum(amount), 0) from pgbook_data.trades where market = $1) as traded,
    (select coalesce(sum(filled), 0) from pgbook_data.executions where market = $1) as taken,
    (select count(*) from pgbook_data.executions o join pgbook_data.commands c on c.id = o.id
     where o.market = $1 and c.kind = 1 and c.amount <> o.filled + o.remaining + o.dropped) as unbalanced,
    (select coalesce(sum(filled), 0) from pgbook_data.book where market = $1)
      + (select coalesce(sum(filled), 0) from pgbook_data.closed where market = $1)
      + (select coalesce(sum(o.filled), 0) from pgbook_data.executions o join pgbook_data.commands c on c.id = o.id
         where o.market = $1 and c.kind = 1 and o.remaining = 0) as filled

-- name: read_outcomes
-- Each half of the view executions by its own index, and no further than the page.
(select id, code, filled, remaining, dropped, notional, seq
 from pgbook_data.commands where market = $1 and seq > $2 order by seq limit $3::bigint)
union all
(select id, code, filled, remaining, dropped, notional, seq
 from pgbook_data.outcomes where market = $1 and seq > $2 order by seq limit $3::bigint)
order by seq
limit $3::bigint
