-- Entering and executing in one transaction; see the guide to the matching transaction.

-- name: direct_start
-- The node's name, the latest stamp given, and the time. A history from elsewhere has a clock of its own; one that is a day
-- ahead was set by hand, and must not take the others' with it.
select (select name from pgbook_data.node),
       greatest((select last_value from pgbook_data.stamps),
                (select (extract(epoch from max(s.clock)) * 1000000)::bigint
                 from pgbook_data.newest_state s join pgbook_data.markets m using (market)
                 where s.clock > '-infinity' and s.clock < clock_timestamp() + interval '1 day' and not m.is_imported)),
       clock_timestamp()

-- name: direct_markets
-- Sizes, limits and their version; not of markets that take no commands, and none in a cluster, whose nodes execute
-- only what all of them have.
select market, symbol, tick_size, lot_size, max_amount, min_price, max_price,
       least(floor(max_notional), 1e37) as max_notional, xmin::text::bigint as version
from pgbook_data.markets where not is_imported and not exists (select from pgbook_data.cluster) order by market

-- name: take_markets
-- Takes markets for this transaction, one after another in the order given, which is the same for all who take several.
select s.market, s.seq, s.trade_id, s.last_price, s.clock, s.closed_through, s.is_halted, s.digest,
       (select b.expires from pgbook_data.book b
        where b.market = s.market and b.expires > s.clock order by b.expires limit 1) as next_expiry
from unnest($1::smallint[]) with ordinality asked(market, n)
cross join lateral (
    select * from pgbook_data.market_state where market = asked.market order by seq desc limit 1 for update
) s
order by asked.n

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

-- name: move_market
-- Proves that the market is where memory has it, locks it for this transaction and moves it on. A market that is
-- somewhere else fails by a division by zero, which costs less than a function. The version that is there now is reached
-- without a look at the ones before it.
with moved as (
    update pgbook_data.market_state
    set seq = $5, trade_id = $6, last_price = $7, clock = $8, is_halted = $9, digest = $10
    where market = $1 and seq = $3::bigint and digest = $4::bytea
      and exists (select from pgbook_data.markets m where m.market = $1 and m.xmin::text::bigint = $2::bigint)
    returning 1
)
select 1 / count(*) from moved

-- name: move_markets
-- The same for several; in the order of their numbers, so that two who do it wait for each other at most.
with moved as (
    update pgbook_data.market_state s
    set seq = n.seq, trade_id = n.trade_id, last_price = n.last_price, clock = n.clock, is_halted = n.is_halted,
        digest = n.digest
    from unnest($1::smallint[], $2::bigint[], $3::bigint[], $4::bytea[], $5::bigint[], $6::bigint[], $7::bigint[],
                $8::timestamptz[], $9::boolean[], $10::bytea[])
        as n(market, version, old_seq, old_digest, seq, trade_id, last_price, clock, is_halted, digest)
    join pgbook_data.markets m on m.market = n.market and m.xmin::text::bigint = n.version
    where s.market = n.market and s.seq = n.old_seq and s.digest = n.old_digest
    returning 1
)
select pgbook_data.expect((select count(*) from moved), cardinality($1::smallint[]))

-- name: note_stamp
-- Stamps that the database gives later are above those that memory gave.
select setval('pgbook_data.stamps', $1::bigint) from pgbook_data.stamps where last_value < $1::bigint

-- name: notify_markets
-- Hints: who listens reads the tables.
select pgbook_data.hint('pgbook_books', payload), case when traded then pgbook_data.hint('pgbook_trades', payload) end
from unnest($1::text[], $2::boolean[]) as n(payload, traded)
