-- The matching transaction, in the order in which it runs.

-- name: plan_for_matching
-- Everything a matcher does is by index. The planner must not think otherwise because a table was small when it looked.
-- One plan for ever: planning an INSERT costs more than a row. No bitmaps: only a plain index scan remembers which entries are dead, and the inbox's index is full of them.
select set_config('enable_seqscan', 'off', false), set_config('enable_hashjoin', 'off', false),
       set_config('enable_mergejoin', 'off', false), set_config('enable_bitmapscan', 'off', false),
       set_config('jit', 'off', false), set_config('plan_cache_mode', 'force_generic_plan', false)

-- name: lock_market
-- Takes the market for this transaction; no row if another matcher has it. By its place, for a search that passes over
-- the newest version would go on through all older ones.
select seq, trade_id, last_price, clock, closed_through, is_halted, digest
from pgbook_data.market_state
where ctid = (select ctid from pgbook_data.market_state where market = $1 order by seq desc limit 1)
for update skip locked

-- name: wait_for_market
-- The same, but waits for whoever has it.
select seq, trade_id, last_price, clock, closed_through, is_halted, digest
from pgbook_data.market_state
where market = $1
order by seq desc limit 1
for update

-- name: take_due
-- Takes whole pools of commands that are due out of the inbox, oldest first: at least $3 commands if there are so many.
-- Lateral look-ups stay look-ups by index, whatever the planner believes of a table that has just grown from nothing.
-- Nothing waits at or below $4: what left the inbox from there is not walked through again.
with taken as (
    delete from pgbook_data.inbox
    where market = $1 and time > $4::timestamptz and time <= coalesce(
        (select time from pgbook_data.inbox
         where market = $1 and time > $4 and time <= $2 order by time offset $3::bigint - 1 limit 1),
        $2)
    returning id
)
select taken.id,
       case when c.id is null then 'the log does not have it' when c.market <> $1 then 'it is another market''s'
            when c.code is not null then 'it has its outcome already' end as fault,
       c.id, c.time, c.kind, c.side, c.exec_type, c.tif, c.stp, c.change, c.post_only, c.amount, c.price, c.target,
       c.expires, c.user_id, c.owner, c.client_order_id, c.origin
from taken left join lateral (select * from pgbook_data.commands where id = taken.id limit 1) c on true
order by c.time

-- name: put_back
-- Takes commands as if they were not due yet.
insert into pgbook_data.inbox (market, time, id) select $1, c.time, c.id from unnest($2::timestamptz[], $3::uuid[]) c(time, id)

-- name: set_aside
-- Commands that are executed nowhere, and why.
insert into pgbook_data.set_aside (market, id, code, reason)
select $1, c.id, c.code, c.reason from unnest($2::uuid[], $3::smallint[], $4::text[]) c(id, code, reason)
on conflict do nothing

-- name: set_entered_aside
-- The same, of commands that have no stamp yet; they leave the outbox.
with gone as (delete from pgbook_data.outbox where id = any ($2::uuid[]))
insert into pgbook_data.set_aside (market, id, code, reason)
select c.market, c.id, c.code, c.reason
from unnest($1::smallint[], $2::uuid[], $3::smallint[], $4::text[]) c(market, id, code, reason)
on conflict do nothing

-- name: set_markets_aside
-- Exactly these are set aside. Writes nothing where they are.
with wanted as (
    select * from unnest($1::smallint[], $2::text[]) w(market, reason)
), back as (
    delete from pgbook_data.set_aside a
    where a.id is null and not exists (select from wanted w where w.market = a.market)
)
insert into pgbook_data.set_aside (market, code, reason)
select w.market, 122, w.reason from wanted w
where not exists (select from pgbook_data.set_aside a where a.id is null and a.market = w.market and a.reason = w.reason)
on conflict (market) where id is null do update set reason = excluded.reason

-- name: answer
select 1

-- name: begin_matcher
-- Those that are gone leave nothing behind.
with gone as (
    delete from pgbook_data.matchers m
    where not exists (select from pg_catalog.pg_stat_activity a where a.pid = m.pid) or m.pid = pg_backend_pid()
)
insert into pgbook_data.matchers (matcher, pid, executes, reason) values ($1, pg_backend_pid(), $2, $3)

-- name: note_matcher
update pgbook_data.matchers set seen_at = clock_timestamp(), executes = $2, reason = $3 where matcher = $1

-- name: end_matcher
delete from pgbook_data.matchers where matcher = $1

-- name: limit_watch
-- Whoever watches waits for nobody.
select set_config('lock_timeout', '300ms', false), set_config('statement_timeout', '5s', false)

-- name: obstacles
-- What stands in the way of a batch of this role: rights it lacks, and tables that others have locked. A lock that is
-- held by one transaction for a while stands in the way; who holds it for a moment does not, so each has a name by which
-- it is known again.
select format('role %s may not %s %s', current_user, lower(n.privilege), n.name) as words, null::text as holder
from (values ('commands', 'INSERT'), ('outcomes', 'INSERT'), ('trades', 'INSERT'), ('book', 'INSERT'),
             ('book', 'DELETE'), ('closed', 'INSERT'), ('candles_1m', 'INSERT'), ('market_state', 'UPDATE'),
             ('inbox', 'DELETE')) n(name, privilege)
where not has_table_privilege(format('pgbook_data.%I', n.name), n.privilege)
union all
select 'the database is read-only', null where current_setting('transaction_read_only')::boolean
union all
select format('table %s is locked by the server''s process %s', c.relname, l.pid), l.virtualtransaction || ' ' || c.relname
from pg_catalog.pg_locks l
join pg_catalog.pg_class c on c.oid = l.relation
where l.locktype = 'relation' and l.granted and l.pid <> pg_backend_pid()
  and l.database = (select oid from pg_catalog.pg_database where datname = current_database())
  and c.relnamespace = 'pgbook_data'::regnamespace
  and c.relname in ('commands', 'outcomes', 'trades', 'book', 'closed', 'candles_1m', 'market_state', 'inbox')
  and l.mode in ('ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')

-- name: room
-- Fails where the server can write nothing more: this writes a small file into its folder, and removes it.
select pg_export_snapshot()

-- name: state_lockers
-- Transactions that may hold rows of markets, other than those of matchers.
select l.virtualtransaction, l.pid
from pg_catalog.pg_locks l
where l.locktype = 'relation' and l.granted and l.relation = 'pgbook_data.market_state'::regclass
  and l.mode in ('RowShareLock', 'RowExclusiveLock')
  and l.pid <> pg_backend_pid() and not exists (select from pgbook_data.matchers m where m.executes = l.pid)

-- name: held_markets
-- Markets whose rows somebody else holds.
with free as (select market from pgbook_data.market_state for update skip locked)
select m.symbol from pgbook_data.markets m join pgbook_data.market_state s using (market)
where not m.is_imported and not exists (select from free f where f.market = m.market)
order by m.symbol limit 5

-- name: try_batch
-- Writes what a batch of a market writes, and enough of it to need new pages. Whoever calls it undoes it.
with rows as (
    select gen_random_uuid() as id, s.market, s.seq + n as seq, s.trade_id + n as trade_id, clock_timestamp() as time
    from pgbook_data.market_state s cross join generate_series(1, 200) n where s.market = $1
), moved as (
    update pgbook_data.market_state set seq = seq where market = $1
), logged as (
    insert into pgbook_data.commands (id, time, target, market, kind, user_id, origin)
    select id, time, id, market, 3, 'pgbook', (select name from pgbook_data.node) from rows
), rested as (
    insert into pgbook_data.book (id, price, priority, amount, filled, dropped, market, side, post_only, user_id, notional)
    select id, 1, seq, 1, 0, 0, market, 0, false, 'pgbook', 0 from rows
), closed as (
    insert into pgbook_data.closed (id, seq, price, amount, filled, dropped, market, reason, notional)
    select id, seq, 1, 1, 1, 0, market, 1, 1 from rows
)
insert into pgbook_data.trades (time, trade_id, seq, taker_order, maker_order, price, amount, market, taker_side,
                                taker_user, maker_user)
select time, trade_id, seq, id, id, 1, 1, market, 0, 'pgbook', 'pgbook' from rows

-- name: list_set_aside
select security, id, user_id, code, reason, noticed_at from pgbook.set_aside order by noticed_at desc, id limit $1::bigint

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

-- name: update_candle
-- The same as merge_candle for a minute that is known to stand at a place; fails by a division by zero where it does not.
with changed as (
    update pgbook_data.candles_1m c
    set high = greatest(c.high, $4), low = least(c.low, $5), close = $6, volume = c.volume + $7,
        notional = c.notional + $8, trades = c.trades + $9, last_trade_id = $11,
        taker_buy_volume = c.taker_buy_volume + $12, taker_buy_notional = c.taker_buy_notional + $13
    where c.ctid = $14::text::tid and c.market = $1 and c.time = $2
    returning c.ctid as place
)
select max(place)::text, 1 / count(*) from changed

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
returning c.ctid::text

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
    returning ctid as place
)
select max(place)::text, pgbook_data.expect(count(*), 1) from changed

-- name: update_resting_at
-- The same for a row that is known to stand at a place.
with changed as (
    update pgbook_data.book
    set price = $2, priority = $3, amount = $4, filled = $5, dropped = $6, notional = $7
    where ctid = $8::text::tid and id = $1
    returning ctid as place
)
select max(place)::text, pgbook_data.expect(count(*), 1) from changed

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
-- The row is locked, so that it is where it was; see move_market.
with moved as (
    update pgbook_data.market_state
    set seq = $2, trade_id = $3, last_price = $4, clock = $5, closed_through = $6, is_halted = $7, digest = $8
    where market = $1 and seq = $9::bigint
    returning 1
)
select 1 / count(*) from moved

-- name: markets_due
-- For each market: when its oldest waiting command was stamped, and when its next resting order expires. Nothing waits
-- at or below $1, but in the markets $2.
select s.market, i.time as oldest_waiting, b.expires as next_expiry
from pgbook_data.newest_state s
left join lateral (
    select time from pgbook_data.inbox
    where market = s.market
      and time > case when s.market = any ($2::smallint[]) then timestamptz '-infinity' else $1::timestamptz end
    order by time limit 1
) i on true
left join lateral (
    -- What has expired by the market's clock rests no more.
    select expires from pgbook_data.book where market = s.market and expires > s.clock order by expires limit 1
) b on true

-- name: matcher_clock
-- The time, where the matcher of a cluster's node may go (null where the database is alone), which transactions are
-- under way, the last stamp that was given, and whether no hints are sent.
select clock_timestamp(), c.closed_through,
       (select count(*) from pgbook_data.members o join pgbook_data.members s on s.is_self and o.member < s.member),
       c."window", pg_current_snapshot()::text, (select last_value from pgbook_data.stamps),
       pg_notification_queue_usage() >= 0.5
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
