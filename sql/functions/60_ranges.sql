set local role pgbook_owner;

-- The market, its units, and the range that analytics look at.
--   range_from: null is 24 hours before the end, -infinity the market's first minute.
--   range_to: null or infinity is just after the market's last trade.
create or replace function pgbook_data.analytics_range(
    security text, range_from timestamptz, range_to timestamptz,
    out market smallint, out tick numeric, out lot numeric, out starts timestamptz, out ends timestamptz)
language plpgsql stable set search_path = pg_catalog, pg_temp set plan_cache_mode = 'force_custom_plan' as $$
#variable_conflict use_column
declare
    is_open constant boolean := range_to is null or range_to = 'infinity';
    minute_starts timestamptz;
    minute_ends timestamptz;
begin
    select m.market, m.tick_size, m.lot_size into market, tick, lot from pgbook_data.markets m where m.symbol = security;
    if not found then
        raise exception 'unknown_market: there is no market %; pgbook.markets lists them',
            coalesce(quote_literal(left(security, 40)), 'without a name') using errcode = 'PB101', column = 'security';
    end if;
    ends := range_to;
    if is_open then
        minute_starts := (select max(c.time) from pgbook_data.candles_1m c where c.market = analytics_range.market);
        minute_ends := minute_starts + interval '1 minute';
        ends := coalesce(
            (select max(t.time) + interval '1 microsecond' from pgbook_data.trades t
             where t.market = analytics_range.market and t.time >= minute_starts and t.time < minute_ends
               and t.busted_at is null),
            minute_ends, now());
    end if;
    starts := coalesce(range_from, ends - interval '24 hours');
    if starts = '-infinity' then
        starts := coalesce(
            (select min(c.time) from pgbook_data.candles_1m c where c.market = analytics_range.market),
            ends - interval '24 hours');
    end if;
    -- After the last trade there is nothing, which is no mistake.
    if is_open then ends := greatest(ends, starts + interval '1 microsecond'); end if;
    if not starts < ends then
        raise exception 'bad_value: from % is not before to %; give an earlier from or a later to',
            starts at time zone 'UTC', ends at time zone 'UTC' using errcode = 'PB117', column = 'from';
    end if;
end
$$;

-- Trades of [starts, ends) as candles of one trade. Planned with its bounds: only their chunks are looked at.
create or replace function pgbook_data.single_candles(market smallint, starts timestamptz, ends timestamptz)
returns table ("time" timestamptz, open bigint, high bigint, low bigint, close bigint, trades bigint,
               first_trade_id bigint, last_trade_id bigint, volume numeric, notional numeric,
               taker_buy_volume numeric, taker_buy_notional numeric)
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
    return query execute
        'select t.time, t.price, t.price, t.price, t.price, 1::bigint, t.trade_id, t.trade_id, t.amount::numeric,
                t.price * t.amount::numeric, case t.taker_side when 0 then t.amount else 0 end::numeric,
                case t.taker_side when 0 then t.price * t.amount::numeric else 0 end
         from pgbook_data.trades t
         where t.market = $1 and t.time >= $2 and t.time < $3 and t.busted_at is null'
        using market, starts, ends;
end
$$;

-- What a range is made of: trades before the first whole minute, minutes before the first whole hour or day, these, and
-- the same again after them. Where there is no such part nothing is asked: planning it costs more than reading it.
create or replace function pgbook_data.range_parts(
    market smallint, starts timestamptz, minutes_from timestamptz, coarse text, coarse_from timestamptz,
    coarse_to timestamptz, minutes_to timestamptz, ends timestamptz)
returns table ("time" timestamptz, open bigint, high bigint, low bigint, close bigint, trades bigint,
               first_trade_id bigint, last_trade_id bigint, volume numeric, notional numeric,
               taker_buy_volume numeric, taker_buy_notional numeric)
language plpgsql stable set search_path = pg_catalog, pg_temp set plan_cache_mode = 'force_generic_plan' as $$
begin
    if starts < minutes_from then
        return query select * from pgbook_data.single_candles(market, starts, minutes_from);
    end if;
    if minutes_from < coarse_from or coarse_to < minutes_to then
        return query
            select m.time, m.open, m.high, m.low, m.close, m.trades, m.first_trade_id, m.last_trade_id, m.volume,
                   m.notional, m.taker_buy_volume, m.taker_buy_notional
            from pgbook_data.candles_1m m
            where m.market = range_parts.market and m.time >= minutes_from and m.time < coarse_from;
        return query
            select m.time, m.open, m.high, m.low, m.close, m.trades, m.first_trade_id, m.last_trade_id, m.volume,
                   m.notional, m.taker_buy_volume, m.taker_buy_notional
            from pgbook_data.candles_1m m
            where m.market = range_parts.market and m.time >= coarse_to and m.time < minutes_to;
    end if;
    if coarse_from < coarse_to then
        if coarse = '1d' then
            return query
                select d.time, d.open, d.high, d.low, d.close, d.trades, d.first_trade_id, d.last_trade_id, d.volume,
                       d.notional, d.taker_buy_volume, d.taker_buy_notional
                from pgbook_data.candles_1d d
                where d.market = range_parts.market and d.time >= coarse_from and d.time < coarse_to;
        else
            return query
                select h.time, h.open, h.high, h.low, h.close, h.trades, h.first_trade_id, h.last_trade_id, h.volume,
                       h.notional, h.taker_buy_volume, h.taker_buy_notional
                from pgbook_data.candles_1h h
                where h.market = range_parts.market and h.time >= coarse_from and h.time < coarse_to;
        end if;
        return query select * from pgbook_data.open_candles(market, coarse, coarse_from, coarse_to);
    end if;
    if minutes_to < ends then
        return query select * from pgbook_data.single_candles(market, minutes_to, ends);
    end if;
end
$$;

-- Candles of the buckets of a range (`by` null: one of all of it), clipped to it. Whole days, hours and minutes come
-- from the candles, the rest from trades.
create or replace function pgbook_data.range_candles(
    market smallint, starts timestamptz, ends timestamptz, bucket text, tz text)
returns table ("time" timestamptz, open bigint, high bigint, low bigint, close bigint, trades bigint, volume numeric,
               notional numeric, taker_buy_volume numeric, taker_buy_notional numeric)
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
declare
    coarse constant text := case
        when bucket is null or (bucket in ('1d', '1w', '1M') and tz = 'UTC') then '1d'
        when bucket like '%h' then '1h' end;
    coarse_unit constant text := case coarse when '1d' then 'day' else 'hour' end;
    coarse_length constant interval := case coarse when '1d' then interval '24 hours' else interval '1 hour' end;
    minutes_from timestamptz := date_trunc('minute', starts + interval '1 minute' - interval '1 microsecond', 'UTC');
    minutes_to timestamptz := date_trunc('minute', ends, 'UTC');
    coarse_from timestamptz;
    coarse_to timestamptz;
begin
    if bucket = '1s' or minutes_from >= minutes_to then
        minutes_from := ends;
        minutes_to := ends;
    end if;
    coarse_from := date_trunc(coarse_unit, minutes_from + coarse_length - interval '1 microsecond', 'UTC');
    coarse_to := date_trunc(coarse_unit, minutes_to, 'UTC');
    if coarse is null or coarse_from >= coarse_to then
        coarse_from := minutes_to;
        coarse_to := minutes_to;
    end if;
    return query
        select p.bucket, (min(array[p.first_trade_id, p.open]))[2], max(p.high), min(p.low),
               (max(array[p.last_trade_id, p.close]))[2], sum(p.trades)::bigint, sum(p.volume), sum(p.notional),
               sum(p.taker_buy_volume), sum(p.taker_buy_notional)
        from (
            select case when range_candles.bucket is null then starts
                        else pgbook_data.bucket_start(r.time, range_candles.bucket, tz) end as bucket, r.*
            from pgbook_data.range_parts(
                range_candles.market, starts, minutes_from, coarse, coarse_from, coarse_to, minutes_to, ends) r
        ) p
        group by p.bucket
        order by p.bucket;
end
$$;
