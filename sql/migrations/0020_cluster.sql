-- A node of a cluster: commands wait in an outbox until its sidecar has given them their stamps and numbers, commands
-- of other nodes stand in the log beside its own, and the matcher executes what is closed. Without a row in `cluster`
-- nothing of this has any effect.
set local role pgbook_owner;

create table pgbook_data.cluster (
    is_only boolean primary key default true check (is_only),
    cluster_id text not null check (length(cluster_id) between 1 and 64),
    -- Microseconds that a command waits where watermarks do not let it run earlier.
    "window" bigint not null check ("window" > 0),
    -- Pools up to this time may be executed, and nothing is added to them any more.
    closed_through timestamptz not null default '-infinity',
    -- Of all accepted commands up to there, in the order of execution.
    chain bytea not null default decode(repeat('00', 32), 'hex') check (length(chain) = 32),
    -- No stamp at or below this is given after a restart.
    bound timestamptz not null default '-infinity',
    -- All nodes agreed up to here.
    agreed timestamptz not null default '-infinity',
    admits boolean not null default false,
    -- Why not, in one line.
    reason text default 'its sidecar has not begun yet; start it: pgbook gossip',
    -- When the sidecar wrote last.
    heard_at timestamptz
) with (fillfactor = 20);

-- All nodes of the cluster, numbered in the order of their names.
create table pgbook_data.members (
    member smallint primary key check (member between 0 and 32766),
    name text not null unique check (name ~ '^[a-z0-9][a-z0-9-]{0,31}$'),
    is_self boolean not null default false,
    -- All numbers of its log up to here are stored: where the look for gaps begins.
    stored_through bigint not null default 0
);

-- Where a command stands in the log of the node it entered at: the member's number, then 48 bits of the command's.
create function pgbook_data.log_key(member smallint, number bigint) returns bigint
language sql immutable parallel safe
return (member::bigint << 48) | number;

-- A command that is refused before it is executed has a code and no seq.
alter table pgbook_data.commands
    add column log_key bigint,
    -- It was brought by another node.
    add column is_remote boolean,
    -- Not enough nodes confirmed it in time.
    add column is_unconfirmed boolean;
create unique index commands_log on pgbook_data.commands (log_key) where log_key is not null;
-- As it was for commands that entered here. What other nodes bring is stored in any case: of two that nodes took at the
-- same time the one that is executed later is refused then.
drop index pgbook_data.commands_client_order_id;
create unique index commands_client_order_id on pgbook_data.commands
    (user_id, client_order_id, (case when is_remote then log_key else 0 end)) where client_order_id is not null;

-- Commands of the log whose id another command has.
create table pgbook_data.displaced (like pgbook_data.commands including defaults);
create unique index displaced_log on pgbook_data.displaced (log_key) where log_key is not null;
create index displaced_id on pgbook_data.displaced (id);

-- Commands that entered here and have no stamp yet, in the order in which they get it.
create table pgbook_data.outbox (
    entered bigint not null generated always as identity,
    xact xid8 not null default pg_current_xact_id(),
    id uuid not null,
    constraint outbox_id primary key (id)
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000, autovacuum_vacuum_cost_delay = 0);
create index outbox_order on pgbook_data.outbox (xact, entered);

-- Commands of other nodes that have no stamp yet and are stored here so that they cannot be lost.
create table pgbook_data.proposals (
    arrived bigint not null generated always as identity,
    member smallint not null references pgbook_data.members,
    id uuid not null,
    target uuid,
    amount bigint,
    price bigint,
    expires timestamptz,
    market smallint not null,
    kind smallint not null,
    side smallint,
    exec_type smallint,
    tif smallint,
    stp smallint,
    change smallint,
    post_only boolean,
    user_id text not null,
    owner text,
    client_order_id text,
    constraint proposals_id primary key (id, member)
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000, autovacuum_vacuum_cost_delay = 0);

-- Commands whose outcome was another before this node was rebuilt from a peer.
create table pgbook_data.divergence (
    id uuid not null,
    market smallint not null,
    -- Null: it waited, or the log did not have it.
    code_before smallint,
    filled_before bigint,
    remaining_before bigint,
    code_after smallint,
    filled_after bigint,
    remaining_after bigint,
    rebuilt_from text not null,
    noticed_at timestamptz not null default clock_timestamp()
);
create index divergence_id on pgbook_data.divergence (id);

-- With what refuses commands of a cluster.
create or replace function pgbook_data.code_name(code smallint) returns text
language sql immutable parallel safe set search_path = pg_catalog
return case code
    when 1 then 'open' when 2 then 'filled' when 3 then 'dropped' when 4 then 'amended' when 5 then 'cancelled'
    when 6 then 'done' when 101 then 'unknown_market' when 102 then 'halted' when 103 then 'off_tick'
    when 104 then 'off_lot' when 105 then 'not_positive' when 106 then 'too_large' when 107 then 'outside_band'
    when 108 then 'no_liquidity' when 109 then 'would_cross' when 110 then 'cannot_fill' when 111 then 'unknown_order'
    when 112 then 'not_yours' when 113 then 'already_closed' when 114 then 'expired' when 115 then 'late'
    when 116 then 'duplicate' when 117 then 'bad_value' when 118 then 'not_permitted' when 119 then 'unconfirmed'
    when 120 then 'not_ready' end;

-- Why this node takes no commands; null where it does.
create function pgbook_data.not_ready() returns text
language sql stable security definer set search_path = pg_catalog
return (
    select case when not c.admits then coalesce(c.reason, 'it has not caught up with its peers')
                when c.heard_at < clock_timestamp() - interval '30 seconds'
                then format('its sidecar was last heard of at %s; start it: pgbook gossip',
                            to_char(c.heard_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')) end
    from pgbook_data.cluster c);
grant execute on function pgbook_data.not_ready to pgbook_reader;

-- Wakes whoever sleeps at the end of a queue. NOTIFY makes commits wait for each other, so it is for sleepers alone:
-- one of them holds the queue's lock then.
create function pgbook_data.wake(queue regclass, channel text) returns void
language plpgsql volatile set search_path = pg_catalog as $$
begin
    if not pg_try_advisory_xact_lock_shared(queue::oid::bigint) then
        perform pg_notify(channel, '');
    end if;
end
$$;

-- The log of all nodes: every command that has a number, with what was decided before execution.
create view pgbook_data.node_log as
select n.name as origin, l.log_key & ((1::bigint << 48) - 1) as number, l.id, l.time,
       case when l.seq is not null then 0
            else case l.code when 115 then 1 when 119 then 2 when 116 then 3 else 0 end end::smallint as verdict,
       l.is_unconfirmed is true as is_unconfirmed, l.market, l.log_key, l.is_displaced
from (
    select c.log_key, c.id, c.time, c.seq, c.code, c.is_unconfirmed, c.market, false as is_displaced
    from pgbook_data.commands c where c.log_key is not null
    union all
    select d.log_key, d.id, d.time, d.seq, d.code, d.is_unconfirmed, d.market, true
    from pgbook_data.displaced d where d.log_key is not null
) l join pgbook_data.members n on n.member = l.log_key >> 48;

create view pgbook.divergence as
select d.id, m.symbol as security, c.user_id, c.client_order_id,
       coalesce(pgbook_data.code_name(d.code_before), 'pending') as code_before,
       trim_scale(d.filled_before * m.lot_size) as filled_before,
       trim_scale(d.remaining_before * m.lot_size) as remaining_before,
       coalesce(pgbook_data.code_name(d.code_after), 'pending') as code_after,
       trim_scale(d.filled_after * m.lot_size) as filled_after,
       trim_scale(d.remaining_after * m.lot_size) as remaining_after,
       d.rebuilt_from, d.noticed_at
from pgbook_data.divergence d
join pgbook_data.markets m using (market)
left join pgbook_data.commands c on c.id = d.id;

-- How this node stands in its cluster; no row where it is alone.
create view pgbook.cluster as
select c.cluster_id, n.name as node, array(select name from pgbook_data.members order by member) as members,
       c."window" * interval '1 microsecond' as "window", c.closed_through, encode(c.chain, 'hex') as chain, c.agreed,
       pgbook_data.not_ready() is null as is_ready, pgbook_data.not_ready() as reason, c.heard_at
from pgbook_data.cluster c cross join pgbook_data.members n where n.is_self;

-- The whole log, with commands whose id another has.
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
left join pgbook_data.outcomes w on w.id = c.id
union all
select d.id, d.time, m.symbol, d.user_id,
       (array['place', 'amend', 'cancel', 'cancel_all', 'halt', 'resume', 'expire'])[d.kind], d.target, null,
       pgbook_data.code_name(d.code), trim_scale(d.amount * m.lot_size), trim_scale(d.price * m.tick_size),
       trim_scale(d.filled * m.lot_size), trim_scale(d.remaining * m.lot_size), trim_scale(d.dropped * m.lot_size),
       null, d.client_order_id, d.origin, d.accepted_at, null
from pgbook_data.displaced d
join pgbook_data.markets m using (market);
