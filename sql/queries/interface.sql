-- What people and programs ask through the public interface, with the rights of their role.

-- name: place_order
select pgbook.place_order(
    security => $1, side => $2, amount => $3, price => $4, time_in_force => $5, post_only => $6,
    self_trade_prevention => $7, expires => $8, client_order_id => $9, user_id => coalesce($10, session_user),
    id => $11)

-- name: amend_order
select pgbook.amend_order(
    id => $1, amount => $2, price => $3, client_order_id => $4, user_id => coalesce($5, session_user))

-- name: reduce_order
select pgbook.reduce_order(id => $1, amount => $2, client_order_id => $3, user_id => coalesce($4, session_user))

-- name: cancel_order
select pgbook.cancel_order(id => $1, client_order_id => $2, user_id => coalesce($3, session_user))

-- name: cancel_all_orders
select command_id, market
from pgbook.cancel_all(security => $1, side => $2, user_id => coalesce($3, session_user), everybody => $4)

-- name: add_market
select pgbook.add_market(
    security => $1, tick_size => $2, lot_size => $3, max_amount => $4, max_notional => $5, min_price => $6,
    max_price => $7)

-- name: halt_market
select pgbook.halt_market($1)

-- name: resume_market
select pgbook.resume_market($1)

-- name: list_markets
select security, tick_size, lot_size, max_amount, max_notional, min_price, max_price, state, seq, trades, last_price,
       digest
from pgbook.markets where $1::text is null or security = $1 order by security

-- name: find_order
select id, time, user_id, type, exec_type, amount, price, security, status, filled, remaining, avg_price, reason,
       time_in_force, post_only, self_trade_prevention, expires, client_order_id, origin, seq, accepted_at, executed_at
from pgbook.orders where id = $1

-- name: find_order_by_client_id
select id, time, user_id, type, exec_type, amount, price, security, status, filled, remaining, avg_price, reason,
       time_in_force, post_only, self_trade_prevention, expires, client_order_id, origin, seq, accepted_at, executed_at
from pgbook.orders where user_id = coalesce($1, session_user) and client_order_id = $2

-- name: list_open_orders
-- What rests, from the small table of resting orders.
select o.id, o.time, o.user_id, o.type, o.exec_type, o.amount, o.price, o.security, o.status, o.filled, o.remaining,
       o.avg_price, o.reason, o.time_in_force, o.post_only, o.self_trade_prevention, o.expires, o.client_order_id,
       o.origin, o.seq, o.accepted_at, o.executed_at
from (
    select id from pgbook.book
    where ($1::text is null or security = $1) and ($2::text is null or user_id = $2)
    order by id desc limit $3::bigint
) b join pgbook.orders o using (id)
order by o.id desc

-- name: list_orders
-- The latest by their id, which begins with the time where the database made it.
select id, time, user_id, type, exec_type, amount, price, security, status, filled, remaining, avg_price, reason,
       time_in_force, post_only, self_trade_prevention, expires, client_order_id, origin, seq, accepted_at, executed_at
from pgbook.orders
where ($1::text is null or security = $1) and ($2::text is null or user_id = $2)
order by id desc limit $3::bigint

-- name: find_command
select id, time, security, user_id, kind, target, seq, code, amount, price, filled, remaining, dropped, avg_price,
       client_order_id, origin, accepted_at, executed_at
from pgbook.commands where id = $1

-- name: read_agg_book
select side, price, amount, total, orders from pgbook.agg_book($1, $2)

-- name: latest_trades
select id, time, security, user_id, side, amount, price, total, taker_order, maker_order, maker_user, best_bid,
       best_ask, seq
from pgbook.last_trades($1, $2)

-- name: fills_between
-- The trades that one command made as taker, looked for in a span of time.
select id, time, security, user_id, side, amount, price, total, taker_order, maker_order, maker_user, best_bid,
       best_ask, seq
from pgbook.trades
where security = $1 and time >= $2 and time <= $3 and seq = $4
order by id

-- name: list_waiting
select security, commands, oldest, clock_timestamp() - oldest > interval '1 second' * $1::bigint as is_stuck
from pgbook.waiting order by security

-- name: diagnosis
-- What is connected, and what it is set to. A setting that the role may not see is null.
select current_database() as database, session_user::text as role, pg_is_in_recovery() as is_standby,
       current_setting('fsync') as fsync, current_setting('synchronous_commit') as synchronous_commit,
       current_setting('full_page_writes') as full_page_writes,
       (select extversion from pg_extension where extname = 'timescaledb') as timescaledb,
       current_setting('timescaledb.license', true) as timescaledb_license,
       coalesce((select rolsuper from pg_roles where rolname = session_user), false) as is_superuser,
       coalesce((select array_agg(r.rolname::text order by r.rolname) from pg_roles r
                 where r.rolname in ('pgbook_owner', 'pgbook_node', 'pgbook_trader', 'pgbook_reader')
                   and pg_has_role(session_user, r.oid, 'member')), '{}') as memberships,
       pg_database_size(current_database()) as bytes,
       -- By the name that pgbook serve gives its connection, unless PGAPPNAME or the URL gives another.
       (select count(*) from pg_stat_activity
        where datname = current_database() and application_name = 'pgbook matcher') as matchers

-- name: list_matchers
select executes, started_at, seen_at, is_connected, reason from pgbook.matchers order by is_connected desc, started_at
