set local role pgbook_owner;

-- How this node stands in its cluster; no row where it is alone.
create or replace view pgbook.cluster as
select c.cluster_id, n.name as node, array(select name from pgbook_data.members order by member) as members,
       c."window" * interval '1 microsecond' as "window", c.closed_through, encode(c.chain, 'hex') as chain, c.agreed,
       pgbook_data.not_ready() is null as is_ready, pgbook_data.not_ready() as reason, c.heard_at
from pgbook_data.cluster c cross join pgbook_data.members n where n.is_self;

-- As the sidecar wrote it last, about once a second; no row where this node is alone.
create or replace view pgbook.cluster_status as
select heard_at, status from pgbook_data.cluster;

-- Makes this database a node of a cluster. What waits for its execution waits for its stamp from now on.
create or replace function pgbook_data.create_cluster(cluster_id text, node text, names text[], window_microseconds bigint)
returns void
language plpgsql volatile security definer set search_path = pg_catalog, pgbook_data, pg_temp as $$
begin
    -- Nobody is in the middle of entering or executing a command.
    lock table commands in share row exclusive mode;
    if exists (select from cluster) then
        raise exception 'this database belongs to the cluster % already', (select c.cluster_id from cluster c)
            using errcode = 'PB117';
    end if;
    if exists (select from markets where is_imported) then
        raise exception 'market % holds an imported history, which a cluster cannot share; use another database',
            (select symbol from markets where is_imported order by symbol limit 1) using errcode = 'PB117';
    end if;
    if node <> all (names) then
        raise exception 'node % is not among the members %', node, array_to_string(names, ', ') using errcode = 'PB117';
    end if;
    insert into members (member, name, is_self)
    select row_number() over (order by n.name collate "C"), n.name, n.name = create_cluster.node
    from unnest(names) n(name);
    insert into cluster (cluster_id, "window") values (create_cluster.cluster_id, window_microseconds);
    update node set name = create_cluster.node;
    -- Whoever has markets in memory reads them anew.
    update markets set symbol = symbol;
    perform adopt_waiting();
end
$$;

-- Commands that were about to be executed when this became a node of a cluster get their stamps like all others.
create or replace function pgbook_data.adopt_waiting() returns void
language sql volatile security definer set search_path = pg_catalog, pgbook_data, pg_temp
begin atomic
    with waiting as (
        delete from pgbook_data.inbox i using pgbook_data.commands c where c.id = i.id and c.log_key is null
        returning i.time, i.id
    )
    insert into pgbook_data.outbox (id) select id from waiting order by time, id;
end;

-- Takes the seat of the database's sidecar. Whoever holds the lock on sidecar_seat calls it, in another transaction.
create or replace function pgbook_data.take_seat(seat uuid) returns void
language plpgsql volatile security definer set search_path = pg_catalog, pgbook_data, pg_temp as $$
begin
    lock table pgbook_data.sidecar in exclusive mode;
    update pgbook_data.sidecar s set seat = take_seat.seat;
end
$$;

-- Undoes what a sidecar writes that has lost its seat to another, and lets nobody take it until the transaction ends.
create or replace function pgbook_data.prove_seat(seat uuid) returns void
language plpgsql volatile security definer set search_path = pg_catalog, pgbook_data, pg_temp as $$
begin
    lock table pgbook_data.sidecar in row share mode;
    if not exists (select from pgbook_data.sidecar s where s.seat = prove_seat.seat) then
        raise exception 'another sidecar has this database by now; stop one of the two' using errcode = 'PB903';
    end if;
end
$$;

-- Adds a market that another node has. Does nothing where it is here with the same sizes and limits.
create or replace function pgbook_data.add_market_from_peer(
    symbol text, tick_size numeric, lot_size numeric, max_amount bigint, max_notional numeric, min_price bigint,
    max_price bigint
) returns void
language plpgsql volatile security definer set search_path = pg_catalog, pgbook_data, pg_temp as $$
declare
    known markets;
    added smallint;
begin
    insert into markets (symbol, tick_size, lot_size, max_amount, max_notional, min_price, max_price)
    values (symbol, tick_size, lot_size, max_amount, max_notional, min_price, max_price)
    on conflict do nothing
    returning market into added;
    if added is not null then
        insert into market_state (market) values (added);
        return;
    end if;
    select * into known from markets m where m.symbol = add_market_from_peer.symbol;
    if known.is_imported then
        raise exception 'market % holds an imported history here; a cluster cannot share it', symbol
            using errcode = 'PB902';
    end if;
    if (known.tick_size, known.lot_size, known.max_amount, known.max_notional, known.min_price, known.max_price)
       is distinct from (tick_size, lot_size, max_amount, max_notional, min_price, max_price) then
        raise exception 'market % is another here: %', symbol, (
            select string_agg(format('%s is %s here and %s there', d.what, coalesce(trim_scale(d.here)::text, 'none'),
                                     coalesce(trim_scale(d.there)::text, 'none')), ', ')
            from (values ('the tick size', known.tick_size, tick_size), ('the lot size', known.lot_size, lot_size),
                         ('the largest amount in lots', known.max_amount::numeric, max_amount::numeric),
                         ('the largest value in ticks and lots', known.max_notional, max_notional),
                         ('the lowest price in ticks', known.min_price::numeric, min_price::numeric),
                         ('the highest price in ticks', known.max_price::numeric, max_price::numeric))
                 d(what, here, there)
            where d.here is distinct from d.there
        ) using errcode = 'PB902';
    end if;
end
$$;

create or replace function pgbook_data.add_members(names text[]) returns void
language plpgsql volatile security definer set search_path = pg_catalog, pgbook_data, pg_temp as $$
begin
    lock table members in share row exclusive mode;
    insert into members (member, name)
    select (select max(m.member) from members m) + row_number() over (order by n.name collate "C"), n.name
    from unnest(names) n(name)
    where not exists (select from members m where m.name = n.name);
end
$$;

-- Trades from elsewhere would be in one node alone.
create or replace function pgbook_data.refuse_import() returns trigger
language plpgsql set search_path = pg_catalog, pgbook_data, pg_temp as $$
begin
    if exists (select from cluster) then
        raise exception 'this database is a node of the cluster %, whose nodes have one history; import into another database',
            (select cluster_id from cluster) using errcode = 'PB117', column = 'security';
    end if;
    return new;
end
$$;

create or replace trigger no_import_into_a_cluster before update of is_imported on pgbook_data.markets
for each row when (new.is_imported) execute function pgbook_data.refuse_import();
