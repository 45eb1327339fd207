-- Candles of any interval, composed from the coarsest rows that are closed, and from minutes after them.
set local role pgbook_owner;

-- dividend ÷ divisor to so many digits after the point; null where the divisor is zero.
create function pgbook_data.quotient(dividend numeric, divisor numeric, digits integer) returns numeric
language sql immutable parallel safe
return case when divisor <> 0 then trim_scale(
    sign(dividend) * sign(divisor) * div(2 * abs(dividend) * ('1e' || digits::text)::numeric + abs(divisor), 2 * abs(divisor))
    * ('1e-' || digits::text)::numeric) end;
-- The view calls it with its reader's rights.
grant execute on function pgbook_data.quotient to pgbook_reader;

-- As it was, but exact: a plain division keeps 16 digits, which are fewer than 12 after the point where a price has many
-- ticks.
create or replace view pgbook.candles_1m as
select m.symbol as security, c.time, trim_scale(c.open * m.tick_size) as open, trim_scale(c.high * m.tick_size) as high,
       trim_scale(c.low * m.tick_size) as low, trim_scale(c.close * m.tick_size) as close,
       trim_scale(c.volume * m.lot_size) as volume, trim_scale(c.notional * m.tick_size * m.lot_size) as quote_volume,
       c.trades, pgbook_data.quotient(c.notional * m.tick_size, c.volume, 12) as vwap,
       trim_scale(c.taker_buy_volume * m.lot_size) as taker_buy_volume,
       trim_scale(c.taker_buy_notional * m.tick_size * m.lot_size) as taker_buy_quote_volume
from pgbook_data.candles_1m c join pgbook_data.markets m using (market);

-- Refuses what is no interval, and a time zone where it has no meaning.
create function pgbook_data.check_bucket(bucket text, tz text default 'UTC') returns void
language plpgsql stable set search_path = pg_catalog as $$
begin
    if bucket is null or bucket <> all (array['1s', '1m', '2m', '3m', '4m', '5m', '6m', '10m', '12m', '15m', '20m',
                                              '30m', '1h', '2h', '3h', '4h', '6h', '8h', '12h', '1d', '1w', '1M']) then
        raise exception 'bad_value: interval % is unknown; use 1s, 1m, 2m, 3m, 4m, 5m, 6m, 10m, 12m, 15m, 20m, 30m, 1h, 2h, 3h, 4h, 6h, 8h, 12h, 1d, 1w or 1M',
            coalesce(quote_literal(left(bucket, 50)), 'null') using errcode = 'PB117', column = 'interval';
    end if;
    if tz = 'UTC' then
        return;
    end if;
    if tz is null or bucket <> all (array['1d', '1w', '1M']) then
        raise exception 'bad_value: a time zone goes with 1d, 1w and 1M only: candles of % begin at the same moments everywhere',
            bucket using errcode = 'PB117', column = 'tz';
    end if;
    perform now() at time zone tz;
exception when invalid_parameter_value then
    raise exception 'bad_value: time zone % is unknown; use a name such as Europe/Berlin', quote_literal(left(tz, 50))
        using errcode = 'PB117', column = 'tz';
end
$$;

-- The first moment of the local day, week (Monday) or month that a time lies in. Where clocks are set back over
-- midnight, local midnight comes twice: date_trunc gives the second, the day begins with the first.
create function pgbook_data.local_start("time" timestamptz, unit text, tz text) returns timestamptz
language sql stable parallel safe set search_path = pg_catalog as $$
    select case when ((s - interval '1 hour') at time zone tz)::date = (s at time zone tz)::date
                then s - interval '1 hour' else s end
    from date_trunc(unit, "time", tz) s
$$;

-- When the bucket begins that a time lies in. Weeks begin on Monday.
create function pgbook_data.bucket_start("time" timestamptz, bucket text, tz text default 'UTC') returns timestamptz
language sql stable parallel safe
return case
    when bucket = '1M' or tz <> 'UTC' then pgbook_data.local_start(
        "time", case bucket when '1M' then 'month' when '1w' then 'week' else 'day' end, tz)
    else date_bin(bucket::interval, "time", timestamptz '2000-01-03 00:00:00+00') end;

-- When the bucket ends that begins at a time: half a day into the next local bucket lies in it, however clocks are set.
create function pgbook_data.bucket_end(start timestamptz, bucket text, tz text default 'UTC') returns timestamptz
language sql stable parallel safe
return case
    when bucket = '1M' then pgbook_data.local_start(start + interval '768 hours', 'month', tz)
    when tz = 'UTC' then start + extract(epoch from bucket::interval) * interval '1 second'
    when bucket = '1w' then pgbook_data.local_start(start + interval '180 hours', 'week', tz)
    else pgbook_data.local_start(start + interval '36 hours', 'day', tz) end;

-- The first bucket that begins at a time or later.
create function pgbook_data.bucket_ceiling("time" timestamptz, bucket text, tz text default 'UTC') returns timestamptz
language sql stable parallel safe
return case when pgbook_data.bucket_start("time", bucket, tz) = "time" then "time"
    else pgbook_data.bucket_end(pgbook_data.bucket_start("time", bucket, tz), bucket, tz) end;

-- Every bucket that begins in [begins, ends), where both are such beginnings.
create function pgbook_data.bucket_starts(begins timestamptz, ends timestamptz, bucket text, tz text)
returns table ("time" timestamptz)
language plpgsql stable set search_path = pg_catalog as $$
begin
    if tz = 'UTC' and bucket <> '1M' then
        return query select generate_series(begins, ends - interval '1 microsecond',
            extract(epoch from bucket::interval) * interval '1 second');
        return;
    end if;
    "time" := begins;
    while "time" < ends loop
        return next;
        "time" := pgbook_data.bucket_end("time", bucket, tz);
    end loop;
end
$$;

-- The finest candles, of whole buckets in [range_from, range_to), from the trades themselves. The statement is planned
-- with the range in it: only its chunks are looked at, however many there are.
create function pgbook_data.traded_candles(
    market smallint, bucket text, range_from timestamptz, range_to timestamptz
) returns table (
    "time" timestamptz, open bigint, high bigint, low bigint, close bigint, trades bigint, first_trade_id bigint,
    last_trade_id bigint, volume numeric, notional numeric, taker_buy_volume numeric, taker_buy_notional numeric
) language plpgsql stable set search_path = pg_catalog as $$
declare
    first_minute timestamptz;
    last_minute timestamptz;
begin
    -- No trade lies outside the minutes that have candles: no end of the range is open.
    select min(c.time), max(c.time) into first_minute, last_minute
    from pgbook_data.candles_1m c where c.market = traded_candles.market;
    if first_minute is null then
        return;
    end if;
    return query execute
        'select date_bin($4, t.time, timestamptz ''2000-01-03 00:00:00+00''), public.first(t.price, t.trade_id),
                max(t.price), min(t.price), public.last(t.price, t.trade_id), count(*), min(t.trade_id),
                max(t.trade_id), sum(t.amount::numeric), sum(t.amount::numeric * t.price),
                coalesce(sum(t.amount::numeric) filter (where t.taker_side = 0), 0),
                coalesce(sum(t.amount::numeric * t.price) filter (where t.taker_side = 0), 0)
         from pgbook_data.trades t
         where t.market = $1 and t.time >= $2 and t.time < $3 and t.busted_at is null
         group by 1 order by 1'
        using market, greatest(first_minute, range_from), least(last_minute + interval '1 minute', range_to),
            bucket::interval;
end
$$;

-- Candles from finer ones: days where buckets begin at midnight UTC, hours where they begin with an hour, and minutes
-- where neither is closed yet.
create function pgbook_data.composed_candles(
    market smallint, bucket text, range_from timestamptz, range_to timestamptz, tz text default 'UTC'
) returns table (
    "time" timestamptz, open bigint, high bigint, low bigint, close bigint, trades bigint, first_trade_id bigint,
    last_trade_id bigint, volume numeric, notional numeric, taker_buy_volume numeric, taker_buy_notional numeric
) language plpgsql stable set search_path = pg_catalog as $$
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
                    else starts[width_bucket(f.time, starts)] end, public.first(f.open, f.first_trade_id), max(f.high),
               min(f.low), public.last(f.close, f.last_trade_id), sum(f.trades)::bigint, min(f.first_trade_id),
               max(f.last_trade_id), sum(f.volume), sum(f.notional), sum(f.taker_buy_volume),
               sum(f.taker_buy_notional)
        from finer f
        group by 1 order by 1;
end
$$;

-- Of hours and days, those that have no row yet.
create function pgbook_data.open_candles(
    market smallint, bucket text, range_from timestamptz, range_to timestamptz
) returns table (
    "time" timestamptz, open bigint, high bigint, low bigint, close bigint, trades bigint, first_trade_id bigint,
    last_trade_id bigint, volume numeric, notional numeric, taker_buy_volume numeric, taker_buy_notional numeric
) language plpgsql stable rows 10 set search_path = pg_catalog as $$
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
create function pgbook_data.candle_rows(
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

-- Closes the hours and days of a market that have ended: no trade can fall into them any more, for trade times never
-- fall and the market's clock is beyond. At most so many hours at once; null: all of them.
-- Returns how many hours were closed; fewer than asked for: no more are due.
create function pgbook_data.close_candles(market smallint, hours_max integer default null) returns bigint
language plpgsql security definer set search_path = pg_catalog as $$
declare
    level pgbook_data.candle_levels;
    due timestamptz;
    begins timestamptz;
    ends timestamptz;
    hours bigint := 0;
begin
    insert into pgbook_data.candle_levels (market) values (close_candles.market) on conflict do nothing;
    select * into level from pgbook_data.candle_levels l where l.market = close_candles.market for update;
    -- Read after the lock, in a later snapshot: whoever moved the clock this far has committed its minutes.
    select date_bin('1 hour', s.clock, timestamptz '2000-01-03 00:00:00+00') into due
    from pgbook_data.market_state s where s.market = close_candles.market;
    if due is null or due <= level.closed_1h then
        return 0;
    end if;
    select date_bin('1 hour', min(m.time), timestamptz '2000-01-03 00:00:00+00') into begins
    from pgbook_data.candles_1m m where m.market = close_candles.market and m.time >= level.closed_1h;
    -- Hours without a trade need no work, so they do not count.
    ends := case when begins < due then least(due, begins + hours_max * interval '1 hour') else due end;
    if begins < ends then
        insert into pgbook_data.candles_1h
            ("time", open, high, low, close, trades, first_trade_id, last_trade_id, market, volume, notional,
             taker_buy_volume, taker_buy_notional)
        select date_bin('1 hour', m.time, timestamptz '2000-01-03 00:00:00+00'), public.first(m.open, m.first_trade_id),
               max(m.high), min(m.low), public.last(m.close, m.last_trade_id), sum(m.trades), min(m.first_trade_id),
               max(m.last_trade_id), m.market, sum(m.volume), sum(m.notional), sum(m.taker_buy_volume),
               sum(m.taker_buy_notional)
        from pgbook_data.candles_1m m
        where m.market = close_candles.market and m.time >= begins and m.time < ends
        group by m.market, 1;
        hours := extract(epoch from ends - begins) / 3600;
    end if;
    due := date_bin('1 day', ends, timestamptz '2000-01-03 00:00:00+00');
    if due > level.closed_1d then
        insert into pgbook_data.candles_1d
            ("time", open, high, low, close, trades, first_trade_id, last_trade_id, market, volume, notional,
             taker_buy_volume, taker_buy_notional)
        select date_bin('1 day', h.time, timestamptz '2000-01-03 00:00:00+00'), public.first(h.open, h.first_trade_id),
               max(h.high), min(h.low), public.last(h.close, h.last_trade_id), sum(h.trades), min(h.first_trade_id),
               max(h.last_trade_id), h.market, sum(h.volume), sum(h.notional), sum(h.taker_buy_volume),
               sum(h.taker_buy_notional)
        from pgbook_data.candles_1h h
        where h.market = close_candles.market and h.time >= level.closed_1d and h.time < due
        group by h.market, 1;
    end if;
    update pgbook_data.candle_levels l set closed_1h = ends, closed_1d = greatest(l.closed_1d, due)
    where l.market = close_candles.market;
    return hours;
end
$$;

-- Takes back the closing of all hours and days that end after a time, as far as minutes can give them again. For whoever
-- writes minutes of a time that may be closed, before doing so.
create function pgbook_data.reopen_candles(market smallint, since timestamptz) returns void
language plpgsql security definer set search_path = pg_catalog as $$
declare
    hour timestamptz := date_bin('1 hour', since, timestamptz '2000-01-03 00:00:00+00');
    day timestamptz := date_bin('1 day', since, timestamptz '2000-01-03 00:00:00+00');
begin
    perform from pgbook_data.candle_levels l where l.market = reopen_candles.market for update;
    delete from pgbook_data.candles_1h h where h.market = reopen_candles.market and h.time >= hour;
    delete from pgbook_data.candles_1d d where d.market = reopen_candles.market and d.time >= day;
    update pgbook_data.candle_levels l set closed_1h = least(l.closed_1h, hour), closed_1d = least(l.closed_1d, day)
    where l.market = reopen_candles.market;
end
$$;

-- The price of a market's last trade before a time, in ticks; null where there is none.
create function pgbook_data.close_before(market smallint, before timestamptz) returns bigint
language sql stable set search_path = pg_catalog as $$
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
create function pgbook.candles(
    security text, "interval" text, "from" timestamptz, "to" timestamptz, fill text default 'none',
    tz text default 'UTC'
) returns setof pgbook.candles_1m
language plpgsql stable security definer set search_path = pg_catalog as $$
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
grant execute on function pgbook.candles to pgbook_reader;
