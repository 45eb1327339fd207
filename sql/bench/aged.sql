-- Fills the trades of a market of its own, HISTORY, with :rows generated ones, over the thirty days before today.
-- The ids in them are of no order.
insert into pgbook_data.markets (symbol, tick_size, lot_size, max_amount, max_price)
values ('HISTORY', 1, 1, 1000000, 1000000000);

insert into pgbook_data.trades (
    time, trade_id, seq, taker_order, maker_order, price, amount, best_bid, best_ask, market, taker_side, taker_user,
    maker_user)
select date_trunc('day', now()) - interval '30 days' + (n - 1) * (interval '30 days' / :rows), n, 2 * n, o.id, o.id,
       1000000 + n % 33 - 16, 75 + n % 51, 999999, 1000001, m.market, n % 2, 'trader-10', 'trader-11'
from pgbook_data.markets m, (select gen_random_uuid() as id) o, generate_series(1, :rows) n
where m.symbol = 'HISTORY';
