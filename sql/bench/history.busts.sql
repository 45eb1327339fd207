-- Busts about :busts of the trades of every market, never the same ones for another :seed; and the first and the last
-- trade of some minutes, hours and days, which are a candle's open and close.
\set ON_ERROR_STOP on
with chosen as (
    select market, trade_id from pgbook_data.trades
    where hashint8extended(trade_id * 1000 + market, :seed) % (select greatest(1, count(*) / :busts) from pgbook_data.trades) = 0
    union
    select c.market, unnest(array[c.first_trade_id, c.last_trade_id])
    from (
        select market, first_trade_id, last_trade_id, time from pgbook_data.candles_1m
        union all select market, first_trade_id, last_trade_id, time from pgbook_data.candles_1h
        union all select market, first_trade_id, last_trade_id, time from pgbook_data.candles_1d
    ) c
    where hashint8extended(extract(epoch from c.time)::bigint + c.market, :seed) % 5000 = 0
)
select count(b.*) from chosen join pgbook_data.markets m using (market)
cross join lateral pgbook.bust_trade(m.symbol, chosen.trade_id, 'chosen by chance') b;
