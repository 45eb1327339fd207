-- Entering and executing in one transaction; see the guide to the matching transaction.

-- name: direct_start
-- The node's name, and the latest stamp given.
select (select name from pgbook_data.node), (select last_value from pgbook_data.stamps), clock_timestamp()

-- name: direct_markets
-- Sizes, limits and their version.
select market, symbol, tick_size, lot_size, max_amount, min_price, max_price,
       least(floor(max_notional), 1e37) as max_notional, xmin::text::bigint as version
from pgbook_data.markets order by market

-- name: take_markets
-- Takes markets for this transaction, in an order that all who take several keep to.
select s.market, s.seq, s.trade_id, s.last_price, s.clock, s.closed_through, s.is_halted, s.digest,
       (select b.expires from pgbook_data.book b
        where b.market = s.market and b.expires is not null order by b.expires limit 1) as next_expiry
from pgbook_data.market_state s
where s.market = any ($1::smallint[])
order by s.market
for update of s

-- name: locate_orders
-- Orders by id: in which market, whose, and whether their place command was executed yet.
select c.id, c.market, c.user_id, c.seq is not null or o.id is not null as is_executed
from unnest($1::uuid[]) as named(id)
cross join lateral (
    select id, market, user_id, seq from pgbook_data.commands where id = named.id and kind = 1 limit 1
) c
left join lateral (select id from pgbook_data.outcomes where id = c.id limit 1) o on true

-- name: known_commands
-- Which of these ids, and of these users' own ids, stand in the log.
select c.id, null::text as user_id, null::text as client_order_id
from unnest($1::uuid[]) as named(id)
cross join lateral (select id from pgbook_data.commands where id = named.id limit 1) c
union all
select null, c.user_id, c.client_order_id
from unnest($2::text[], $3::text[]) as named(user_id, client_order_id)
cross join lateral (
    select user_id, client_order_id from pgbook_data.commands
    where user_id = named.user_id and client_order_id = named.client_order_id limit 1
) c

-- name: next_expiry
select expires from pgbook_data.book where market = $1 and expires > $2 order by expires limit 1

-- name: move_markets
select pgbook_data.move_markets($1::smallint[], $2::bigint[], $3::bigint[], $4::bytea[], $5::bigint[], $6::bigint[],
                                $7::bigint[], $8::timestamptz[], $9::boolean[], $10::bytea[], $11::bigint)

-- name: notify_markets
-- Hints: who listens reads the tables.
select pg_notify('pgbook_books', payload), case when traded then pg_notify('pgbook_trades', payload) end
from unnest($1::text[], $2::boolean[]) as n(payload, traded)
