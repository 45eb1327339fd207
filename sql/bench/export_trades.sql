-- The bytes of `pgbook export trades`, made by the server. Run with
--   psql -qAt -f sql/bench/export_trades.sql >trades.csv
-- Every market after the other by name; the bounds are those that the candles give, read first, as literals.
set timezone = 'UTC';
set jit = off;
select format('%L::timestamptz', min(time)) as range_from, format('%L::timestamptz', max(time) + interval '1 minute') as range_to
from pgbook_data.candles_1m \gset
copy (
    select t.trade_id, to_char(t.time, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as time, m.symbol,
           trim_scale(t.price * m.tick_size) as price, trim_scale(t.amount * m.lot_size) as amount,
           trim_scale(t.price * m.tick_size * t.amount * m.lot_size) as quote_amount,
           case t.taker_side when 0 then 'bid' else 'ask' end as taker_side,
           t.maker_order as maker_order_id, t.taker_order as taker_order_id
    from (select * from pgbook_data.markets order by symbol collate "C") m
    cross join lateral (
        select * from pgbook_data.trades t
        where t.market = m.market and t.busted_at is null and t.time >= :range_from and t.time < :range_to
        order by t.time, t.trade_id
    ) t
) to stdout (format csv, header);
