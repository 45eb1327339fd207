-- Busts, the rebuild of candles, and the retention of trades.
set local role pgbook_owner;

-- Up to where trades were dropped: what lies before cannot be computed again from them. One row.
create table pgbook_data.trade_horizon (
    is_only boolean primary key default true check (is_only),
    dropped_before timestamptz not null default '-infinity'
);
insert into pgbook_data.trade_horizon default values;

-- How far a rebuild of the candles that has not ended came; null: none is under way.
alter table pgbook_data.candle_levels add column rebuilt_before timestamptz;

create or replace view pgbook.trades as
select t.trade_id as id, t.time, m.symbol as security, t.taker_user as user_id,
       case t.taker_side when 0 then 'bid' else 'ask' end as side,
       trim_scale(t.amount * m.lot_size) as amount, trim_scale(t.price * m.tick_size) as price,
       trim_scale(t.amount * m.lot_size * t.price * m.tick_size) as total,
       t.taker_order, t.maker_order, t.maker_user,
       trim_scale(t.best_bid * m.tick_size) as best_bid, trim_scale(t.best_ask * m.tick_size) as best_ask, t.seq,
       t.busted_at is not null as busted
from pgbook_data.trades t join pgbook_data.markets m using (market);

create view pgbook.busts as
select m.symbol as security, b.trade_id, b.time, b.busted_at, b.busted_by, b.reason
from pgbook_data.busts b join pgbook_data.markets m using (market);

-- As before, but between ends that are given: a rebuild may not trust the minutes that stand there.
create or replace function pgbook_data.traded_candles(
    market smallint, bucket text, range_from timestamptz, range_to timestamptz
) returns table (
    "time" timestamptz, open bigint, high bigint, low bigint, close bigint, trades bigint, first_trade_id bigint,
    last_trade_id bigint, volume numeric, notional numeric, taker_buy_volume numeric, taker_buy_notional numeric
) language plpgsql stable set search_path = pg_catalog as $$
begin
    return query execute
        'select date_bin($4, t.time, timestamptz ''2000-01-03 00:00:00+00''), public.first(t.price, t.trade_id),
                max(t.price), min(t.price), public.last(t.price, t.trade_id), count(*), min(t.trade_id),
                max(t.trade_id), sum(t.amount::numeric), sum(t.amount::numeric * t.price),
                coalesce(sum(t.amount::numeric) filter (where t.taker_side = 0), 0),
                coalesce(sum(t.amount::numeric * t.price) filter (where t.taker_side = 0), 0)
         from pgbook_data.trades t
         where t.market = $1 and t.time >= $2 and t.time < $3 and t.busted_at is null
         group by 1 order by 1'
        using market, range_from, range_to, bucket::interval;
end
$$;

-- Makes the candles of whole days what their trades say: minutes from trades, as far as these are still there, hours
-- from minutes, days from hours. Writes only what differs. Whoever calls it holds the locks.
-- Returns how many candles were wrong, missing or too many.
create function pgbook_data.recompute_candles(market smallint, range_from timestamptz, range_to timestamptz)
returns bigint
language plpgsql set search_path = pg_catalog as $$
declare
    level pgbook_data.candle_levels;
    minutes_from timestamptz;
    changed bigint := 0;
    count bigint;
    begins timestamptz := date_bin('1 day', range_from, timestamptz '2000-01-03 00:00:00+00');
    ends timestamptz := pgbook_data.bucket_ceiling(range_to, '1d');
begin
    select * into level from pgbook_data.candle_levels l where l.market = recompute_candles.market;
    select greatest(range_from, h.dropped_before) into minutes_from from pgbook_data.trade_horizon h;
    if minutes_from < range_to then
        with made as materialized (
            select * from pgbook_data.traded_candles(recompute_candles.market, '1m', minutes_from, range_to)
        ), gone as (
            delete from pgbook_data.candles_1m c
            where c.market = recompute_candles.market and c.time >= minutes_from and c.time < range_to
              and not exists (select from made where made.time = c.time)
            returning 1
        ), put as (
            insert into pgbook_data.candles_1m as c
                ("time", open, high, low, close, trades, first_trade_id, last_trade_id, market, volume, notional,
                 taker_buy_volume, taker_buy_notional)
            select d.time, d.open, d.high, d.low, d.close, d.trades, d.first_trade_id, d.last_trade_id,
                   recompute_candles.market, d.volume, d.notional, d.taker_buy_volume, d.taker_buy_notional
            from made d
            on conflict on constraint candles_1m_bucket do update set
                open = excluded.open, high = excluded.high, low = excluded.low, close = excluded.close,
                trades = excluded.trades, first_trade_id = excluded.first_trade_id,
                last_trade_id = excluded.last_trade_id, volume = excluded.volume, notional = excluded.notional,
                taker_buy_volume = excluded.taker_buy_volume, taker_buy_notional = excluded.taker_buy_notional
            where c is distinct from excluded
            returning 1
        )
        select (select count(*) from gone) + (select count(*) from put) into count;
        changed := changed + count;
    end if;
    if begins < level.closed_1h then
        with made as materialized (
            select date_bin('1 hour', m.time, timestamptz '2000-01-03 00:00:00+00') as "time",
                   public.first(m.open, m.first_trade_id) as open, max(m.high) as high, min(m.low) as low,
                   public.last(m.close, m.last_trade_id) as close, sum(m.trades)::bigint as trades,
                   min(m.first_trade_id) as first_trade_id, max(m.last_trade_id) as last_trade_id,
                   sum(m.volume) as volume, sum(m.notional) as notional, sum(m.taker_buy_volume) as taker_buy_volume,
                   sum(m.taker_buy_notional) as taker_buy_notional
            from pgbook_data.candles_1m m
            where m.market = recompute_candles.market and m.time >= begins and m.time < least(ends, level.closed_1h)
            group by 1
        ), gone as (
            delete from pgbook_data.candles_1h c
            where c.market = recompute_candles.market and c.time >= begins and c.time < ends
              and not exists (select from made where made.time = c.time)
            returning 1
        ), put as (
            insert into pgbook_data.candles_1h as c
                ("time", open, high, low, close, trades, first_trade_id, last_trade_id, market, volume, notional,
                 taker_buy_volume, taker_buy_notional)
            select d.time, d.open, d.high, d.low, d.close, d.trades, d.first_trade_id, d.last_trade_id,
                   recompute_candles.market, d.volume, d.notional, d.taker_buy_volume, d.taker_buy_notional
            from made d
            on conflict on constraint candles_1h_bucket do update set
                open = excluded.open, high = excluded.high, low = excluded.low, close = excluded.close,
                trades = excluded.trades, first_trade_id = excluded.first_trade_id,
                last_trade_id = excluded.last_trade_id, volume = excluded.volume, notional = excluded.notional,
                taker_buy_volume = excluded.taker_buy_volume, taker_buy_notional = excluded.taker_buy_notional
            where c is distinct from excluded
            returning 1
        )
        select (select count(*) from gone) + (select count(*) from put) into count;
        changed := changed + count;
    end if;
    if begins < level.closed_1d then
        with made as materialized (
            select date_bin('1 day', h.time, timestamptz '2000-01-03 00:00:00+00') as "time",
                   public.first(h.open, h.first_trade_id) as open, max(h.high) as high, min(h.low) as low,
                   public.last(h.close, h.last_trade_id) as close, sum(h.trades)::bigint as trades,
                   min(h.first_trade_id) as first_trade_id, max(h.last_trade_id) as last_trade_id,
                   sum(h.volume) as volume, sum(h.notional) as notional, sum(h.taker_buy_volume) as taker_buy_volume,
                   sum(h.taker_buy_notional) as taker_buy_notional
            from pgbook_data.candles_1h h
            where h.market = recompute_candles.market and h.time >= begins and h.time < least(ends, level.closed_1d)
            group by 1
        ), gone as (
            delete from pgbook_data.candles_1d c
            where c.market = recompute_candles.market and c.time >= begins and c.time < ends
              and not exists (select from made where made.time = c.time)
            returning 1
        ), put as (
            insert into pgbook_data.candles_1d as c
                ("time", open, high, low, close, trades, first_trade_id, last_trade_id, market, volume, notional,
                 taker_buy_volume, taker_buy_notional)
            select d.time, d.open, d.high, d.low, d.close, d.trades, d.first_trade_id, d.last_trade_id,
                   recompute_candles.market, d.volume, d.notional, d.taker_buy_volume, d.taker_buy_notional
            from made d
            on conflict on constraint candles_1d_bucket do update set
                open = excluded.open, high = excluded.high, low = excluded.low, close = excluded.close,
                trades = excluded.trades, first_trade_id = excluded.first_trade_id,
                last_trade_id = excluded.last_trade_id, volume = excluded.volume, notional = excluded.notional,
                taker_buy_volume = excluded.taker_buy_volume, taker_buy_notional = excluded.taker_buy_notional
            where c is distinct from excluded
            returning 1
        )
        select (select count(*) from gone) + (select count(*) from put) into count;
        changed := changed + count;
    end if;
    return changed;
end
$$;

-- Marks a trade as busted, for good: it stays, and candles and analytics leave it out from this commit on. No order, no
-- fill and no digest changes. For operators: traders may not call it.
create function pgbook.bust_trade(security text, trade_id bigint, reason text) returns setof pgbook.busts
language plpgsql security definer set search_path = pg_catalog as $$
declare
    number smallint;
    minute timestamptz;
    traded_at timestamptz;
    chunk regclass;
    bust pgbook_data.busts;
    horizon timestamptz;
begin
    select m.market into number from pgbook_data.markets m where m.symbol = security;
    if number is null then
        raise exception 'unknown_market: there is no market %', coalesce(quote_literal(left(security, 50)), 'null')
            using errcode = 'PB101', column = 'security';
    end if;
    if coalesce(btrim(reason), '') = '' or length(reason) > 1000 then
        raise exception 'bad_value: a bust needs a reason of 1 to 1000 characters'
            using errcode = 'PB117', column = 'reason';
    end if;
    -- Matching writes minutes under the first lock, hours and days are closed under the second.
    perform from pgbook_data.market_state s where s.market = number for update;
    insert into pgbook_data.candle_levels (market) values (number) on conflict do nothing;
    perform from pgbook_data.candle_levels l where l.market = number for update;
    select * into bust from pgbook_data.busts b where b.market = number and b.trade_id = bust_trade.trade_id;
    if bust.trade_id is not null then
        raise exception 'duplicate: trade % of % was busted already, by % (%)', trade_id, security, bust.busted_by,
            left(bust.reason, 200) using errcode = 'PB116', column = 'trade_id';
    end if;
    -- The minute that holds it: a trade that is not busted is in a candle.
    select c.time into minute from pgbook_data.candles_1m c
    where c.market = number and c.first_trade_id <= trade_id order by c.time desc limit 1;
    if minute is not null then
        -- An UPDATE of the hypertable would plan and lock every chunk there is.
        execute 'select tableoid::regclass, time from pgbook_data.trades
                 where market = $1 and trade_id = $2 and time >= $3 and time < $4'
            into chunk, traded_at using number, trade_id, minute, minute + interval '1 minute';
        if traded_at is not null then
            execute format('update %s set busted_at = clock_timestamp() where market = $1 and time = $2 and trade_id = $3',
                chunk) using number, traded_at, trade_id;
        end if;
    end if;
    if traded_at is null then
        select h.dropped_before into horizon from pgbook_data.trade_horizon h;
        raise exception 'bad_value: there is no trade % of %', coalesce(trade_id::text, 'null'),
            security || case when isfinite(horizon)
                then '; those before ' || to_char(horizon at time zone 'UTC', 'YYYY-MM-DD HH24:MI') || 'Z were dropped'
                else '' end
            using errcode = 'PB117', column = 'trade_id';
    end if;
    insert into pgbook_data.busts (market, trade_id, time, reason) values (number, trade_id, traded_at, reason);
    perform pgbook_data.recompute_candles(number, minute, minute + interval '1 minute');
    return query select * from pgbook.busts b where b.security = bust_trade.security and b.trade_id = bust_trade.trade_id;
end
$$;

-- Makes the candles of one UTC day what its trades say, and remembers how far the rebuild came.
-- Returns how many candles were wrong.
create function pgbook_data.rebuild_day(market smallint, day timestamptz) returns bigint
language plpgsql security definer set search_path = pg_catalog as $$
declare
    changed bigint;
    day_end timestamptz := day + interval '24 hours';
begin
    if day <> date_bin('1 day', day, timestamptz '2000-01-03 00:00:00+00') then
        raise exception 'rebuild_day: % is no midnight UTC', day;
    end if;
    -- Matching writes minutes at its clock or later only; older days are rebuilt beside it.
    perform from pgbook_data.market_state s where s.market = rebuild_day.market and s.clock >= day_end;
    if not found then
        perform from pgbook_data.market_state s where s.market = rebuild_day.market for update;
    end if;
    insert into pgbook_data.candle_levels (market) values (rebuild_day.market) on conflict do nothing;
    perform from pgbook_data.candle_levels l where l.market = rebuild_day.market for update;
    -- Trades are not dropped while they are read.
    perform from pgbook_data.trade_horizon h for share;
    changed := pgbook_data.recompute_candles(market, day, day_end);
    update pgbook_data.candle_levels l set rebuilt_before = day_end where l.market = rebuild_day.market;
    return changed;
end
$$;

-- The chunks of trades that lie wholly before a time, and how many trades are in each.
create function pgbook_data.trade_chunks(before timestamptz)
returns table (chunk text, begins timestamptz, ends timestamptz, trades bigint)
language plpgsql stable security definer set search_path = pg_catalog as $$
begin
    for chunk, begins, ends in
        select c.chunk_name::text, c.range_start, c.range_end
        from timescaledb_information.chunks c
        where c.hypertable_schema = 'pgbook_data' and c.hypertable_name = 'trades' and c.range_end <= before
        order by c.range_start
    loop
        execute 'select count(*) from pgbook_data.trades where time >= $1 and time < $2' into trades using begins, ends;
        return next;
    end loop;
end
$$;

-- Drops the chunks of trades that lie wholly before a time; candles stay. Returns what was dropped.
create function pgbook_data.drop_trades(before timestamptz)
returns table (chunk text, begins timestamptz, ends timestamptz, trades bigint)
language plpgsql security definer set search_path = pg_catalog as $$
declare
    last_end timestamptz;
begin
    -- Waits for whoever reads trades to compare or rebuild candles.
    perform pg_advisory_xact_lock(5131870462);
    perform from pgbook_data.trade_horizon h for update;
    for chunk, begins, ends, trades in select * from pgbook_data.trade_chunks(before) loop
        last_end := ends;
        return next;
    end loop;
    if last_end is not null then
        perform public.drop_chunks('pgbook_data.trades', older_than => last_end);
        update pgbook_data.trade_horizon h set dropped_before = greatest(h.dropped_before, last_end);
    end if;
end
$$;

-- How much time a new chunk of trades covers: whole hours that divide a day, or whole days.
create function pgbook_data.set_trade_chunk(span interval) returns void
language plpgsql security definer set search_path = pg_catalog as $$
declare
    seconds numeric := extract(epoch from span);
begin
    if seconds is null or seconds < 3600 or extract(month from span) <> 0 or extract(year from span) <> 0
       or (seconds < 86400 and 86400 % seconds <> 0) or (seconds < 86400 and seconds % 3600 <> 0)
       or (seconds >= 86400 and seconds % 86400 <> 0) or seconds > 366 * 86400 then
        raise exception 'bad_value: a chunk covers 1h, 2h, 3h, 4h, 6h, 8h, 12h or 1 to 366 whole days, not %', span
            using errcode = 'PB117', column = 'chunk';
    end if;
    perform public.set_chunk_time_interval('pgbook_data.trades', seconds::bigint * interval '1 second');
end
$$;

-- From when on a market has n candles; before its first candle where it has fewer.
create function pgbook_data.last_from(market smallint, bucket text, n integer, tz text) returns timestamptz
language plpgsql stable set search_path = pg_catalog as $$
declare
    first_minute timestamptz;
    last_bucket timestamptz;
    begins timestamptz;
    width interval;
    reach numeric := n;
begin
    if bucket = '1m' then
        return coalesce((select c.time from pgbook_data.candles_1m c where c.market = last_from.market
                         order by c.time desc offset n - 1 limit 1), '-infinity');
    end if;
    select min(c.time), pgbook_data.bucket_start(max(c.time) + interval '59.999999 seconds', bucket, tz)
    into first_minute, last_bucket
    from pgbook_data.candles_1m c where c.market = last_from.market;
    width := pgbook_data.bucket_end(last_bucket, bucket, tz) - last_bucket;
    loop
        begins := last_bucket - extract(epoch from width) * reach * interval '1 second';
        if first_minute is null or begins <= first_minute then
            return '-infinity';
        end if;
        if (select count(*) >= n
            from pgbook_data.candle_rows(last_from.market, bucket, begins, 'infinity', tz)) then
            return begins;
        end if;
        reach := reach * 4;
    end loop;
end
$$;

-- The latest n candles, oldest first; filled ones reach up to now.
create function pgbook.last_candles(
    security text, "interval" text default '1m', n integer default 500, fill text default 'none',
    tz text default 'UTC'
) returns setof pgbook.candles_1m
language plpgsql stable security definer set search_path = pg_catalog as $$
declare
    begins timestamptz;
begin
    perform pgbook_data.check_bucket("interval", tz);
    if n is null or n < 1 then
        raise exception 'bad_value: n is 1 or more' using errcode = 'PB117', column = 'n';
    end if;
    begins := case when fill = 'none'
        then coalesce((select pgbook_data.last_from(m.market, "interval", n, tz)
                       from pgbook_data.markets m where m.symbol = security), '-infinity')
        else now() - case "interval" when '1M' then 31 * 86400 else extract(epoch from "interval"::interval) end
            * (n + 1) * interval '1 second' end;
    return query
        select l.* from (
            select c.* from pgbook.candles(security, "interval", begins, 'infinity', fill, tz) c
            order by c.time desc limit n
        ) l
        order by l.time;
end
$$;
grant execute on function pgbook.last_candles to pgbook_reader;
