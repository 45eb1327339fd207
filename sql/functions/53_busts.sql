set local role pgbook_owner;

-- Marks a trade as busted, for good: it stays, and candles and analytics leave it out from this commit on. No order, no
-- fill and no digest changes. For operators: traders may not call it.
create or replace function pgbook.bust_trade(security text, trade_id bigint, reason text) returns setof pgbook.busts
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    number smallint;
    minute timestamptz;
    traded_at timestamptz;
    chunk regclass;
    bust pgbook_data.busts;
    horizon timestamptz;
begin
    perform pgbook_data.be_durable();
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
