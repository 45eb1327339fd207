-- The matching transaction, in the order in which it runs.

-- name: plan_for_matching
-- Everything a matcher does is by index. The planner must not think otherwise because a table was small when it looked.
-- One plan for ever: planning an INSERT costs more than a row. No bitmaps: only a plain index scan remembers which entries are dead, and the inbox's index is full of them.
select set_config('enable_seqscan', 'off', false), set_config('enable_hashjoin', 'off', false),
       set_config('enable_mergejoin', 'off', false), set_config('enable_bitmapscan', 'off', false),
       set_config('jit', 'off', false), set_config('plan_cache_mode', 'force_generic_plan', false)

-- name: lock_market
-- Takes the market for this transaction; no row if another matcher has it.
select seq, trade_id, last_price, clock, closed_through, is_halted, digest
from pgbook_data.market_state
where market = $1
for update skip locked

-- name: wait_for_market
-- The same, but waits for whoever has it.
select seq, trade_id, last_price, clock, closed_through, is_halted, digest
from pgbook_data.market_state
where market = $1
for update

-- name: take_due
-- Takes whole pools of commands that are due out of the inbox, oldest first: at least $3 commands if there are so many.
-- Lateral look-ups stay look-ups by index, whatever the planner believes of a table that has just grown from nothing.
with taken as (
    delete from pgbook_data.inbox
    where market = $1 and time <= coalesce(
        (select time from pgbook_data.inbox where market = $1 and time <= $2 order by time offset $3::bigint - 1 limit 1),
        $2)
    returning id
)
select c.id, c.time, c.kind, c.side, c.exec_type, c.tif, c.stp, c.change, c.post_only, c.amount, c.price, c.target,
       c.expires, c.user_id, c.owner, c.client_order_id, c.origin
from taken cross join lateral (select * from pgbook_data.commands where id = taken.id limit 1) c
order by c.time

-- name: load_best
-- The next best resting orders of a side, beyond a place in the queue.
select id, user_id, side, price, amount, filled, dropped, notional, priority, expires, post_only, stp
from pgbook_data.book
where market = $1 and side = $2
  and ((case side when 0 then -price else price end), priority) > ($3::bigint, $4::bigint)
order by (case side when 0 then -price else price end), priority
limit $5::bigint
for update

-- name: load_named
-- The sum keeps the planner from reading a market's whole book where the statistics still call it empty.
select id, user_id, side, price, amount, filled, dropped, notional, priority, expires, post_only, stp
from pgbook_data.book
where market + 0::smallint = $1 and id = any ($2::uuid[])
for update

-- name: load_overdue
select id, user_id, side, price, amount, filled, dropped, notional, priority, expires, post_only, stp
from pgbook_data.book
where market = $1 and expires <= $2
for update

-- name: load_owned
select id, user_id, side, price, amount, filled, dropped, notional, priority, expires, post_only, stp
from pgbook_data.book
where market = $1 and ($2::text is null or user_id = $2) and ($3::smallint is null or side = $3)
for update

-- name: find_closed
-- Orders that were executed in this market; those that do not rest are closed.
select c.id, c.user_id
from unnest($2::uuid[]) as named(id)
cross join lateral (
    select id, user_id from pgbook_data.commands where id = named.id and market = $1 and kind = 1 limit 1
) c
cross join lateral (select from pgbook_data.executions where id = c.id limit 1) o

-- The writes. Each table has three statements: COPY for many rows, which takes a round trip of its own; an array
-- of rows for some, and single rows for a few, which share a round trip with all else.

-- name: copy_commands
copy pgbook_data.commands (market, id, time, target, amount, price, expires, kind, side, exec_type, tif, stp, change,
                           post_only, user_id, owner, client_order_id, origin, seq, filled, remaining, dropped,
                           digest_head, code, notional) from stdin (format binary)

-- name: insert_commands
insert into pgbook_data.commands (market, id, time, target, amount, price, expires, kind, side, exec_type, tif, stp,
                                  change, post_only, user_id, owner, client_order_id, origin, seq, filled, remaining,
                                  dropped, digest_head, code, notional)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23,
        $24, $25)

-- name: spread_commands
insert into pgbook_data.commands (market, id, time, target, amount, price, expires, kind, side, exec_type, tif, stp,
                                  change, post_only, user_id, owner, client_order_id, origin, seq, filled, remaining,
                                  dropped, digest_head, code, notional)
select r.* from unnest($1::pgbook_data.command_row[]) r

-- name: copy_outcomes
copy pgbook_data.outcomes (market, id, seq, code, filled, remaining, dropped, notional, digest_head)
from stdin (format binary)

-- name: insert_outcomes
insert into pgbook_data.outcomes (market, id, seq, code, filled, remaining, dropped, notional, digest_head)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9)

-- name: spread_outcomes
insert into pgbook_data.outcomes (market, id, seq, code, filled, remaining, dropped, notional, digest_head)
select r.* from unnest($1::pgbook_data.outcome_row[]) r

-- name: copy_trades
copy pgbook_data.trades (market, time, trade_id, seq, taker_order, maker_order, taker_user, maker_user, taker_side,
                         price, amount, best_bid, best_ask) from stdin (format binary)

-- name: insert_trades
insert into pgbook_data.trades (market, time, trade_id, seq, taker_order, maker_order, taker_user, maker_user,
                                taker_side, price, amount, best_bid, best_ask)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)

-- name: spread_trades
insert into pgbook_data.trades (market, time, trade_id, seq, taker_order, maker_order, taker_user, maker_user,
                                taker_side, price, amount, best_bid, best_ask)
select r.* from unnest($1::pgbook_data.trade_row[]) r

-- name: merge_candles
insert into pgbook_data.candles_1m as c (market, time, open, high, low, close, volume, notional, trades,
                                         first_trade_id, last_trade_id, taker_buy_volume, taker_buy_notional)
select * from unnest($1::smallint[], $2::timestamptz[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[],
                     $7::numeric[], $8::numeric[], $9::bigint[], $10::bigint[], $11::bigint[], $12::numeric[],
                     $13::numeric[])
on conflict (market, time) do update set
    high = greatest(c.high, excluded.high),
    low = least(c.low, excluded.low),
    close = excluded.close,
    volume = c.volume + excluded.volume,
    notional = c.notional + excluded.notional,
    trades = c.trades + excluded.trades,
    last_trade_id = excluded.last_trade_id,
    taker_buy_volume = c.taker_buy_volume + excluded.taker_buy_volume,
    taker_buy_notional = c.taker_buy_notional + excluded.taker_buy_notional

-- name: merge_candle
insert into pgbook_data.candles_1m as c (market, time, open, high, low, close, volume, notional, trades,
                                         first_trade_id, last_trade_id, taker_buy_volume, taker_buy_notional)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
on conflict (market, time) do update set
    high = greatest(c.high, excluded.high),
    low = least(c.low, excluded.low),
    close = excluded.close,
    volume = c.volume + excluded.volume,
    notional = c.notional + excluded.notional,
    trades = c.trades + excluded.trades,
    last_trade_id = excluded.last_trade_id,
    taker_buy_volume = c.taker_buy_volume + excluded.taker_buy_volume,
    taker_buy_notional = c.taker_buy_notional + excluded.taker_buy_notional

-- name: delete_resting
with gone as (delete from pgbook_data.book where id = any ($1::uuid[]) returning 1)
select pgbook_data.expect((select count(*) from gone), $2::bigint)

-- name: update_resting
-- Nobody moves these rows: their market is locked.
with changed as (
    update pgbook_data.book b
    set price = u.price, priority = u.priority, amount = u.amount, filled = u.filled, dropped = u.dropped,
        notional = u.notional
    from unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::numeric[])
        as u(id, price, priority, amount, filled, dropped, notional)
    cross join lateral (select ctid as place from pgbook_data.book where id = u.id limit 1) k
    where b.ctid = k.place
    returning 1
)
select pgbook_data.expect((select count(*) from changed), cardinality($1::uuid[]))

-- name: update_resting_one
with changed as (
    update pgbook_data.book
    set price = $2, priority = $3, amount = $4, filled = $5, dropped = $6, notional = $7
    where id = $1
    returning 1
)
select pgbook_data.expect((select count(*) from changed), 1)

-- name: copy_resting
copy pgbook_data.book (market, id, user_id, side, price, amount, filled, dropped, notional, priority, expires,
                       post_only, stp) from stdin (format binary)

-- name: insert_resting
insert into pgbook_data.book (market, id, user_id, side, price, amount, filled, dropped, notional, priority, expires,
                              post_only, stp)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)

-- name: spread_resting
insert into pgbook_data.book (market, id, user_id, side, price, amount, filled, dropped, notional, priority, expires,
                              post_only, stp)
select r.* from unnest($1::pgbook_data.resting_row[]) r

-- name: copy_closed
copy pgbook_data.closed (market, id, seq, price, amount, filled, dropped, reason, notional) from stdin (format binary)

-- name: insert_closed
insert into pgbook_data.closed (market, id, seq, price, amount, filled, dropped, reason, notional)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9)

-- name: spread_closed
insert into pgbook_data.closed (market, id, seq, price, amount, filled, dropped, reason, notional)
select r.* from unnest($1::pgbook_data.closed_row[]) r

-- name: save_state
update pgbook_data.market_state
set seq = $2, trade_id = $3, last_price = $4, clock = $5, closed_through = $6, is_halted = $7, digest = $8
where market = $1

-- name: markets_due
-- For each market: when its oldest waiting command was stamped, and when its next resting order expires.
select s.market, i.time as oldest_waiting, b.expires as next_expiry
from pgbook_data.market_state s
left join lateral (
    select time from pgbook_data.inbox where market = s.market order by time limit 1
) i on true
left join lateral (
    select expires from pgbook_data.book where market = s.market and expires is not null order by expires limit 1
) b on true

-- name: matcher_clock
-- The time, and where the matcher of a cluster's node may go; null where the database is alone.
select clock_timestamp(), c.closed_through,
       (select count(*) from pgbook_data.members o join pgbook_data.members s on s.is_self and o.member < s.member),
       c."window"
from (values (1)) v(one) left join pgbook_data.cluster c on true

-- name: earlier_uses
-- In a cluster: accepted commands that use the same user's own id as the given ones, and are executed before them or
-- with them. Where the time is the same, the bytes of the whole command decide which is first.
select a.n, m.symbol, c.id, c.time, c.kind, c.side, c.exec_type, c.tif, c.stp, c.change, c.post_only, c.amount, c.price,
       c.target, c.expires, c.user_id, c.owner, c.client_order_id, c.origin
from unnest($1::uuid[], $2::timestamptz[], $3::text[], $4::text[])
    with ordinality a(id, time, user_id, client_order_id, n)
cross join lateral (
    select * from pgbook_data.commands k
    where k.user_id = a.user_id and k.client_order_id = a.client_order_id and k.id <> a.id
      and k.log_key is not null and k.code is null and k.time <= a.time
) c
join pgbook_data.markets m on m.market = c.market
