-- What an export of candles asks beside the candles themselves.
set local role pgbook_owner;

-- When the bucket begins that may still change: all before it are final. Nothing can be executed below the market's
-- clock, and what is not in the inbox a minute after its time is not on its way.
create function pgbook.candles_closed_until(security text, "interval" text) returns timestamptz
language plpgsql stable security definer set search_path = pg_catalog as $$
begin
    perform pgbook_data.check_bucket("interval");
    return (
        select pgbook_data.bucket_start(
                   greatest(s.clock, least(
                       now() - interval '60 seconds',
                       (select min(i.time) from pgbook_data.inbox i where i.market = m.market))), "interval")
        from pgbook_data.markets m join pgbook_data.market_state s using (market)
        where m.symbol = security);
end
$$;

-- The first and the last trade of the candles whose bucket begins in a range.
create function pgbook.candle_trade_ids(security text, "interval" text, "from" timestamptz, "to" timestamptz)
returns table (first_trade_id bigint, last_trade_id bigint)
language sql stable security definer set search_path = pg_catalog
begin atomic
    select min(c.first_trade_id), max(c.last_trade_id)
    from pgbook_data.markets m
    cross join lateral pgbook_data.candle_rows(m.market, "interval", "from", "to") c
    where m.symbol = security;
end;

grant execute on function pgbook.candles_closed_until, pgbook.candle_trade_ids to pgbook_reader;
