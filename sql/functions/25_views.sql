set local role pgbook_owner;

-- The state of each market: its newest version, reached without a look at the ones before it.
create or replace view pgbook_data.newest_state as
select s.* from pgbook_data.markets m
cross join lateral (
    select * from pgbook_data.market_state where market = m.market order by seq desc limit 1
) s;

-- What people read: decimals, words, no internal numbers.

create or replace view pgbook.markets as
select m.symbol as security, trim_scale(m.tick_size) as tick_size, trim_scale(m.lot_size) as lot_size,
       trim_scale(m.max_amount * m.lot_size) as max_amount,
       trim_scale(m.max_notional * m.tick_size * m.lot_size) as max_notional,
       trim_scale(m.min_price * m.tick_size) as min_price, trim_scale(m.max_price * m.tick_size) as max_price,
       case when s.is_halted then 'halted' else 'open' end as state,
       s.seq, s.trade_id as trades, trim_scale(s.last_price * m.tick_size) as last_price,
       encode(s.digest, 'hex') as digest
from pgbook_data.markets m join pgbook_data.newest_state s using (market);

-- The columns of an order people expect, and what became of it.
create or replace view pgbook.orders as
select c.id, c.time, c.user_id, case c.side when 0 then 'bid' else 'ask' end as type,
       case c.exec_type when 0 then 'market' else 'limit' end as exec_type,
       trim_scale(coalesce(b.amount, x.amount, c.amount) * m.lot_size) as amount,
       trim_scale(coalesce(b.price, x.price, c.price) * m.tick_size) as price,
       m.symbol as security,
       case
           when b.id is not null then 'open'
           when x.id is not null then (array['filled', 'cancelled', 'expired', 'cancelled'])[x.reason]
           when o.code is null then 'pending'
           when o.code = 1 then 'open'
           when o.code = 2 then 'filled'
           when o.code = 3 then 'cancelled'
           else 'refused' end as status,
       trim_scale(coalesce(b.filled, x.filled, o.filled, 0) * m.lot_size) as filled,
       trim_scale(case
           when b.id is not null then b.amount - b.filled - b.dropped
           when o.code is null then c.amount
           else 0 end * m.lot_size) as remaining,
       trim_scale(round(coalesce(b.notional, x.notional, o.notional)
           / nullif(coalesce(b.filled, x.filled, o.filled), 0) * m.tick_size, 12)) as avg_price,
       case when o.code > 2 then pgbook_data.code_name(o.code)
            when x.reason = 4 then 'self_trade_prevention' end as reason,
       (array['gtc', 'ioc', 'fok', 'gtd'])[c.tif + 1] as time_in_force, c.post_only,
       (array['dc', 'co', 'cn', 'cb'])[c.stp] as self_trade_prevention, c.expires, c.client_order_id, c.origin,
       o.seq, c.accepted_at, o.executed_at
from pgbook_data.commands c
join pgbook_data.markets m using (market)
left join pgbook_data.outcomes w on w.id = c.id
left join pgbook_data.book b on b.id = c.id
left join pgbook_data.closed x on x.id = c.id
left join pgbook_data.set_aside a on a.id = c.id
cross join lateral (
    select coalesce(c.seq, w.seq) as seq, coalesce(c.code, w.code, a.code) as code, coalesce(c.filled, w.filled) as filled,
           coalesce(c.notional, w.notional) as notional,
           coalesce(w.executed_at, case when c.seq is not null then c.accepted_at end) as executed_at
) o
where c.kind = 1;

-- One row per executed command, wherever its outcome stands.
create or replace view pgbook_data.executions as
select id, seq, filled, remaining, dropped, accepted_at as executed_at, market, code, notional, digest_head
from pgbook_data.commands
where seq is not null
union all
select id, seq, filled, remaining, dropped, executed_at, market, code, notional, digest_head
from pgbook_data.outcomes;

-- The whole log, with commands whose id another has.
create or replace view pgbook.commands as
select c.id, c.time, m.symbol as security, c.user_id,
       (array['place', 'amend', 'cancel', 'cancel_all', 'halt', 'resume', 'expire'])[c.kind] as kind,
       c.target, coalesce(c.seq, w.seq) as seq, pgbook_data.code_name(coalesce(c.code, w.code, a.code)) as code,
       trim_scale(c.amount * m.lot_size) as amount, trim_scale(c.price * m.tick_size) as price,
       trim_scale(coalesce(c.filled, w.filled) * m.lot_size) as filled,
       trim_scale(coalesce(c.remaining, w.remaining) * m.lot_size) as remaining,
       trim_scale(coalesce(c.dropped, w.dropped) * m.lot_size) as dropped,
       trim_scale(round(coalesce(c.notional, w.notional) / nullif(coalesce(c.filled, w.filled), 0) * m.tick_size, 12))
           as avg_price,
       c.client_order_id, c.origin, c.accepted_at,
       coalesce(w.executed_at, case when c.seq is not null then c.accepted_at end) as executed_at
from pgbook_data.commands c
join pgbook_data.markets m using (market)
left join pgbook_data.outcomes w on w.id = c.id
left join pgbook_data.set_aside a on a.id = c.id
union all
select d.id, d.time, m.symbol, d.user_id,
       (array['place', 'amend', 'cancel', 'cancel_all', 'halt', 'resume', 'expire'])[d.kind], d.target, null,
       pgbook_data.code_name(d.code), trim_scale(d.amount * m.lot_size), trim_scale(d.price * m.tick_size),
       trim_scale(d.filled * m.lot_size), trim_scale(d.remaining * m.lot_size), trim_scale(d.dropped * m.lot_size),
       null, d.client_order_id, d.origin, d.accepted_at, null
from pgbook_data.displaced d
join pgbook_data.markets m using (market);

-- One row per match. `user_id` and `side` are the taker's.
create or replace view pgbook.trades as
select t.trade_id as id, t.time, m.symbol as security, t.taker_user as user_id,
       case t.taker_side when 0 then 'bid' else 'ask' end as side,
       trim_scale(t.amount * m.lot_size) as amount, trim_scale(t.price * m.tick_size) as price,
       trim_scale(t.amount * m.lot_size * t.price * m.tick_size) as total,
       t.taker_order, t.maker_order, t.maker_user,
       trim_scale(t.best_bid * m.tick_size) as best_bid, trim_scale(t.best_ask * m.tick_size) as best_ask, t.seq,
       t.busted_at is not null as busted
from pgbook_data.trades t join pgbook_data.markets m using (market);

-- One row per execution of a taker order.
create or replace view pgbook.taker_trades as
select t.taker_order as id, t.time, t.taker_user as user_id,
       trim_scale(sum(t.amount) * m.lot_size) as amount,
       trim_scale(round(sum(t.amount::numeric * t.price) / sum(t.amount) * m.tick_size, 12)) as avg_price,
       m.symbol as security, case t.taker_side when 0 then 'bid' else 'ask' end as side, count(*) as trades
from pgbook_data.trades t join pgbook_data.markets m using (market)
group by m.market, t.seq, t.time, t.taker_order, t.taker_user, t.taker_side;

-- Resting orders. A gtd order whose time has come leaves with the market's next command.
create or replace view pgbook.book as
select b.id, m.symbol as security, case b.side when 0 then 'bid' else 'ask' end as side,
       trim_scale(b.price * m.tick_size) as price,
       trim_scale((b.amount - b.filled - b.dropped) * m.lot_size) as open, b.user_id,
       trim_scale(b.amount * m.lot_size) as amount, trim_scale(b.filled * m.lot_size) as filled, b.priority, b.expires
from pgbook_data.book b join pgbook_data.markets m using (market);

create or replace view pgbook.candles_1m as
select m.symbol as security, c.time, trim_scale(c.open * m.tick_size) as open, trim_scale(c.high * m.tick_size) as high,
       trim_scale(c.low * m.tick_size) as low, trim_scale(c.close * m.tick_size) as close,
       trim_scale(c.volume * m.lot_size) as volume, trim_scale(c.notional * m.tick_size * m.lot_size) as quote_volume,
       c.trades, pgbook_data.quotient(c.notional * m.tick_size, c.volume, 12) as vwap,
       trim_scale(c.taker_buy_volume * m.lot_size) as taker_buy_volume,
       trim_scale(c.taker_buy_notional * m.tick_size * m.lot_size) as taker_buy_quote_volume
from pgbook_data.candles_1m c join pgbook_data.markets m using (market);

-- Per market with waiting commands: how many, and since when. With a matcher running it is empty, or young.
create or replace view pgbook.waiting as
select m.symbol as security, count(*) as commands, min(i.time) as oldest
from pgbook_data.inbox i join pgbook_data.markets m using (market)
group by m.symbol;

create or replace view pgbook.busts as
select m.symbol as security, b.trade_id, b.time, b.busted_at, b.busted_by, b.reason
from pgbook_data.busts b join pgbook_data.markets m using (market);

-- Markets with what turns ticks and lots into decimals, and the minutes that bound their trades; no trade, no minute.
create or replace view pgbook.market_units as
select m.market, m.symbol as security, trim_scale(m.tick_size) as tick_size, trim_scale(m.lot_size) as lot_size,
       m.is_imported, s.clock,
       (select c.time from pgbook_data.candles_1m c where c.market = m.market order by c.time limit 1) as first_minute,
       (select c.time from pgbook_data.candles_1m c where c.market = m.market order by c.time desc limit 1)
           as last_minute
from pgbook_data.markets m join pgbook_data.newest_state s using (market);

-- The trades that stand. Ask for one market and bounded times, so that few chunks are planned.
create or replace view pgbook.trade_units as
select market, time, trade_id, price, amount, taker_side, maker_order, taker_order
from pgbook_data.trades
where busted_at is null;

-- What cannot be read or executed, and stands aside so that the rest goes on. Without an id it is the whole market.
create or replace view pgbook.set_aside as
select coalesce(m.symbol, a.market::text) as security, a.id, c.user_id, pgbook_data.code_name(a.code) as code, a.reason,
       a.noticed_at
from pgbook_data.set_aside a
left join pgbook_data.markets m using (market)
left join lateral (select user_id from pgbook_data.commands where id = a.id limit 1) c on true;

-- The matchers of this database: whether each is connected, and why it executes nothing; null where it does.
-- One that hangs cannot say so itself: then it was not heard of for two seconds.
create or replace view pgbook.matchers as
select m.matcher, m.pid, m.executes, m.started_at, m.seen_at, a.pid is not null as is_connected,
       case when a.pid is null then 'the matcher is gone; start one: pgbook serve'
            when m.seen_at < clock_timestamp() - interval '2200 milliseconds'
            then format('the matcher hangs: it was last heard of at %s',
                        to_char(m.seen_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'))
            else m.reason end as reason
from pgbook_data.matchers m left join pg_catalog.pg_stat_activity a on a.pid = m.pid;
