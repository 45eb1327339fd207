set local role pgbook_owner;

create or replace function pgbook.ohlcv(
    security text, "from" timestamptz default null, "to" timestamptz default null, "by" text default null,
    tz text default 'UTC')
returns table ("time" timestamptz, open numeric, high numeric, low numeric, close numeric, volume numeric,
               quote_volume numeric, trades bigint, vwap numeric, taker_buy_volume numeric,
               taker_buy_quote_volume numeric)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
declare
    r record;
begin
    if "by" is not null then perform pgbook_data.check_bucket("by", tz); end if;
    r := pgbook_data.analytics_range(security, "from", "to");
    return query
        select c.time, trim_scale(c.open * r.tick), trim_scale(c.high * r.tick), trim_scale(c.low * r.tick),
               trim_scale(c.close * r.tick), trim_scale(c.volume * r.lot), trim_scale(c.notional * r.tick * r.lot),
               c.trades, pgbook_data.quotient(c.notional * r.tick, c.volume, 12),
               trim_scale(c.taker_buy_volume * r.lot), trim_scale(c.taker_buy_notional * r.tick * r.lot)
        from pgbook_data.range_candles(r.market, r.starts, r.ends, "by", tz) c;
end
$$;

comment on function pgbook.ohlcv is
'Open, high, low, close and volume of a range, or of its buckets. Open and close are those of the first and the last trade by number. quote_volume = Σ price·amount. A range without trades has no row.';

create or replace function pgbook.vwap(
    security text, "from" timestamptz default null, "to" timestamptz default null, "by" text default null,
    tz text default 'UTC')
returns table ("time" timestamptz, vwap numeric, volume numeric, quote_volume numeric, trades bigint)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
declare
    r record;
begin
    if "by" is not null then perform pgbook_data.check_bucket("by", tz); end if;
    r := pgbook_data.analytics_range(security, "from", "to");
    return query
        select c.time, pgbook_data.quotient(c.notional * r.tick, c.volume, 12), trim_scale(c.volume * r.lot),
               trim_scale(c.notional * r.tick * r.lot), c.trades
        from pgbook_data.range_candles(r.market, r.starts, r.ends, "by", tz) c;
end
$$;

comment on function pgbook.vwap is
'Volume-weighted average price: Σ price·amount / Σ amount, from exact sums, to 12 digits. Source: Berkowitz, Logue, Noser, The Total Cost of Transactions on the NYSE, Journal of Finance 43 (1988).';

create or replace function pgbook.flow(
    security text, "from" timestamptz default null, "to" timestamptz default null, "by" text default null,
    tz text default 'UTC')
returns table ("time" timestamptz, flow numeric, volume numeric, taker_buy_volume numeric, taker_sell_volume numeric,
               trades bigint)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
declare
    r record;
begin
    if "by" is not null then perform pgbook_data.check_bucket("by", tz); end if;
    r := pgbook_data.analytics_range(security, "from", "to");
    return query
        select c.time, pgbook_data.quotient(2 * c.taker_buy_volume - c.volume, c.volume, 12),
               trim_scale(c.volume * r.lot), trim_scale(c.taker_buy_volume * r.lot),
               trim_scale((c.volume - c.taker_buy_volume) * r.lot), c.trades
        from pgbook_data.range_candles(r.market, r.starts, r.ends, "by", tz) c;
end
$$;

comment on function pgbook.flow is
'Signed order flow: (taker buys − taker sells) / volume, from −1 to 1, to 12 digits. The side of a taker is known, not guessed. Source: Chordia, Roll, Subrahmanyam, Order imbalance, liquidity, and market returns, Journal of Financial Economics 65 (2002).';

create or replace function pgbook.twap(
    security text, "from" timestamptz default null, "to" timestamptz default null, "by" text default null,
    tz text default 'UTC')
returns table ("time" timestamptz, twap numeric, held_seconds numeric)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
set plan_cache_mode = 'force_custom_plan' as $$
#variable_conflict use_column
declare
    r record;
    -- Nobody knows how long the last price will hold.
    known_to timestamptz;
    first_minute timestamptz;
    held bigint;
begin
    if "by" is not null then perform pgbook_data.check_bucket("by", tz); end if;
    r := pgbook_data.analytics_range(security, "from", "to");
    known_to := least(r.ends, now());
    if known_to <= r.starts then return; end if;
    first_minute := date_trunc('minute', r.starts, 'UTC');
    held := coalesce(
        (select t.price from pgbook_data.trades t
         where t.market = r.market and t.time >= first_minute and t.time < r.starts and t.busted_at is null
         order by t.time desc, t.trade_id desc limit 1),
        (select c.close from pgbook_data.candles_1m c where c.market = r.market and c.time < first_minute
         order by c.time desc limit 1));
    return query
        with events as (
            -- Where the price changes or a bucket begins: a bucket's own trades come after its beginning.
            select r.starts as at, 0 as kind, 0::bigint as id, held as price
            union all
            select s.time, 1, 0, null
            from pgbook_data.bucket_starts(pgbook_data.bucket_start(r.starts, "by", tz), known_to, "by", tz) s
            where "by" is not null and s.time > r.starts
            union all
            select t.time, 2, t.trade_id, t.price from pgbook_data.trades t
            where t.market = r.market and t.time >= r.starts and t.time < known_to and t.busted_at is null
        ),
        spans as (
            select at, lead(at, 1, known_to) over w as until, price, count(price) over w as run
            from events window w as (order by at, kind, id)
        ),
        held as (select at, until, max(price) over (partition by run) as price from spans),
        weighed as (
            select case when "by" is null then r.starts else pgbook_data.bucket_start(at, "by", tz) end as bucket,
                   price, pgbook_data.microseconds(at, until) as weight
            from held where until > at and price is not null
        )
        select bucket, pgbook_data.quotient(sum(price * weight) * r.tick, sum(weight), 12),
               trim_scale(sum(weight) * 0.000001)
        from weighed group by bucket order by bucket;
end
$$;

comment on function pgbook.twap is
'Time-weighted average price: Σ price·held / Σ held, to 12 digits; the last price counts for the time it held inside the range, clipped to it (and to now). A trade before the range gives the price at its beginning; before the first trade of all there is none. held_seconds is Σ held. Of trades at one microsecond the last by number holds.';

create or replace function pgbook.volume_profile(
    security text, "from" timestamptz default null, "to" timestamptz default null, bins integer default 24)
returns table (price_from numeric, price_to numeric, trades bigint, volume numeric, taker_buy_volume numeric,
               share numeric, point_of_control boolean, value_area boolean)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
set plan_cache_mode = 'force_custom_plan' as $$
#variable_conflict use_column
declare
    r record;
    lowest bigint;
    width bigint;
    counts bigint[];
    volumes numeric[];
    buys numeric[];
    total numeric;
    inside numeric;
    center integer;
    bottom integer;
    top integer;
begin
    if bins is null or bins not between 1 and 1000 then
        raise exception 'bad_value: bins % is outside 1 to 1000', coalesce(bins::text, 'null')
            using errcode = 'PB117', column = 'bins';
    end if;
    r := pgbook_data.analytics_range(security, "from", "to");
    with levels as materialized (
        select price, count(*) as trades, sum(amount) as volume,
               coalesce(sum(amount) filter (where taker_side = 0), 0) as buys
        from pgbook_data.trades
        where market = r.market and time >= r.starts and time < r.ends and busted_at is null
        group by price
    ),
    span as (
        select min(price) as lowest, max(price) as highest, (max(price) - min(price)) / volume_profile.bins + 1 as width
        from levels
    ),
    binned as (
        select (price - lowest) / width as bin, sum(trades) as trades, sum(volume) as volume, sum(buys) as buys
        from levels, span group by 1
    )
    select s.lowest, s.width, array_agg(coalesce(b.trades, 0) order by n), array_agg(coalesce(b.volume, 0) order by n),
           array_agg(coalesce(b.buys, 0) order by n), sum(b.volume)
    into lowest, width, counts, volumes, buys, total
    from span s cross join generate_series(0, (s.highest - s.lowest) / s.width) n left join binned b on b.bin = n
    group by s.lowest, s.width;
    if lowest is null then return; end if;

    -- Of equal ones the nearest to the middle, then the lower.
    select n into center from generate_subscripts(volumes, 1) n
    order by volumes[n] desc, abs(2 * n - 1 - cardinality(volumes)), n limit 1;
    bottom := center;
    top := center;
    inside := volumes[center];
    while inside * 10 < total * 7 loop
        if bottom = 1 or (top < cardinality(volumes) and volumes[top + 1] >= volumes[bottom - 1]) then
            top := top + 1;
            inside := inside + volumes[top];
        else
            bottom := bottom - 1;
            inside := inside + volumes[bottom];
        end if;
    end loop;
    return query
        select trim_scale((lowest + (n - 1)::numeric * width) * r.tick),
               trim_scale((lowest + n::numeric * width - 1) * r.tick), counts[n],
               trim_scale(volumes[n] * r.lot), trim_scale(buys[n] * r.lot), pgbook_data.quotient(volumes[n], total, 6),
               n = center, n between bottom and top
        from generate_subscripts(volumes, 1) n order by n;
end
$$;

comment on function pgbook.volume_profile is
'Volume by price, in at most `bins` bins of equally many ticks from the lowest price of the range up; price_from and price_to both belong to the bin. share is to 6 digits. Point of control: the bin with the most volume; of equal ones the nearest to the middle, then the lower. Value area: from there the larger neighbour is added (the upper of equal ones) until at least 70 % of the volume is inside. Source: J. Peter Steidlmayer, Market Profile, Chicago Board of Trade (1984).';

create or replace function pgbook.sizes(
    security text, "from" timestamptz default null, "to" timestamptz default null)
returns table (amount_from numeric, amount_below numeric, trades bigint, volume numeric, cumulative_share numeric,
               p50 numeric, p90 numeric, p99 numeric)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
set plan_cache_mode = 'force_custom_plan' as $$
#variable_conflict use_column
declare
    r record;
    powers constant bigint[] := array(select 1::bigint << n from generate_series(0, 62) n);
begin
    r := pgbook_data.analytics_range(security, "from", "to");
    return query
        with amounts as materialized (
            select amount, count(*) as trades, sum(amount) as volume from pgbook_data.trades
            where market = r.market and time >= r.starts and time < r.ends and busted_at is null
            group by amount
        ),
        ranked as (
            select amount, trades, volume, sum(trades) over (order by amount) as up_to, sum(trades) over () as total
            from amounts
        ),
        -- The least amount that so many trades do not exceed, as percentile_disc has it.
        percentiles as (
            select min(amount) filter (where up_to * 100 >= total * 50) as p50,
                   min(amount) filter (where up_to * 100 >= total * 90) as p90,
                   min(amount) filter (where up_to * 100 >= total * 99) as p99
            from ranked
        ),
        binned as (
            select width_bucket(amount, powers) as bin, sum(trades) as trades, sum(volume) as volume,
                   max(up_to) as up_to, max(total) as total
            from ranked group by 1
        )
        select trim_scale(powers[b.bin] * r.lot), trim_scale(powers[b.bin]::numeric * 2 * r.lot), b.trades::bigint,
               trim_scale(b.volume * r.lot), pgbook_data.quotient(b.up_to, b.total, 6), trim_scale(p.p50 * r.lot),
               trim_scale(p.p90 * r.lot), trim_scale(p.p99 * r.lot)
        from binned b, percentiles p order by b.bin;
end
$$;

comment on function pgbook.sizes is
'Histogram of the amounts of trades: bins of 2^k to below 2^(k+1) lots; bins without trades are left out. cumulative_share is the share of trades up to this bin, to 6 digits. p50, p90 and p99 are of the whole range, the same in each row: amounts that occur, as percentile_disc gives them.';

create or replace function pgbook.top(
    security text, "from" timestamptz default null, "to" timestamptz default null, n integer default 20)
returns table (user_id text, volume numeric, quote_volume numeric, trades bigint, maker_volume numeric,
               taker_volume numeric, maker_share numeric, market_share numeric)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
set plan_cache_mode = 'force_custom_plan' as $$
#variable_conflict use_column
declare
    r record;
begin
    if n is null or n not between 1 and 10000 then
        raise exception 'bad_value: n % is outside 1 to 10000', coalesce(n::text, 'null')
            using errcode = 'PB117', column = 'n';
    end if;
    r := pgbook_data.analytics_range(security, "from", "to");
    return query
        with pairs as materialized (
            select maker_user, taker_user, count(*) as trades, sum(amount) as volume,
                   sum(price * amount::numeric) as notional
            from pgbook_data.trades
            where market = r.market and time >= r.starts and time < r.ends and busted_at is null
            group by maker_user, taker_user
        ),
        parts as (
            select maker_user as user_id, trades, notional, volume as made, 0 as taken from pairs
            union all
            select taker_user, trades, notional, 0, volume from pairs
        ),
        users as (
            select user_id, sum(trades)::bigint as trades, sum(notional) as notional, sum(made) as made,
                   sum(taken) as taken
            from parts group by user_id
        )
        select user_id, trim_scale((made + taken) * r.lot), trim_scale(notional * r.tick * r.lot), trades,
               trim_scale(made * r.lot), trim_scale(taken * r.lot), pgbook_data.quotient(made, made + taken, 6),
               pgbook_data.quotient(made + taken, 2 * (select sum(volume) from pairs), 6)
        from users
        where user_id is not null
        order by made + taken desc, user_id collate "C"
        limit n;
end
$$;

comment on function pgbook.top is
'The n users with the largest volume, made and taken; a trade with oneself counts on both sides. maker_share = maker_volume / volume; market_share = volume / (2 · volume of the market), as each trade has two sides. Shares to 6 digits. Imported trades have no users and count in the market alone.';
