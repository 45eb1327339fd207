set local role pgbook_owner;

-- Per market with waiting commands: how many, and since when. With a matcher running it is empty, or young.
create view pgbook.waiting as
select m.symbol as security, count(*) as commands, min(i.time) as oldest
from pgbook_data.inbox i join pgbook_data.markets m using (market)
group by m.symbol;

-- A market's latest n trades, latest first. Every candle holds a trade at least, so the last n candles bound the time
-- in which the last n trades lie: only the chunks of that time are planned and read.
create function pgbook.last_trades(security text, n integer default 20) returns setof pgbook.trades
language plpgsql stable security definer set search_path = pg_catalog as $$
declare
    first_minute timestamptz;
    last_minute timestamptz;
begin
    select min(c.time), max(c.time) into first_minute, last_minute
    from (
        select time from pgbook_data.candles_1m
        where market = (select m.market from pgbook_data.markets m where m.symbol = last_trades.security)
        order by time desc
        limit n
    ) c;
    return query execute
        'select * from pgbook.trades
         where security = $1 and time >= $2 and time < $3 order by time desc, id desc limit $4'
        using security, first_minute, last_minute + interval '1 minute', n;
end
$$;
grant execute on function pgbook.last_trades to pgbook_reader;
