-- What people write who have trades and no candles.
select time_bucket(:width::interval, t.time) as time, trim_scale(first(t.price, t.trade_id) * m.tick_size) as open,
       trim_scale(max(t.price) * m.tick_size) as high, trim_scale(min(t.price) * m.tick_size) as low,
       trim_scale(last(t.price, t.trade_id) * m.tick_size) as close,
       trim_scale(sum(t.amount) * m.lot_size) as volume,
       trim_scale(sum(t.amount::numeric * t.price) * m.tick_size * m.lot_size) as quote_volume, count(*) as trades,
       trim_scale(round(sum(t.amount::numeric * t.price) / sum(t.amount) * m.tick_size, 12)) as vwap,
       trim_scale(sum(t.amount) filter (where t.taker_side = 0) * m.lot_size) as taker_buy_volume,
       trim_scale(sum(t.amount::numeric * t.price) filter (where t.taker_side = 0) * m.tick_size * m.lot_size)
           as taker_buy_quote_volume
from pgbook_data.trades t join pgbook_data.markets m using (market)
where m.symbol = 'H-1'
group by 1, m.market
order by 1 desc
limit 500;
