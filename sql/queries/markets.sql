-- name: markets
select market, symbol, tick_size, lot_size, max_amount, min_price, max_price
from pgbook_data.markets order by symbol
