-- name: markets
select market, symbol, tick_size, lot_size, max_amount, min_price, max_price,
       least(floor(max_notional), 1e37) as max_notional
from pgbook_data.markets order by symbol
