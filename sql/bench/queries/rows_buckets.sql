-- The same from the trades.
select time_bucket(:width::interval, t.time) as time, first(t.price, t.trade_id) as open, max(t.price) as high,
       min(t.price) as low, last(t.price, t.trade_id) as close, count(*) as trades, min(t.trade_id) as first_trade_id,
       max(t.trade_id) as last_trade_id, sum(t.amount::numeric) as volume, sum(t.amount::numeric * t.price) as notional,
       sum(t.amount::numeric) filter (where t.taker_side = 0) as taker_buy_volume,
       sum(t.amount::numeric * t.price) filter (where t.taker_side = 0) as taker_buy_notional
from pgbook_data.trades t join pgbook_data.markets m using (market)
where m.symbol = 'H-1' and t.time >= :from::timestamptz and t.time < :to::timestamptz
group by 1
order by 1;
