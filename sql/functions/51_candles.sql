set local role pgbook_owner;

-- The price of the first trade is that of the least pair of number and price, that of the last one of the greatest: as
-- fast as TimescaleDB's first() and last(), and found wherever the extension lies.

-- The finest candles, of whole buckets in [range_from, range_to), from the trades themselves. The statement is planned
-- with the range in it: only its chunks are looked at, however many there are. A rebuild may not trust the minutes that
-- stand there, so the ends are those that are given.
create or replace function pgbook_data.traded_candles(
    market smallint, bucket text, range_from timestamptz, range_to timestamptz
) returns table (
    "time" timestamptz, open bigint, high bigint, low bigint, close bigint, trades bigint, first_trade_id bigint,
    last_trade_id bigint, volume numeric, notional numeric, taker_buy_volume numeric, taker_buy_notional numeric
) language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
    return query execute
        'select date_bin($4, t.time, timestamptz ''2000-01-03 00:00:00+00''), (min(array[t.trade_id, t.price]))[2],
                max(t.price), min(t.price), (max(array[t.trade_id, t.price]))[2], count(*), min(t.trade_id),
                max(t.trade_id), sum(t.amount::numeric), sum(t.amount::numeric * t.price),
                coalesce(sum(t.amount::numeric) filter (where t.taker_side = 0), 0),
                coalesce(sum(t.amount::numeric * t.price) filter (where t.taker_side = 0), 0)
         from pgbook_data.trades t
         where t.market = $1 and t.time >= $2 and t.time < $3 and t.busted_at is null
         group by 1 order by 1'
        using market, range_from, range_to, bucket::interval;
end
$$;

-- Candles from finer ones: days where buckets begin at midnight UTC, hours where they begin with an hour, and minutes
-- where neither is closed yet.
create or replace function pgbook_data.composed_candles(
    market smallint, bucket text, range_from timestamptz, range_to timestamptz, tz text default 'UTC'
) returns table (
    "time" timestamptz, open bigint, high bigint, low bigint, close bigint, trades bigint, first_trade_id bigint,
    last_trade_id bigint, volume numeric, notional numeric, taker_buy_volume numeric, taker_buy_notional numeric
) language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
    first_minute timestamptz;
    last_moment timestamptz;
    begins timestamptz;
    ends timestamptz;
    days_to timestamptz := '-infinity';
    hours_to timestamptz := '-infinity';
    on_days boolean := bucket in ('1d', '1w', '1M');
    on_hours boolean := bucket ~ 'h$' or bucket in ('1d', '1w', '1M');
    width interval;
    -- Where not all buckets are of one length: their beginnings.
    starts timestamptz[];
begin
    perform pgbook_data.check_bucket(bucket, tz);
    width := bucket;
    select min(c.time), max(c.time) + interval '59.999999 seconds' into first_minute, last_moment
    from pgbook_data.candles_1m c where c.market = composed_candles.market;
    if first_minute is null or range_from > last_moment or range_to is null or range_from is null then
        return;
    end if;
    begins := pgbook_data.bucket_ceiling(
        greatest(range_from, pgbook_data.bucket_start(first_minute, bucket, tz)), bucket, tz);
    ends := pgbook_data.bucket_ceiling(
        least(range_to, pgbook_data.bucket_end(pgbook_data.bucket_start(last_moment, bucket, tz), bucket, tz)),
        bucket, tz);
    if begins >= ends then
        return;
    end if;
    if bucket = '1s' then
        return query select * from pgbook_data.traded_candles(market, bucket, begins, ends);
        return;
    end if;
    if tz <> 'UTC' or bucket = '1M' then
        starts := array(select b.time from pgbook_data.bucket_starts(begins, ends, bucket, tz) b);
        select bool_and(extract(epoch from b) % 86400 = 0), bool_and(extract(epoch from b) % 3600 = 0)
        into on_days, on_hours
        from unnest(starts || ends) b;
    end if;
    if on_hours then
        select case when on_days then l.closed_1d else '-infinity' end, l.closed_1h into days_to, hours_to
        from pgbook_data.candle_levels l where l.market = composed_candles.market;
        days_to := coalesce(days_to, '-infinity');
        hours_to := coalesce(hours_to, '-infinity');
    end if;
    return query
        with finer as (
            select d.* from pgbook_data.candles_1d d
            where d.market = composed_candles.market and d.time >= begins and d.time < least(ends, days_to)
            union all
            select h.* from pgbook_data.candles_1h h
            where h.market = composed_candles.market
              and h.time >= greatest(begins, days_to) and h.time < least(ends, hours_to)
            union all
            select m.* from pgbook_data.candles_1m m
            where m.market = composed_candles.market
              and m.time >= greatest(begins, days_to, hours_to) and m.time < ends
        )
        select case when starts is null then date_bin(width, f.time, timestamptz '2000-01-03 00:00:00+00')
                    else starts[width_bucket(f.time, starts)] end, (min(array[f.first_trade_id, f.open]))[2], max(f.high),
               min(f.low), (max(array[f.last_trade_id, f.close]))[2], sum(f.trades)::bigint, min(f.first_trade_id),
               max(f.last_trade_id), sum(f.volume), sum(f.notional), sum(f.taker_buy_volume),
               sum(f.taker_buy_notional)
        from finer f
        group by 1 order by 1;
end
$$;

-- Of hours and days, those that have no row yet.
create or replace function pgbook_data.open_candles(
    market smallint, bucket text, range_from timestamptz, range_to timestamptz
) returns table (
    "time" timestamptz, open bigint, high bigint, low bigint, close bigint, trades bigint, first_trade_id bigint,
    last_trade_id bigint, volume numeric, notional numeric, taker_buy_volume numeric, taker_buy_notional numeric
) language plpgsql stable rows 10 set search_path = pg_catalog, pg_temp as $$
declare
    closed timestamptz := coalesce(
        (select case bucket when '1h' then l.closed_1h else l.closed_1d end
         from pgbook_data.candle_levels l where l.market = open_candles.market), '-infinity');
begin
    if range_to > closed then
        return query
            select * from pgbook_data.composed_candles(market, bucket, greatest(range_from, closed), range_to);
    end if;
end
$$;

-- The candles of a market whose bucket begins in [range_from, range_to), oldest first, in ticks and lots: whole buckets,
-- none without a trade, busted trades left out. Not security definer, so that it is a part of whatever statement calls
-- it: minutes are one scan of an index, and so are closed hours and days.
create or replace function pgbook_data.candle_rows(
    market smallint, bucket text, range_from timestamptz, range_to timestamptz, tz text default 'UTC'
) returns table (
    "time" timestamptz, open bigint, high bigint, low bigint, close bigint, trades bigint, first_trade_id bigint,
    last_trade_id bigint, volume numeric, notional numeric, taker_buy_volume numeric, taker_buy_notional numeric
) language sql stable
begin atomic
    select r.*
    -- The tables' parts are ordered, or the planner would sort what an index gives in order.
    from (
        (select m.time, m.open, m.high, m.low, m.close, m.trades, m.first_trade_id, m.last_trade_id, m.volume,
               m.notional, m.taker_buy_volume, m.taker_buy_notional
        from pgbook_data.candles_1m m
        where bucket = '1m' and tz = 'UTC' and m.market = candle_rows.market
          and m.time >= range_from and m.time < range_to
        order by m.time)
        union all
        (select h.time, h.open, h.high, h.low, h.close, h.trades, h.first_trade_id, h.last_trade_id, h.volume,
               h.notional, h.taker_buy_volume, h.taker_buy_notional
        from pgbook_data.candles_1h h
        where bucket = '1h' and tz = 'UTC' and h.market = candle_rows.market
          and h.time >= range_from and h.time < range_to
        order by h.time)
        union all
        (select d.time, d.open, d.high, d.low, d.close, d.trades, d.first_trade_id, d.last_trade_id, d.volume,
               d.notional, d.taker_buy_volume, d.taker_buy_notional
        from pgbook_data.candles_1d d
        where bucket = '1d' and tz = 'UTC' and d.market = candle_rows.market
          and d.time >= range_from and d.time < range_to
        order by d.time)
        union all
        -- What of the hours or days is not closed yet.
        (select c.* from pgbook_data.open_candles(candle_rows.market, bucket, range_from, range_to) c
        where bucket in ('1h', '1d') and tz = 'UTC')
        union all
        (select c.* from pgbook_data.composed_candles(candle_rows.market, bucket, range_from, range_to, tz) c
        where bucket not in ('1m', '1h', '1d') or tz <> 'UTC')
    ) r
    order by r.time;
end;

-- The price of a market's last trade before a time, in ticks; null where there is none.
create or replace function pgbook_data.close_before(market smallint, before timestamptz) returns bigint
language sql stable set search_path = pg_catalog, pg_temp as $$
    -- Seconds begin within a minute, whose candle may hold later trades.
    select coalesce(
        (select c.close
         from pgbook_data.traded_candles(
             close_before.market, '1s', date_bin('1 minute', before, timestamptz '2000-01-03 00:00:00+00'), before) c
         where date_bin('1 minute', before, timestamptz '2000-01-03 00:00:00+00') < before
         order by c.time desc limit 1),
        (select c.close from pgbook_data.candles_1m c
         where c.market = close_before.market
           and c.time < date_bin('1 minute', before, timestamptz '2000-01-03 00:00:00+00')
         order by c.time desc limit 1))
$$;

-- The candles of a market whose bucket begins in ["from", "to"), oldest first, in decimals.
-- fill: `none` leaves out buckets without a trade; `zero` gives them volumes of 0 and no prices; `previous` gives them
-- volumes of 0 and, as all four prices, the last close before, looked for before the range too. A bucket that begins
-- before the first trade of the market, or has not begun yet, is never filled.
create or replace function pgbook.candles(
    security text, "interval" text, "from" timestamptz, "to" timestamptz, fill text default 'none',
    tz text default 'UTC'
) returns setof pgbook.candles_1m
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
    m pgbook_data.markets;
    begins timestamptz;
    ends timestamptz;
    last_close bigint;
begin
    perform pgbook_data.check_bucket("interval", tz);
    if fill is null or fill not in ('none', 'zero', 'previous') then
        raise exception 'bad_value: fill % is unknown; use none, zero or previous',
            coalesce(quote_literal(left(fill, 50)), 'null') using errcode = 'PB117', column = 'fill';
    end if;
    if "from" is null or "to" is null then
        raise exception 'bad_value: a range needs both ends; -infinity and infinity are all there is'
            using errcode = 'PB117', column = case when "from" is null then 'from' else 'to' end;
    end if;
    select * into m from pgbook_data.markets k where k.symbol = security;
    if m is null then
        raise exception 'unknown_market: there is no market %', coalesce(quote_literal(left(security, 50)), 'null')
            using errcode = 'PB101', column = 'security';
    end if;
    if fill = 'none' then
        return query
            select m.symbol, c.time, trim_scale(c.open * m.tick_size), trim_scale(c.high * m.tick_size),
                   trim_scale(c.low * m.tick_size), trim_scale(c.close * m.tick_size),
                   trim_scale(c.volume * m.lot_size), trim_scale(c.notional * m.tick_size * m.lot_size), c.trades,
                   pgbook_data.quotient(c.notional * m.tick_size, c.volume, 12),
                   trim_scale(c.taker_buy_volume * m.lot_size),
                   trim_scale(c.taker_buy_notional * m.tick_size * m.lot_size)
            from pgbook_data.candle_rows(m.market, "interval", "from", "to", tz) c
            order by c.time;
        return;
    end if;
    select min(c.time) into begins from pgbook_data.candles_1m c where c.market = m.market;
    if begins is null then
        return;
    end if;
    begins := pgbook_data.bucket_ceiling(
        greatest("from", pgbook_data.bucket_start(begins, "interval", tz)), "interval", tz);
    ends := pgbook_data.bucket_ceiling(
        least("to", pgbook_data.bucket_end(pgbook_data.bucket_start(now(), "interval", tz), "interval", tz)),
        "interval", tz);
    if begins >= ends then
        return;
    end if;
    if fill = 'previous' then
        last_close := pgbook_data.close_before(m.market, begins);
    end if;
    return query
        with filled as (
            select g.time, c.open, c.high, c.low, c.close, c.volume, c.notional, c.trades, c.taker_buy_volume,
                   c.taker_buy_notional,
                   -- How many candles there are up to here: one more begins a new run of the same close.
                   count(c.time) over (order by g.time) as run
            from pgbook_data.bucket_starts(begins, ends, "interval", tz) g
            left join pgbook_data.candle_rows(m.market, "interval", begins, ends, tz) c on c.time = g.time
        ), carried as (
            select f.*, case when f.open is null and fill = 'previous'
                             then coalesce(max(f.close) over (partition by f.run), last_close) end as previous
            from filled f
        )
        select m.symbol, c.time, trim_scale(coalesce(c.open, c.previous) * m.tick_size),
               trim_scale(coalesce(c.high, c.previous) * m.tick_size),
               trim_scale(coalesce(c.low, c.previous) * m.tick_size),
               trim_scale(coalesce(c.close, c.previous) * m.tick_size),
               trim_scale(coalesce(c.volume, 0) * m.lot_size),
               trim_scale(coalesce(c.notional, 0) * m.tick_size * m.lot_size), coalesce(c.trades, 0),
               pgbook_data.quotient(c.notional * m.tick_size, c.volume, 12),
               trim_scale(coalesce(c.taker_buy_volume, 0) * m.lot_size),
               trim_scale(coalesce(c.taker_buy_notional, 0) * m.tick_size * m.lot_size)
        from carried c
        -- A first bucket whose only trades were busted has nothing to carry.
        where fill = 'zero' or c.open is not null or c.previous is not null
        order by c.time;
end
$$;

-- From when on a market has n candles; before its first candle where it has fewer.
create or replace function pgbook_data.last_from(market smallint, bucket text, n integer, tz text) returns timestamptz
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
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
create or replace function pgbook.last_candles(
    security text, "interval" text default '1m', n integer default 500, fill text default 'none',
    tz text default 'UTC'
) returns setof pgbook.candles_1m
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
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

-- When the bucket begins that may still change: all before it are final. Nothing can be executed below the market's
-- clock, and what is not in the inbox a minute after its time is not on its way.
create or replace function pgbook.candles_closed_until(security text, "interval" text) returns timestamptz
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform pgbook_data.check_bucket("interval");
    return (
        select pgbook_data.bucket_start(
                   greatest(s.clock, least(
                       now() - interval '60 seconds',
                       (select min(i.time) from pgbook_data.inbox i where i.market = m.market))), "interval")
        from pgbook_data.markets m join pgbook_data.newest_state s using (market)
        where m.symbol = security);
end
$$;

-- The first and the last trade of the candles whose bucket begins in a range.
create or replace function pgbook.candle_trade_ids(security text, "interval" text, "from" timestamptz, "to" timestamptz)
returns table (first_trade_id bigint, last_trade_id bigint)
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
    select min(c.first_trade_id), max(c.last_trade_id)
    from pgbook_data.markets m
    cross join lateral pgbook_data.candle_rows(m.market, "interval", "from", "to") c
    where m.symbol = security;
end;
