-- What a node's sidecar reads and writes. Its session plans by index, as a matcher's does.

-- name: hold_seat
-- One sidecar for a database: as long as the transaction lasts. It has neither a snapshot nor a number, so nothing waits
-- for its end.
begin;
select set_config(name, '0', true) from pg_settings
where name in ('idle_in_transaction_session_timeout', 'transaction_timeout');
lock table pgbook_data.sidecar_seat in exclusive mode nowait;

-- name: take_seat
-- From now on nothing is written by those who sat here before; what they are writing is waited for.
select pgbook_data.take_seat($1::uuid)

-- name: prove_seat
select pgbook_data.prove_seat($1::uuid)

-- name: adopt_waiting
select pgbook_data.adopt_waiting()

-- name: create_cluster
select pgbook_data.create_cluster($1::text, $2::text, $3::text[], $4::bigint)

-- name: add_members
select pgbook_data.add_members($1::text[])

-- name: read_cluster
-- No row where this database is no node of a cluster.
select c.cluster_id, n.name, array(select name from pgbook_data.members order by member), c."window",
       c.closed_through, c.chain, c.bound, c.agreed, c.admits, pgbook_data.not_ready(), c.heard_at
from pgbook_data.cluster c cross join pgbook_data.members n
where n.is_self

-- name: sleep_at_outbox
-- See pgbook_data.wake.
select pgbook_data.fall_asleep('pgbook_data.outbox_sleeper', 'pgbook_data.outbox')

-- name: read_outbox
-- What has become visible since a snapshot ($1; null: ever), as another one sees it ($2; null: this moment), in the
-- order in which it entered. So nothing is read twice, and what a slow transaction commits late is read then.
with now as materialized (
    select coalesce($2::text::pg_snapshot, pg_current_snapshot()) as target
)
select n.target::text, o.entered, o.id, c.market, m.symbol, c.id, c.time, c.kind, c.side, c.exec_type, c.tif, c.stp, c.change,
       c.post_only, c.amount, c.price, c.target, c.expires, c.user_id, c.owner, c.client_order_id, c.origin
from now n
left join lateral (
    select o.entered, o.id from pgbook_data.outbox o
    where o.xact >= coalesce(pg_snapshot_xmin($1::text::pg_snapshot), '0'::xid8)
      and ($1::text is null or not pg_visible_in_snapshot(o.xact, $1::text::pg_snapshot))
      and pg_visible_in_snapshot(o.xact, n.target) and o.entered > $3::bigint
    order by o.entered limit $4::bigint
) o on true
left join lateral (
    select * from pgbook_data.commands
    where id = o.id and log_key is null and is_remote is null
    union all
    select * from pgbook_data.displaced where id = o.id and log_key is null
    limit 1
) c on true
left join pgbook_data.markets m on m.market = c.market
order by o.entered

-- name: number_items
select origin, number
from pgbook_data.number_items($1::uuid[], $2::bigint[], $3::timestamptz[], $4::boolean[], $5::smallint[])

-- name: store_items
select origin, number from pgbook_data.store_items($1::pgbook_data.log_row[])

-- name: refuse_items
select pgbook_data.refuse_items($1::text[], $2::bigint[], $3::bigint[], $4::smallint)

-- name: close_pools
select pgbook_data.close_pools($1, $2)

-- name: set_bound
update pgbook_data.cluster set bound = $1, heard_at = clock_timestamp()

-- name: set_agreed
update pgbook_data.cluster set agreed = greatest(agreed, $1)

-- name: set_admits
update pgbook_data.cluster set admits = $1, reason = $2, heard_at = clock_timestamp()

-- name: note_heard
update pgbook_data.cluster set heard_at = clock_timestamp()

-- name: add_proposals
insert into pgbook_data.proposals (member, id, target, amount, price, expires, market, kind, side, exec_type, tif, stp,
                                   change, post_only, user_id, owner, client_order_id)
select n.member, r.id, r.target, r.amount, r.price, r.expires, m.market, r.kind, r.side, r.exec_type, r.tif, r.stp,
       r.change, r.post_only, r.user_id, r.owner, r.client_order_id
from unnest($1::pgbook_data.log_row[]) r
join pgbook_data.members n on n.name = r.origin join pgbook_data.markets m on m.symbol = r.symbol
on conflict do nothing

-- name: withdraw_proposals
delete from pgbook_data.proposals where id = any ($1::uuid[])

-- name: read_proposals
-- They have no stamp of this node yet.
select m.symbol, p.id, timestamptz 'epoch' as time, p.kind, p.side, p.exec_type, p.tif, p.stp, p.change,
       p.post_only, p.amount, p.price, p.target, p.expires, p.user_id, p.owner, p.client_order_id, n.name
from pgbook_data.proposals p join pgbook_data.members n using (member) join pgbook_data.markets m using (market)
order by p.arrived

-- name: stored_ranges
select origin, first, last, last_stamp from pgbook_data.stored_ranges()

-- name: read_waiting
-- Accepted and not closed.
select c.log_key & ((1::bigint << 48) - 1) as number, c.is_unconfirmed is true, null::smallint as code, m.symbol, c.id,
       c.time, c.kind, c.side, c.exec_type, c.tif, c.stp, c.change, c.post_only, c.amount, c.price, c.target, c.expires,
       c.user_id, c.owner, c.client_order_id, c.origin
from pgbook_data.inbox i
cross join lateral (select * from pgbook_data.commands where id = i.id and log_key is not null limit 1) c
join pgbook_data.markets m on m.market = i.market
where i.time > (select closed_through from pgbook_data.cluster)

-- name: read_items
-- Numbers of one origin's log, rising.
select l.log_key & ((1::bigint << 48) - 1) as number, l.is_unconfirmed is true,
       case when l.seq is null then l.code end as code, m.symbol, l.id, l.time, l.kind, l.side, l.exec_type, l.tif,
       l.stp, l.change, l.post_only, l.amount, l.price, l.target, l.expires, l.user_id, l.owner, l.client_order_id,
       l.origin
from pgbook_data.members n
cross join lateral (
    (select * from pgbook_data.commands c
     where c.log_key between pgbook_data.log_key(n.member, $2) and pgbook_data.log_key(n.member, $3)
     order by c.log_key limit $4::bigint)
    union all
    (select * from pgbook_data.displaced d
     where d.log_key between pgbook_data.log_key(n.member, $2) and pgbook_data.log_key(n.member, $3)
     order by d.log_key limit $4::bigint)
) l
join pgbook_data.markets m on m.market = l.market
where n.name = $1
order by l.log_key limit $4::bigint

-- name: market_definitions
select symbol, trim_scale(tick_size)::text, trim_scale(lot_size)::text, max_amount, trim_scale(max_notional)::text,
       min_price, max_price
from pgbook_data.markets where not is_imported order by symbol collate "C"

-- name: add_market_from_peer
select pgbook_data.add_market_from_peer($1::text, $2::text::numeric, $3::text::numeric, $4::bigint,
                                        $5::text::numeric, $6::bigint, $7::bigint)

-- name: market_positions
-- How far each market was executed, where it was at all.
select m.symbol, s.seq, s.digest
from pgbook_data.newest_state s join pgbook_data.markets m using (market)
where s.seq > 0 order by m.symbol collate "C"

-- name: digest_heads
-- At given positions; none of those that are not reached.
select a.n, e.digest_head
from unnest($1::text[], $2::bigint[]) with ordinality a(symbol, seq, n)
join pgbook_data.markets m on m.symbol = a.symbol
cross join lateral (
    select o.digest_head from pgbook_data.outcomes o where o.market = m.market and o.seq = a.seq
    union all
    select c.digest_head from pgbook_data.commands c where c.market = m.market and c.seq = a.seq
    limit 1
) e
order by a.n

-- name: note_status
update pgbook_data.cluster set heard_at = clock_timestamp(), status = $1::text::jsonb

-- name: note_stored
select pgbook_data.note_stored($1::text[], $2::bigint[])

-- name: cluster_status
-- A sidecar writes at least once a second, but while it copies a peer's state.
select c.cluster_id, c.node, c.is_ready, c.reason, s.heard_at,
       coalesce(s.heard_at < clock_timestamp() - interval '3 seconds', true), s.status::text
from pgbook.cluster c cross join pgbook.cluster_status s

-- name: divergences
select id, security, user_id, client_order_id, code_before, filled_before, code_after, filled_after, rebuilt_from,
       noticed_at
from pgbook.divergence order by noticed_at, id
