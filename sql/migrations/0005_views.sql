-- What people read: decimals, words, no internal numbers.

create view pgbook.markets as
select m.symbol as security, trim_scale(m.tick_size) as tick_size, trim_scale(m.lot_size) as lot_size,
       trim_scale(m.max_amount * m.lot_size) as max_amount,
       trim_scale(m.max_notional * m.tick_size * m.lot_size) as max_notional,
       trim_scale(m.min_price * m.tick_size) as min_price, trim_scale(m.max_price * m.tick_size) as max_price,
       case when s.is_halted then 'halted' else 'open' end as state,
       s.seq, s.trade_id as trades, trim_scale(s.last_price * m.tick_size) as last_price,
       encode(s.digest, 'hex') as digest
from pgbook_data.markets m join pgbook_data.market_state s using (market);

-- The columns of an order people expect, and what became of it.
create view pgbook.orders as
select c.id, c.time, c.user_id, case c.side when 0 then 'bid' else 'ask' end as type,
       case c.exec_type when 0 then 'market' else 'limit' end as exec_type,
       trim_scale(coalesce(b.amount, x.amount, c.amount) * m.lot_size) as amount,
       trim_scale(coalesce(b.price, x.price, c.price) * m.tick_size) as price,
       m.symbol as security,
       case
           when b.id is not null then 'open'
           when x.id is not null then (array['filled', 'cancelled', 'expired', 'cancelled'])[x.reason]
           when o.id is null then 'pending'
           when o.code = 1 then 'open'
           when o.code = 2 then 'filled'
           when o.code = 3 then 'cancelled'
           else 'refused' end as status,
       trim_scale(coalesce(b.filled, x.filled, o.filled, 0) * m.lot_size) as filled,
       trim_scale(case
           when b.id is not null then b.amount - b.filled - b.dropped
           when o.id is null then c.amount
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
left join pgbook_data.outcomes o on o.id = c.id
left join pgbook_data.book b on b.id = c.id
left join pgbook_data.closed x on x.id = c.id
where c.kind = 1;

-- The whole log: every command and its outcome.
create view pgbook.commands as
select c.id, c.time, m.symbol as security, c.user_id,
       (array['place', 'amend', 'cancel', 'cancel_all', 'halt', 'resume', 'expire'])[c.kind] as kind,
       c.target, o.seq, pgbook_data.code_name(o.code) as code,
       trim_scale(c.amount * m.lot_size) as amount, trim_scale(c.price * m.tick_size) as price,
       trim_scale(o.filled * m.lot_size) as filled, trim_scale(o.remaining * m.lot_size) as remaining,
       trim_scale(o.dropped * m.lot_size) as dropped,
       trim_scale(round(o.notional / nullif(o.filled, 0) * m.tick_size, 12)) as avg_price,
       c.client_order_id, c.origin, c.accepted_at, o.executed_at
from pgbook_data.commands c
join pgbook_data.markets m using (market)
left join pgbook_data.outcomes o on o.id = c.id;

-- One row per match. `user_id` and `side` are the taker's.
create view pgbook.trades as
select t.trade_id as id, t.time, m.symbol as security, t.taker_user as user_id,
       case t.taker_side when 0 then 'bid' else 'ask' end as side,
       trim_scale(t.amount * m.lot_size) as amount, trim_scale(t.price * m.tick_size) as price,
       trim_scale(t.amount * m.lot_size * t.price * m.tick_size) as total,
       t.taker_order, t.maker_order, t.maker_user,
       trim_scale(t.best_bid * m.tick_size) as best_bid, trim_scale(t.best_ask * m.tick_size) as best_ask, t.seq
from pgbook_data.trades t join pgbook_data.markets m using (market);

-- One row per execution of a taker order.
create view pgbook.taker_trades as
select t.taker_order as id, t.time, t.taker_user as user_id,
       trim_scale(sum(t.amount) * m.lot_size) as amount,
       trim_scale(round(sum(t.amount::numeric * t.price) / sum(t.amount) * m.tick_size, 12)) as avg_price,
       m.symbol as security, case t.taker_side when 0 then 'bid' else 'ask' end as side, count(*) as trades
from pgbook_data.trades t join pgbook_data.markets m using (market)
group by m.market, t.seq, t.time, t.taker_order, t.taker_user, t.taker_side;

-- Resting orders. A gtd order whose time has come leaves with the market's next command.
create view pgbook.book as
select b.id, m.symbol as security, case b.side when 0 then 'bid' else 'ask' end as side,
       trim_scale(b.price * m.tick_size) as price,
       trim_scale((b.amount - b.filled - b.dropped) * m.lot_size) as open, b.user_id,
       trim_scale(b.amount * m.lot_size) as amount, trim_scale(b.filled * m.lot_size) as filled, b.priority, b.expires
from pgbook_data.book b join pgbook_data.markets m using (market);

create view pgbook.candles_1m as
select m.symbol as security, c.time, trim_scale(c.open * m.tick_size) as open, trim_scale(c.high * m.tick_size) as high,
       trim_scale(c.low * m.tick_size) as low, trim_scale(c.close * m.tick_size) as close,
       trim_scale(c.volume * m.lot_size) as volume, trim_scale(c.notional * m.tick_size * m.lot_size) as quote_volume,
       c.trades, trim_scale(round(c.notional / c.volume * m.tick_size, 12)) as vwap,
       trim_scale(c.taker_buy_volume * m.lot_size) as taker_buy_volume,
       trim_scale(c.taker_buy_notional * m.tick_size * m.lot_size) as taker_buy_quote_volume
from pgbook_data.candles_1m c join pgbook_data.markets m using (market);

-- The best `depth` levels of each side, best first: bids by falling, asks by rising price.
create function pgbook.agg_book(security text, depth integer default 10)
returns table (side text, price numeric, amount numeric, total numeric, orders bigint)
language sql stable security definer set search_path = pg_catalog
begin atomic
    select s.word, trim_scale(l.price * m.tick_size), trim_scale(l.amount * m.lot_size),
           trim_scale(l.price * m.tick_size * l.amount * m.lot_size), l.orders
    from pgbook_data.markets m
    cross join (values (0::smallint, 'bid'), (1::smallint, 'ask')) s(side, word)
    cross join lateral (
        select min(b.price) as price, sum(b.amount - b.filled - b.dropped) as amount, count(*) as orders,
               (case b.side when 0 then -b.price else b.price end) as rank
        from pgbook_data.book b
        where b.market = m.market and b.side = s.side
        group by (case b.side when 0 then -b.price else b.price end)
        order by rank
        limit depth
    ) l
    where m.symbol = security
    order by s.side, l.rank;
end;
