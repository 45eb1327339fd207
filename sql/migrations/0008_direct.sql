-- Commands that are executed by the transaction that logs them.
set local role pgbook_owner;

-- What became of a command stands in its own row if it was executed at once, else in `outcomes`: no row is written
-- twice. Null in both: it waits.
alter table pgbook_data.commands
    add column seq bigint,
    add column filled bigint,
    add column remaining bigint,
    add column dropped bigint,
    -- The first 64 bits of the market's digest after this command.
    add column digest_head bigint,
    add column code smallint,
    add column notional numeric;
create unique index commands_seq on pgbook_data.commands (market, seq) where seq is not null;

-- One row per executed command, wherever its outcome stands.
create view pgbook_data.executions as
select id, seq, filled, remaining, dropped, accepted_at as executed_at, market, code, notional, digest_head
from pgbook_data.commands
where seq is not null
union all
select id, seq, filled, remaining, dropped, executed_at, market, code, notional, digest_head
from pgbook_data.outcomes;

create or replace view pgbook.orders as
select c.id, c.time, c.user_id, case c.side when 0 then 'bid' else 'ask' end as type,
       case c.exec_type when 0 then 'market' else 'limit' end as exec_type,
       trim_scale(coalesce(b.amount, x.amount, c.amount) * m.lot_size) as amount,
       trim_scale(coalesce(b.price, x.price, c.price) * m.tick_size) as price,
       m.symbol as security,
       case
           when b.id is not null then 'open'
           when x.id is not null then (array['filled', 'cancelled', 'expired', 'cancelled'])[x.reason]
           when o.code is null then 'pending'
           when o.code = 1 then 'open'
           when o.code = 2 then 'filled'
           when o.code = 3 then 'cancelled'
           else 'refused' end as status,
       trim_scale(coalesce(b.filled, x.filled, o.filled, 0) * m.lot_size) as filled,
       trim_scale(case
           when b.id is not null then b.amount - b.filled - b.dropped
           when o.code is null then c.amount
           else 0 end * m.lot_size) as remaining,
       trim_scale(round(coalesce(b.notional, x.notional, o.notional)
           / nullif(coalesce(b.filled, x.filled, o.filled), 0) * m.tick_size, 12)) as avg_price,
       case when o.code > 2 then pgbook_data.code_name(o.code)
            when x.reason = 4 then 'self_trade_prevention' end as reason,
       (array['gtc', 'ioc', 'fok', 'gtd'])[c.tif + 1] as time_in_force, c.post_only,
       (array['dc', 'co', 'cn', 'cb'])[c.stp] as self_trade_prevention, c.expires, c.client_order_id, c.origin,
       o.seq, c.accepted_at, o.executed_at
from pgbook_data.commands c
join pgbook_data.markets m using (market)
left join pgbook_data.outcomes w on w.id = c.id
left join pgbook_data.book b on b.id = c.id
left join pgbook_data.closed x on x.id = c.id
cross join lateral (
    select coalesce(c.seq, w.seq) as seq, coalesce(c.code, w.code) as code, coalesce(c.filled, w.filled) as filled,
           coalesce(c.notional, w.notional) as notional,
           coalesce(w.executed_at, case when c.seq is not null then c.accepted_at end) as executed_at
) o
where c.kind = 1;

create or replace view pgbook.commands as
select c.id, c.time, m.symbol as security, c.user_id,
       (array['place', 'amend', 'cancel', 'cancel_all', 'halt', 'resume', 'expire'])[c.kind] as kind,
       c.target, coalesce(c.seq, w.seq) as seq, pgbook_data.code_name(coalesce(c.code, w.code)) as code,
       trim_scale(c.amount * m.lot_size) as amount, trim_scale(c.price * m.tick_size) as price,
       trim_scale(coalesce(c.filled, w.filled) * m.lot_size) as filled,
       trim_scale(coalesce(c.remaining, w.remaining) * m.lot_size) as remaining,
       trim_scale(coalesce(c.dropped, w.dropped) * m.lot_size) as dropped,
       trim_scale(round(coalesce(c.notional, w.notional) / nullif(coalesce(c.filled, w.filled), 0) * m.tick_size, 12))
           as avg_price,
       c.client_order_id, c.origin, c.accepted_at,
       coalesce(w.executed_at, case when c.seq is not null then c.accepted_at end) as executed_at
from pgbook_data.commands c
join pgbook_data.markets m using (market)
left join pgbook_data.outcomes w on w.id = c.id;

-- Rows as a matcher sends them, for inserts of some rows.
create type pgbook_data.command_row as (
    market smallint, id uuid, time timestamptz, target uuid, amount bigint, price bigint, expires timestamptz,
    kind smallint, side smallint, exec_type smallint, tif smallint, stp smallint, change smallint,
    post_only boolean, user_id text, owner text, client_order_id text, origin text, seq bigint, filled bigint,
    remaining bigint, dropped bigint, digest_head bigint, code smallint, notional numeric);
create type pgbook_data.outcome_row as (
    market smallint, id uuid, seq bigint, code smallint, filled bigint, remaining bigint, dropped bigint,
    notional numeric, digest_head bigint);
create type pgbook_data.trade_row as (
    market smallint, time timestamptz, trade_id bigint, seq bigint, taker_order uuid, maker_order uuid,
    taker_user text, maker_user text, taker_side smallint, price bigint, amount bigint, best_bid bigint,
    best_ask bigint);
create type pgbook_data.resting_row as (
    market smallint, id uuid, user_id text, side smallint, price bigint, amount bigint, filled bigint,
    dropped bigint, notional numeric, priority bigint, expires timestamptz, post_only boolean, stp smallint);
create type pgbook_data.closed_row as (
    market smallint, id uuid, seq bigint, price bigint, amount bigint, filled bigint, dropped bigint,
    reason smallint, notional numeric);

-- A row count that a transaction relies on: anything else undoes it.
-- Without a search path of its own, which would cost more than the rest of it: it calls nothing but one operator.
create function pgbook_data.expect(counted bigint, expected bigint) returns void
language plpgsql volatile as $$
begin
    if counted operator(pg_catalog.<>) expected then
        raise exception 'changed by somebody else: % rows where % were expected', counted, expected
            using errcode = 'PB900';
    end if;
end
$$;
