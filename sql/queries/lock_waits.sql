-- Nobody waits without a bound for somebody who may never come.

-- name: limit_lock_waits
-- How long a statement of this session waits for a lock before it fails with 55P03, in milliseconds.
select set_config('lock_timeout', $1::text, false)

-- name: free_markets
-- Of these markets those that nobody holds.
select s.market
from unnest($1::smallint[]) asked(market)
cross join lateral (
    select ctid as place from pgbook_data.market_state where market = asked.market order by seq desc limit 1
) newest
cross join lateral (
    select market from pgbook_data.market_state where ctid = newest.place for update skip locked
) s
