-- What leaves as files: trades in whole ticks and lots, which programs format faster than the server writes decimals.
set local role pgbook_owner;

-- Markets with what turns ticks and lots into decimals, and the minutes that bound their trades; no trade, no minute.
create view pgbook.market_units as
select m.market, m.symbol as security, trim_scale(m.tick_size) as tick_size, trim_scale(m.lot_size) as lot_size,
       m.is_imported, s.clock,
       (select c.time from pgbook_data.candles_1m c where c.market = m.market order by c.time limit 1) as first_minute,
       (select c.time from pgbook_data.candles_1m c where c.market = m.market order by c.time desc limit 1)
           as last_minute
from pgbook_data.markets m join pgbook_data.market_state s using (market);

-- The trades that stand. Ask for one market and bounded times, so that few chunks are planned.
create view pgbook.trade_units as
select market, time, trade_id, price, amount, taker_side, maker_order, taker_order
from pgbook_data.trades
where busted_at is null;
