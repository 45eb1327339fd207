-- What only nodes of a cluster need stands beside the entrance's one statement: each part of it costs every command.
set local role pgbook_owner;

create or replace function pgbook_data.enter(
    kinds smallint[], ids uuid[], users text[], symbols text[], sides smallint[], exec_types smallint[],
    tifs smallint[], post_onlys boolean[], stps smallint[], amounts numeric[], prices numeric[], targets uuid[],
    changes smallint[], expireses timestamptz[], owners text[], client_order_ids text[]
) returns table (ordinal integer, id uuid, code smallint, message text, field text, is_retry boolean)
language plpgsql volatile security definer set search_path = pg_catalog, pgbook_data
-- What was asked is joined to itself by hashing, never row by row: the planner cannot know how much was asked.
set enable_nestloop = off set enable_hashjoin = on set enable_bitmapscan = on set jit = off as $$
#variable_conflict use_column
declare
    size constant integer := cardinality(kinds);
    first_stamp bigint;
    -- Whether this is a node of a cluster, and why it takes no commands.
    is_shared constant boolean := exists (select from cluster);
    unready text;
    -- Which of the commands have a client order id that came by another node, and what got into the log.
    taken integer[];
    logged_ids uuid[];
    row record;
    earlier record;
begin
    perform pg_current_xact_id();  -- before the stamp: whoever waits for all earlier stamps waits for this transaction
    first_stamp := stamp(size);
    if is_shared then
        unready := not_ready();
        taken := array(
            select a.n::integer from unnest(users, client_order_ids) with ordinality a(user_id, client_order_id, n)
            cross join lateral (
                select from commands c
                where c.user_id = a.user_id and c.client_order_id = a.client_order_id and c.is_remote limit 1
            ) r);
    end if;
    for row in
        with asked as materialized (
            select a.n::integer as n, a.kind, coalesce(a.id, uuid_v7(first_stamp + a.n - 1)) as id,
                   a.id is not null or a.client_order_id is not null as may_be_retry,
                   timestamp_of(first_stamp + a.n - 1) as time, a.user_id, a.symbol, a.side, a.exec_type, a.tif,
                   a.post_only, a.stp, a.amount, a.price, a.target, a.change, a.expires, a.owner, a.client_order_id
            from unnest(kinds, ids, users, symbols, sides, exec_types, tifs, post_onlys, stps, amounts, prices,
                        targets, changes, expireses, owners, client_order_ids) with ordinality
                as a(kind, id, user_id, symbol, side, exec_type, tif, post_only, stp, amount, price, target, change,
                     expires, owner, client_order_id, n)
        ), placed as materialized (
            select a.*, m.market, m.symbol as known_symbol, m.tick_size, m.lot_size, m.max_amount, m.max_notional,
                   m.min_price, m.max_price, m.is_imported, s.is_halted,
                   coalesce(t.kind, b.kind) as target_kind, coalesce(t.user_id, b.user_id) as target_user
            from asked a
            -- Lateral, so that it stays an index lookup whatever the statistics say of a table that grew from nothing.
            left join lateral (
                select c.market, c.kind, c.user_id from commands c where c.id = a.target limit 1
            ) t on true
            left join asked b on b.id = a.target and b.n < a.n  -- placed earlier in this same call
            left join markets tm on tm.market = t.market
            left join markets m on m.symbol = coalesce(a.symbol, tm.symbol, b.symbol)
                and (tm.symbol is null or tm.symbol = m.symbol)
            left join market_state s on s.market = m.market
        ), checked as materialized (
            select p.*, c.code,
                   -- Of a refused command, for what it may be a retry of. NaN is above everything.
                   case when c.code is null or p.amount between 0 and 9223372036854775807 * p.lot_size
                             and mod(p.amount, p.lot_size) = 0
                        then div(p.amount, p.lot_size)::bigint end as lots,
                   case when c.code is null or p.price between 0 and 9223372036854775807 * p.tick_size
                             and mod(p.price, p.tick_size) = 0
                        then div(p.price, p.tick_size)::bigint end as ticks
            from placed p
            cross join lateral (select case
                when p.kind is null or p.kind not between 1 and 7 then 117
                when p.user_id is null or p.user_id = '' or length(p.user_id) > 64 then 117
                when length(p.client_order_id) not between 1 and 64 then 117
                when p.kind in (2, 3) and (p.target_kind is distinct from 1 or p.market is null) then 111
                when p.market is null then 101
                when p.is_imported then 102
                when p.kind in (2, 3) and p.target_user <> p.user_id then 112
                when p.kind in (1, 2) and p.is_halted then 102
                when p.kind = 1 and (
                    p.side is null or p.side not in (0, 1) or p.exec_type is null or p.exec_type not in (0, 1)
                    or p.tif is null or p.tif not between 0 and 3 or p.stp not between 1 and 4
                    or p.post_only is null or p.amount is null
                    or (p.exec_type = 0) <> (p.price is null)
                    or p.post_only and (p.exec_type = 0 or p.tif in (1, 2))
                    or p.exec_type = 0 and p.tif = 3
                    or (p.tif = 3) <> (p.expires is not null)
                    or p.expires = 'infinity') then 117
                when p.kind = 2 and (
                    p.change is null or p.change not between 1 and 3
                    or p.change = 1 and p.amount is null and p.price is null
                    or p.change = 2 and (p.amount is null or p.price is not null)
                    or p.change = 3 and (p.amount is null or p.price is null)) then 117
                when p.amount = 'NaN' or p.amount <= 0 or p.price = 'NaN' or p.price <= 0 then 105
                when p.amount > p.max_amount * p.lot_size or p.price > 9223372036854775807 * p.tick_size then 106
                when mod(p.amount, p.lot_size) <> 0 then 104
                when mod(p.price, p.tick_size) <> 0 then 103
                when p.price not between p.min_price * p.tick_size and p.max_price * p.tick_size then 107
                when p.amount * p.price > p.max_notional * p.tick_size * p.lot_size then 106
                when p.expires <= p.time then 114
                when unready is not null then 120
                end::smallint as code) c
        ), logged as (
            insert into commands (id, time, target, amount, price, expires, market, kind, side, exec_type, tif, stp,
                                  change, post_only, user_id, owner, client_order_id, origin)
            select c.id, c.time, c.target, c.lots, c.ticks, c.expires, c.market, c.kind, c.side,
                   c.exec_type, c.tif, c.stp, c.change, c.post_only, c.user_id, c.owner, c.client_order_id,
                   (select name from node)
            from checked c where c.code is null and (taken is null or c.n <> all (taken))
            order by c.n
            on conflict do nothing
            returning id, time, market
        ), queued as (
            insert into inbox (time, id, market) select time, id, market from logged where not is_shared
        )
        select c.*, l.id is not null as is_logged
        from checked c left join logged l on l.id = c.id and l.time = c.time
        order by c.n
    loop
        ordinal := row.n;
        id := row.id;
        code := row.code;
        message := null;
        field := null;
        is_retry := false;
        if is_shared and row.is_logged then
            logged_ids := logged_ids || row.id;
        end if;
        -- Whoever asks again gets what it got the first time, though the market is halted or the time has passed since.
        if row.may_be_retry and (row.code is null and not row.is_logged or row.code in (102, 106, 107, 114, 120)) then
            select * into earlier from commands c
            where c.id = row.id
               or (c.user_id = row.user_id and c.client_order_id = row.client_order_id)
            order by (c.id = row.id) desc
            limit 1;
            if not found and row.code is null then
                raise exception 'command % collides with one that this transaction cannot see; try again', row.id
                    using errcode = 'serialization_failure';
            elsif found and
               (earlier.kind, earlier.market, earlier.user_id, earlier.client_order_id, earlier.side,
                earlier.exec_type, earlier.tif, earlier.stp, earlier.change, earlier.post_only, earlier.amount,
                earlier.price, earlier.target, earlier.expires, earlier.owner)
               is not distinct from
               (row.kind, row.market, row.user_id, row.client_order_id, row.side, row.exec_type, row.tif, row.stp,
                row.change, row.post_only, row.lots, row.ticks, row.target, row.expires, row.owner)
            then
                id := earlier.id;
                code := null;
                is_retry := true;
            elsif row.code is null then
                code := 116;
                field := case when earlier.id = row.id then 'id' else 'client_order_id' end;
                message := format('%s %s was used before for something else; use a new one',
                    case field when 'id' then 'id' else 'client order id' end,
                    case field when 'id' then row.id::text else row.client_order_id end);
            end if;
        end if;
        if row.code is not null and not is_retry then
            select r.message, r.field into message, field
            from refusal(row.code, row.kind, row.symbol, row.user_id, row.client_order_id, row.side, row.exec_type,
                         row.tif, row.post_only, row.stp, row.amount, row.price, row.target, row.change, row.expires,
                         row.tick_size, row.lot_size, row.max_amount, row.max_notional, row.min_price,
                         row.max_price) r;
            if row.is_imported and row.code = 102 then
                message := format('market %s holds an imported history and takes no orders', row.symbol);
                field := 'security';
            elsif row.code = 120 then
                message := format('this node takes no commands now: %s', unready);
                field := null;
            end if;
        end if;
        return next;
    end loop;
    if is_shared then
        insert into outbox (id) select u.id from unnest(logged_ids) with ordinality u(id, n) order by u.n;
        perform wake('pgbook_data.outbox', 'pgbook_outbox');
    elsif not pg_try_advisory_xact_lock_shared('pgbook_data.inbox'::regclass::oid::bigint) then
        perform pg_notify('pgbook_orders', '');
    end if;
end
$$;
