set local role pgbook_owner;

create or replace view pgbook.imports as
select i.import, m.symbol as security, i.source, i.trades, i.first_trade_id, i.last_trade_id, i.first_time, i.last_time,
       i.imported_at, i.imported_by, i.undone_at
from pgbook_data.imports i join pgbook_data.markets m using (market);

-- Takes the latest import of a market back: its trades go, with their busts and candles, and the market stands where it
-- stood before. For operators: traders may not call it.
create or replace function pgbook.undo_import(security text) returns setof pgbook.imports
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    number smallint;
    latest pgbook_data.imports;
    shared_minute timestamptz;
begin
    select m.market into number from pgbook_data.markets m where m.symbol = security;
    if number is null then
        raise exception 'unknown_market: there is no market %', coalesce(quote_literal(left(security, 50)), 'null')
            using errcode = 'PB101', column = 'security';
    end if;
    perform from pgbook_data.market_state s where s.market = number for update;
    insert into pgbook_data.candle_levels (market) values (number) on conflict do nothing;
    perform from pgbook_data.candle_levels l where l.market = number for update;
    -- Trades are not dropped while candles are computed from them.
    perform from pgbook_data.trade_horizon h for share;
    select * into latest from pgbook_data.imports i where i.market = number and i.undone_at is null
    order by i.import desc limit 1;
    if latest.import is null then
        raise exception 'bad_value: market % has no import that could be taken back; pgbook.imports lists them', security
            using errcode = 'PB117', column = 'security';
    end if;
    -- A minute may have trades of the import before.
    select c.time into shared_minute from pgbook_data.candles_1m c
    where c.market = number and c.first_trade_id < latest.first_trade_id and c.last_trade_id >= latest.first_trade_id
      and c.time = date_bin('1 minute', latest.first_time, timestamptz '2000-01-03 00:00:00+00');
    if shared_minute < (select h.dropped_before from pgbook_data.trade_horizon h) then
        raise exception 'bad_value: the import cannot be taken back: its first minute, %, has trades of an earlier one, and those were dropped',
            to_char(shared_minute at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
            using errcode = 'PB117', column = 'security';
    end if;
    -- Planned with the range in it: only its chunks are looked at.
    execute 'delete from pgbook_data.trades
             where market = $1 and time >= $2 and time <= $3 and trade_id >= $4 and trade_id <= $5'
        using number, latest.first_time, latest.last_time, latest.first_trade_id, latest.last_trade_id;
    delete from pgbook_data.busts b
    where b.market = number and b.trade_id >= latest.first_trade_id and b.trade_id <= latest.last_trade_id;
    -- What was closed beyond the clock that the market goes back to was closed by this import.
    if isfinite(latest.clock_before) then
        perform pgbook_data.reopen_candles(number, latest.clock_before);
    else
        delete from pgbook_data.candles_1h h where h.market = number;
        delete from pgbook_data.candles_1d d where d.market = number;
        update pgbook_data.candle_levels l set closed_1h = '-infinity', closed_1d = '-infinity' where l.market = number;
    end if;
    delete from pgbook_data.candles_1m c
    where c.market = number and c.time >= date_bin('1 minute', latest.first_time, timestamptz '2000-01-03 00:00:00+00')
      and c.first_trade_id >= latest.first_trade_id;
    if shared_minute is not null then
        perform pgbook_data.recompute_candles(number, shared_minute, shared_minute + interval '1 minute');
    end if;
    update pgbook_data.market_state s
    set trade_id = latest.trade_id_before, last_price = latest.last_price_before, clock = latest.clock_before
    where s.market = number;
    perform pgbook_data.close_candles(number);
    update pgbook_data.imports i set undone_at = clock_timestamp() where i.import = latest.import;
    return query select * from pgbook.imports i where i.import = latest.import;
end
$$;
