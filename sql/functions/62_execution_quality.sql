set local role pgbook_owner;

create or replace function pgbook.volatility(
    security text, "from" timestamptz default null, "to" timestamptz default null, "interval" text default '5m',
    "by" text default null, annualise boolean default false, tz text default 'UTC')
returns table ("time" timestamptz, intervals bigint, close_to_close numeric, parkinson numeric)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
declare
    r record;
    known_to timestamptz;
    -- Divisions and logarithms keep as many digits as what they are given.
    one constant numeric := 1.000000000000000000000000;
    scale numeric := 1;
begin
    perform pgbook_data.check_bucket("interval");
    if "by" is not null then perform pgbook_data.check_bucket("by", tz); end if;
    r := pgbook_data.analytics_range(security, "from", "to");
    known_to := least(r.ends, now());
    if annualise then
        scale := sqrt(one * case "interval" when '1M' then 12 else 365 * 86400 / extract(epoch from "interval"::interval) end);
    end if;
    return query
        with candles as (
            select case when "by" is null then r.starts else pgbook_data.bucket_start(c.time, "by", tz) end as bucket, c.*
            from pgbook_data.range_candles(r.market, r.starts, r.ends, "interval", 'UTC') c
        ),
        steps as (
            select bucket, time,
                   ln(one * close / lag(close) over (partition by bucket order by time)) as step,
                   ln(one * high / low) as span
            from candles
        ),
        sums as (
            select bucket, min(time) as first_time, count(*) as traded, coalesce(sum(step), 0) as steps,
                   coalesce(sum(step * step), 0) as squares, sum(span * span) as spans
            from steps group by bucket
        ),
        -- Without a trade the price did not change: those intervals count, with a return of 0.
        counted as (
            select s.*, greatest(traded, (
                       select count(*) from pgbook_data.bucket_starts(s.first_time, case when "by" is null then known_to
                           else least(known_to, pgbook_data.bucket_end(s.bucket, "by", tz)) end, "interval", 'UTC'))) as n
            from sums s
        )
        select bucket, n,
               case when n > 2 then trim_scale(round(
                   scale * sqrt(greatest(0, squares - steps * steps / (n - 1)) / (n - 2)), 12)) end,
               trim_scale(round(scale * sqrt(spans / (4 * ln(one * 2) * n)), 12))
        from counted order by bucket;
end
$$;

comment on function pgbook.volatility is
'Standard deviation of returns per interval, from candles of the interval (`"interval"`), as a fraction to 12 digits. close_to_close: the sample deviation of r = ln(close / close before), √(Σ(r − mean)² / (n − 1)) of n = intervals − 1 returns. parkinson: √(Σ ln(high / low)² / (4 ln 2 · intervals)). intervals counts from the first with a trade to the end of the range or bucket; one without a trade has return and span 0. annualise multiplies by √(intervals in 365 days). Source: M. Parkinson, The Extreme Value Method for Estimating the Variance of the Rate of Return, Journal of Business 53 (1980).';

-- The trades of a range, each with what the market was worth a horizon later, twice the price in ticks:
--   mid: the middle of the first trade in [t + horizon, t + 2·horizon) that knows both sides just before its match;
--   last: the price of the last trade at t + horizon or before, where that is past already.
-- mid2 is twice the middle just before the trade itself.
create or replace function pgbook_data.later_prices(
    market smallint, starts timestamptz, ends timestamptz, horizon interval, against text)
returns table ("time" timestamptz, trade_id bigint, price bigint, amount bigint, sign integer, spread numeric,
               mid2 numeric, later2 numeric)
language plpgsql stable set search_path = pg_catalog, pg_temp set plan_cache_mode = 'force_custom_plan' as $$
#variable_conflict use_column
declare
    reach constant timestamptz := ends + horizon + horizon;
    is_mid constant boolean := against = 'mid';
begin
    return query
        with known as (
            select t.time, t.trade_id, t.price, t.amount, case t.taker_side when 0 then 1 else -1 end as sign,
                   t.best_ask::numeric - t.best_bid as spread, t.best_bid::numeric + t.best_ask as mid2
            from pgbook_data.trades t
            where t.market = later_prices.market and t.time >= starts and t.time < reach and t.busted_at is null
        ),
        events as (
            -- Kind 0 tells a price, kind 1 asks for it.
            select k.*, k.time as at, 0 as kind, case when is_mid then mid2 else 2 * k.price::numeric end as mark
            from known k
            union all
            select k.*, k.time + horizon, 1, null from known k where k.time < ends
        ),
        -- Read from the last to the first, the mark before a question is the first one after it; read from the first
        -- to the last, it is the last one up to it.
        runs as (
            select e.*, count(mark) over (order by case when is_mid then reach - at else at - starts end, kind,
                                          case when is_mid then -trade_id else trade_id end) as run
            from events e
        ),
        marked as (
            select m.*, max(mark) over (partition by run) as found,
                   max(at) filter (where mark is not null) over (partition by run) as found_at
            from runs m
        )
        select time, trade_id, price, amount, sign, spread, mid2,
               case when is_mid and found_at >= at and found_at < at + horizon or not is_mid and at <= now() then found end
        from marked where kind = 1;
end
$$;

-- Refuses a horizon that is none.
create or replace function pgbook_data.check_horizon(horizon interval) returns void
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
begin
    if horizon is null or horizon < interval '1 microsecond' or horizon > interval '1 day' then
        raise exception 'bad_value: horizon % is outside 1 microsecond to 1 day', coalesce(horizon::text, 'null')
            using errcode = 'PB117', column = 'horizon';
    end if;
end
$$;

create or replace function pgbook.spread(
    security text, "from" timestamptz default null, "to" timestamptz default null, horizon interval default '5 seconds',
    "by" text default null, tz text default 'UTC')
returns table ("time" timestamptz, trades bigint, quoted numeric, quoted_bps numeric, effective numeric,
               effective_bps numeric, realised_trades bigint, realised numeric, realised_bps numeric)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
declare
    r record;
begin
    if "by" is not null then perform pgbook_data.check_bucket("by", tz); end if;
    perform pgbook_data.check_horizon(horizon);
    r := pgbook_data.analytics_range(security, "from", "to");
    return query
        with measured as (
            select case when "by" is null then r.starts else pgbook_data.bucket_start(p.time, "by", tz) end as bucket,
                   amount::numeric as amount, amount * spread as quoted, amount * sign * (2 * price::numeric - mid2) as effective,
                   amount * mid2 as mids, amount * sign * (2 * price::numeric - later2) as realised, later2
            from pgbook_data.later_prices(r.market, r.starts, r.ends, horizon, 'mid') p
            where mid2 is not null
        ),
        sums as (
            select bucket, count(*) as n, sum(amount) as amount, sum(quoted) as quoted, sum(effective) as effective,
                   sum(mids) as mids, count(later2) as later, sum(realised) as realised,
                   sum(amount) filter (where later2 is not null) as later_amount,
                   sum(mids) filter (where later2 is not null) as later_mids
            from measured group by bucket
        )
        select bucket, n, pgbook_data.quotient(quoted * r.tick, amount, 12),
               pgbook_data.quotient(quoted * 20000, mids, 6), pgbook_data.quotient(effective * r.tick, amount, 12),
               pgbook_data.quotient(effective * 20000, mids, 6), later,
               pgbook_data.quotient(realised * r.tick, later_amount, 12),
               pgbook_data.quotient(realised * 20000, later_mids, 6)
        from sums order by bucket;
end
$$;

comment on function pgbook.spread is
'Spreads that traded amounts met, each weighted by amount, in price to 12 digits and in basis points of the mid to 6: Σ amount·spread / Σ amount, and 10000 · Σ amount·spread / Σ amount·mid. quoted = ask − bid just before the match; effective = 2·side·(price − mid); realised = 2·side·(price − mid at + horizon), side 1 where the taker bought and −1 where it sold. The mid at t + h is that of the first trade in [t + h, t + 2h): no trade came between; without one the trade is left out of realised. Trades with an empty side are left out. Source: Huang, Stoll, Dealer versus auction markets, Journal of Financial Economics 41 (1996); weights as in SEC Rule 605.';

create or replace function pgbook.markout(
    security text, "from" timestamptz default null, "to" timestamptz default null,
    horizons interval[] default '{1 second, 5 seconds, 30 seconds}', against text default 'mid', "by" text default null,
    tz text default 'UTC')
returns table ("time" timestamptz, horizon interval, trades bigint, measured bigint, markout numeric,
               markout_bps numeric)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
declare
    r record;
    step interval;
begin
    if "by" is not null then perform pgbook_data.check_bucket("by", tz); end if;
    if against is null or against not in ('mid', 'last') then
        raise exception 'bad_value: against % is unknown; use mid or last', coalesce(quote_literal(left(against, 40)), 'null')
            using errcode = 'PB117', column = 'against';
    end if;
    if horizons is null or cardinality(horizons) not between 1 and 16 then
        raise exception 'bad_value: % horizons are outside 1 to 16', coalesce(cardinality(horizons), 0)
            using errcode = 'PB117', column = 'horizons';
    end if;
    r := pgbook_data.analytics_range(security, "from", "to");
    foreach step in array horizons loop
        perform pgbook_data.check_horizon(step);
        return query
            with measured as (
                select case when "by" is null then r.starts else pgbook_data.bucket_start(p.time, "by", tz) end as bucket,
                       later2, amount::numeric as amount, amount * price::numeric as notional,
                       amount * sign * (later2 - 2 * price::numeric) as gain
                from pgbook_data.later_prices(r.market, r.starts, r.ends, step, against) p
            ),
            sums as (
                select bucket, count(*) as trades, count(later2) as measured, sum(gain) as gain,
                       sum(amount) filter (where later2 is not null) as amount,
                       sum(notional) filter (where later2 is not null) as notional
                from measured group by bucket
            )
            select bucket, step, trades, measured, pgbook_data.quotient(gain * r.tick, 2 * amount, 12),
                   pgbook_data.quotient(gain * 5000, notional, 6)
            from sums order by bucket;
    end loop;
end
$$;

comment on function pgbook.markout is
'What takers gained in the time after their trades: Σ amount·side·(m − price) / Σ amount in price, to 12 digits, and 10000 · Σ amount·side·(m − price) / Σ amount·price in basis points, to 6; side 1 where the taker bought and −1 where it sold; makers gained the opposite. m, against mid: the mid of the first trade in [t + h, t + 2h); against last: the price of the last trade at t + h or before. measured counts the trades with an m. Source: Conrad, Wahal, The term structure of liquidity provision, Journal of Financial Economics 136 (2020).';

create or replace function pgbook.slippage(
    security text, "from" timestamptz default null, "to" timestamptz default null)
returns table ("time" timestamptz, order_id uuid, user_id text, side text, amount numeric, trades bigint,
               avg_price numeric, mid numeric, touch numeric, mid_bps numeric, touch_bps numeric)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
set plan_cache_mode = 'force_custom_plan' as $$
#variable_conflict use_column
declare
    r record;
begin
    r := pgbook_data.analytics_range(security, "from", "to");
    return query
        with orders as (
            -- An imported trade has no number of its taker's execution: it stands for itself.
            select time, taker_order, taker_user, taker_side, min(trade_id) as first_trade, count(*) as trades,
                   sum(amount) as amount, sum(price * amount::numeric) as notional,
                   (min(array[trade_id, best_bid]))[2]::numeric as bid, (min(array[trade_id, best_ask]))[2]::numeric as ask
            from pgbook_data.trades
            where market = r.market and time >= r.starts and time < r.ends and busted_at is null
            group by coalesce(seq, -trade_id), time, taker_order, taker_user, taker_side
        ),
        arrivals as (
            select o.*, case taker_side when 0 then 1 else -1 end as sign, bid + ask as mid2,
                   case taker_side when 0 then ask else bid end as touch
            from orders o
        )
        select time, taker_order, taker_user, case taker_side when 0 then 'bid' else 'ask' end,
               trim_scale(amount * r.lot), trades, pgbook_data.quotient(notional * r.tick, amount, 12),
               trim_scale(mid2 * 0.5 * r.tick), trim_scale(touch * r.tick),
               pgbook_data.quotient(10000 * sign * (2 * notional - mid2 * amount), mid2 * amount, 6),
               pgbook_data.quotient(10000 * sign * (notional - touch * amount), touch * amount, 6)
        from arrivals order by first_trade;
end
$$;

comment on function pgbook.slippage is
'Per execution of a taker order: what it paid over the market at its arrival, in basis points to 6 digits; above zero is a cost. 10000 · side · (avg_price − reference) / reference, side 1 for a bid and −1 for an ask, against the mid and against the touch (the best price of the other side), both just before its first match that counts; null where a side was empty or is not known. Source: A. Perold, The implementation shortfall, Journal of Portfolio Management 14 (1988).';

create or replace function pgbook.fills(
    security text, "from" timestamptz default null, "to" timestamptz default null, "by" text default null,
    tz text default 'UTC')
returns table ("time" timestamptz, orders bigint, traded_orders bigint, filled_orders bigint, cancelled_orders bigint,
               fill_ratio numeric, cancel_ratio numeric, first_fill_p50_us bigint, first_fill_p99_us bigint)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
set plan_cache_mode = 'force_custom_plan' as $$
#variable_conflict use_column
declare
    r record;
begin
    if "by" is not null then perform pgbook_data.check_bucket("by", tz); end if;
    r := pgbook_data.analytics_range(security, "from", "to");
    return query
        with parts as (
            select taker_order as id, time, amount from pgbook_data.trades
            where market = r.market and time >= r.starts and time < r.ends and busted_at is null
            union all
            select maker_order, time, amount from pgbook_data.trades
            where market = r.market and time >= r.starts and time < r.ends and busted_at is null
        ),
        traded as materialized (
            select id, min(time) as first_time, sum(amount) as amount from parts where id is not null group by id
        ),
        orders as (
            select case when "by" is null then r.starts else pgbook_data.bucket_start(c.time, "by", tz) end as bucket,
                   coalesce(b.amount, x.amount, c.amount)::numeric as amount, coalesce(t.amount, 0) as filled,
                   pgbook_data.microseconds(c.time, t.first_time)::bigint as first_fill,
                   coalesce(c.code, w.code) = 3 or coalesce(k.time, q.time) < r.ends as is_cancelled
            from pgbook_data.commands c
            left join pgbook_data.outcomes w on w.id = c.id
            left join pgbook_data.book b on b.id = c.id
            left join pgbook_data.closed x on x.id = c.id
            -- What closed it, if that was not a trade: executed at once, or after waiting.
            left join pgbook_data.commands k on k.market = x.market and k.seq = x.seq and x.reason > 1
            left join pgbook_data.outcomes v on v.market = x.market and v.seq = x.seq and x.reason > 1
            left join pgbook_data.commands q on q.id = v.id
            left join traded t on t.id = c.id
            where c.market = r.market and c.time >= r.starts and c.time < r.ends and c.kind = 1
              and coalesce(c.code, w.code) <= 100
        )
        select bucket, count(*), count(first_fill), count(*) filter (where filled >= amount),
               count(*) filter (where is_cancelled), pgbook_data.quotient(sum(filled), sum(amount), 6),
               pgbook_data.quotient(count(*) filter (where is_cancelled), count(*), 6),
               percentile_disc(0.5) within group (order by first_fill),
               percentile_disc(0.99) within group (order by first_fill)
        from orders group by bucket order by bucket;
end
$$;

comment on function pgbook.fills is
'What became, by the end of the range, of the orders given in it and not refused: fill_ratio = Σ traded / Σ amount (as it was amended), cancel_ratio = orders that ended with a part unfilled (cancelled, expired, dropped, taken by self-trade prevention) / orders, both to 6 digits. traded_orders had a trade, filled_orders traded whole. first_fill_p50_us and _p99_us: microseconds from the order''s time to its first trade, of those that had one, as percentile_disc gives them; an order that traded at its arrival counts with about 0. Orders that wait still are left out.';

create or replace function pgbook.latency(
    security text, "from" timestamptz default null, "to" timestamptz default null, "by" text default null,
    tz text default 'UTC')
returns table ("time" timestamptz, at_once bigint, waited bigint, p50_us bigint, p99_us bigint, max_us bigint)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
set plan_cache_mode = 'force_custom_plan' as $$
#variable_conflict use_column
declare
    r record;
begin
    if "by" is not null then perform pgbook_data.check_bucket("by", tz); end if;
    r := pgbook_data.analytics_range(security, "from", "to");
    return query
        with executed as (
            select case when "by" is null then r.starts else pgbook_data.bucket_start(c.time, "by", tz) end as bucket,
                   c.seq, pgbook_data.microseconds(c.accepted_at, w.executed_at)::bigint as waited
            from pgbook_data.commands c left join pgbook_data.outcomes w on w.id = c.id
            where c.market = r.market and c.time >= r.starts and c.time < r.ends
              and (c.seq is not null or w.id is not null)
        )
        select bucket, count(seq), count(waited), percentile_disc(0.5) within group (order by waited),
               percentile_disc(0.99) within group (order by waited), max(waited)
        from executed group by bucket order by bucket;
end
$$;

comment on function pgbook.latency is
'Microseconds from accepted to executed, of the commands of a range that waited in the inbox, as percentile_disc gives them. A command that the transaction which logged it executed too has no such time: at_once counts those.';
