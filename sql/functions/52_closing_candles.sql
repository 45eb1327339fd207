set local role pgbook_owner;

-- Closes the hours and days of a market that have ended: no trade can fall into them any more, for trade times never
-- fall and the market's clock is beyond. At most so many hours at once; null: all of them.
-- Returns how many hours were closed; fewer than asked for: no more are due.
create or replace function pgbook_data.close_candles(market smallint, hours_max integer default null) returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
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
    from pgbook_data.market_state s where s.market = close_candles.market order by s.seq desc limit 1;
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
        select date_bin('1 hour', m.time, timestamptz '2000-01-03 00:00:00+00'), (min(array[m.first_trade_id, m.open]))[2],
               max(m.high), min(m.low), (max(array[m.last_trade_id, m.close]))[2], sum(m.trades), min(m.first_trade_id),
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
        select date_bin('1 day', h.time, timestamptz '2000-01-03 00:00:00+00'), (min(array[h.first_trade_id, h.open]))[2],
               max(h.high), min(h.low), (max(array[h.last_trade_id, h.close]))[2], sum(h.trades), min(h.first_trade_id),
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
create or replace function pgbook_data.reopen_candles(market smallint, since timestamptz) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
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

-- Makes the candles of whole days what their trades say: minutes from trades, as far as these are still there, hours
-- from minutes, days from hours. Writes only what differs. Whoever calls it holds the locks.
-- Returns how many candles were wrong, missing or too many.
create or replace function pgbook_data.recompute_candles(market smallint, range_from timestamptz, range_to timestamptz)
returns bigint
language plpgsql set search_path = pg_catalog, pg_temp as $$
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
                   (min(array[m.first_trade_id, m.open]))[2] as open, max(m.high) as high, min(m.low) as low,
                   (max(array[m.last_trade_id, m.close]))[2] as close, sum(m.trades)::bigint as trades,
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
                   (min(array[h.first_trade_id, h.open]))[2] as open, max(h.high) as high, min(h.low) as low,
                   (max(array[h.last_trade_id, h.close]))[2] as close, sum(h.trades)::bigint as trades,
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

-- Makes the candles of one UTC day what its trades say, and remembers how far the rebuild came.
-- Returns how many candles were wrong.
create or replace function pgbook_data.rebuild_day(market smallint, day timestamptz) returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
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

-- Ends a rebuild of all days: removes hours and days from where none is closed, and forgets how far the rebuild came.
-- Returns how many there were.
create or replace function pgbook_data.end_rebuild(market smallint) returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    level pgbook_data.candle_levels;
    hours bigint;
    days bigint;
begin
    select * into level from pgbook_data.candle_levels l where l.market = end_rebuild.market for update;
    with gone as (
        delete from pgbook_data.candles_1h h where h.market = end_rebuild.market and h.time >= level.closed_1h returning 1
    )
    select count(*) into hours from gone;
    with gone as (
        delete from pgbook_data.candles_1d d where d.market = end_rebuild.market and d.time >= level.closed_1d returning 1
    )
    select count(*) into days from gone;
    update pgbook_data.candle_levels l set rebuilt_before = null where l.market = end_rebuild.market;
    return hours + days;
end
$$;
