set local role pgbook_owner;

-- The best `depth` levels of each side, best first: bids by falling, asks by rising price.
create or replace function pgbook.agg_book(security text, depth integer default 10)
returns table (side text, price numeric, amount numeric, total numeric, orders bigint)
language sql stable security definer set search_path = pg_catalog, pg_temp
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

-- A market's latest n trades, latest first. Every candle holds a trade at least, so the last n candles bound the time
-- in which the last n trades lie: only the chunks of that time are planned and read.
create or replace function pgbook.last_trades(security text, n integer default 20) returns setof pgbook.trades
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
    first_minute timestamptz;
    last_minute timestamptz;
begin
    select min(c.time), max(c.time) into first_minute, last_minute
    from (
        select time from pgbook_data.candles_1m
        where market = (select m.market from pgbook_data.markets m where m.symbol = last_trades.security)
        order by time desc
        limit n
    ) c;
    return query execute
        'select * from pgbook.trades
         where security = $1 and time >= $2 and time < $3 order by time desc, id desc limit $4'
        using security, first_minute, last_minute + interval '1 minute', n;
end
$$;

-- Why no order would be executed now, as the matchers tell; null where one executes.
create or replace function pgbook_data.no_matcher() returns text
language sql stable security definer set search_path = pg_catalog, pg_temp
return (
    select case when count(*) = 0 then 'no matcher is connected; start one: pgbook serve'
                when not bool_or(m.reason is null) then min(m.reason) end
    from pgbook.matchers m where m.is_connected);
