set local role pgbook_owner;

-- Why a command is refused: one line for a person, and the field at fault.
create or replace function pgbook_data.refusal(
    code smallint, kind smallint, symbol text, user_id text, client_order_id text, side smallint, exec_type smallint,
    tif smallint, post_only boolean, stp smallint, amount numeric, price numeric, target uuid, change smallint,
    expires timestamptz, tick numeric, lot numeric, max_amount bigint, max_notional numeric, min_price bigint,
    max_price bigint, out message text, out field text)
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
    shown_amount constant text := pgbook_data.shown(amount);
    shown_price constant text := pgbook_data.shown(price);
begin
    case code
    when 101 then
        field := 'security';
        message := format('there is no market %s; pgbook.markets lists them', coalesce(quote_literal(left(symbol, 40)), 'without a name'));
    when 102 then
        field := 'security';
        message := format('market %s is halted; cancels go on, other commands are refused until it is resumed', symbol);
    when 103 then
        field := 'price';
        message := format('price %s is not a multiple of the tick size %s; use %s or %s', shown_price, trim_scale(tick),
            trim_scale(div(price, tick) * tick), trim_scale((div(price, tick) + 1) * tick));
    when 104 then
        field := 'amount';
        message := format('amount %s is not a multiple of the lot size %s; use %s or %s', shown_amount, trim_scale(lot),
            trim_scale(div(amount, lot) * lot), trim_scale((div(amount, lot) + 1) * lot));
    when 105 then
        field := case when amount = 'NaN' or amount <= 0 then 'amount' else 'price' end;
        message := format('%s %s is not positive; it must be above zero', field,
            case field when 'amount' then shown_amount else shown_price end);
    when 106 then
        if amount > max_amount * lot then
            field := 'amount';
            message := format('amount %s is too large; the largest is %s', shown_amount, trim_scale(max_amount * lot));
        elsif price > 9223372036854775807 * tick then
            field := 'price';
            message := format('price %s is too large; the highest is %s', shown_price, trim_scale(max_price * tick));
        else
            field := 'amount';
            message := format('amount %s at price %s is worth %s, too much; the largest value of one order is %s',
                shown_amount, shown_price, pgbook_data.shown(amount * price), trim_scale(max_notional * tick * lot));
        end if;
    when 107 then
        field := 'price';
        message := format('price %s is outside the band; it must be between %s and %s', shown_price,
            trim_scale(min_price * tick), trim_scale(max_price * tick));
    when 111 then
        field := 'id';
        message := format('there is no order %s; pgbook.orders lists them', coalesce(target::text, 'without an id'));
    when 112 then
        field := 'id';
        message := format('order %s belongs to another user than %s; only its owner may change it', target, user_id);
    when 114 then
        field := 'expires';
        message := format('expiry %s has passed; use a time to come', expires);
    else
        field := case
            when pgbook_data.user_fault(user_id) is not null then 'user_id'
            when not pgbook_data.is_name(client_order_id) then 'client_order_id'
            when kind = 1 and side is null then 'side'
            when kind = 1 and amount is null then 'amount'
            when kind = 1 and (exec_type = 0) <> (price is null) then 'price'
            when kind = 1 and post_only and (exec_type = 0 or tif in (1, 2)) then 'post_only'
            when kind = 1 and exec_type = 0 and tif = 3 then 'time_in_force'
            when kind = 1 and ((tif = 3) <> (expires is not null) 
                               or expires not between pgbook_data.time_first() and pgbook_data.time_last()) then 'expires'
            when kind = 2 and price is not null and change = 2 then 'price'
            when kind = 2 then 'amount'
            else 'kind' end;
        message := case field
            when 'user_id' then pgbook_data.user_fault(user_id)
            when 'client_order_id' then
                'a client order id has 1 to 64 bytes of UTF-8, not ' || octet_length(client_order_id)
            when 'side' then 'a side is needed: bid or ask'
            when 'amount' then case kind when 1 then 'an amount is needed' else 'an amend needs a new amount or price' end
            when 'price' then case when price is null then 'a limit order needs a price'
                else format('price %s: a market order and a reduction take no price; leave it out', shown_price) end
            when 'post_only' then 'post-only goes with limit orders that may rest: gtc or gtd'
            when 'time_in_force' then 'a market order cannot wait: use gtc, ioc or fok'
            when 'expires' then case when expires is null then 'gtd needs an expiry time'
                when tif is distinct from 3 then 'an expiry time goes with gtd only'
                else format('expiry %s is outside the years 1 to 9999', expires) end
            else 'the kind of command is unknown' end;
    end case;
end
$$;

-- Why this node takes no commands; null where it does.
create or replace function pgbook_data.not_ready() returns text
language sql stable security definer set search_path = pg_catalog, pg_temp
return (
    select case when not c.admits then coalesce(c.reason, 'it has not caught up with its peers')
                when c.heard_at < clock_timestamp() - interval '30 seconds'
                then format('its sidecar was last heard of at %s; start it: pgbook gossip',
                            to_char(c.heard_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')) end
    from pgbook_data.cluster c);

-- Tells whoever listens to look. The queue of notifications is everybody's: who does not read it fills it, and a commit
-- with a notification fails then. A hint must not cost a commit, so while the queue is half full nobody is told, and
-- whoever listens looks by itself more often.
create or replace function pgbook_data.hint(channel text, payload text) returns void
language sql volatile
return case when pg_catalog.pg_notification_queue_usage() operator(pg_catalog.<) 0.5
    then pg_catalog.pg_notify(channel, payload) end;

-- Wakes whoever sleeps at the end of a queue. NOTIFY makes commits wait for each other, so it is for sleepers alone.
-- Called after the queue was written, never before: see fall_asleep.
create or replace function pgbook_data.wake(sleeper regclass, channel text) returns void
language plpgsql volatile set search_path = pg_catalog, pg_temp as $$
begin
    if pg_sequence_last_value(sleeper) > 0 then
        perform pgbook_data.hint(channel, '');
    end if;
end
$$;

-- Asks to be woken from now on. Returns the transactions that have written the tables which a sleeper looks at, are not at
-- their end, and may have looked for sleepers before: what they bring is not announced. All else is announced, or visible
-- after this.
create or replace function pgbook_data.fall_asleep(sleeper regclass, variadic tables regclass[]) returns text[]
language plpgsql volatile set search_path = pg_catalog, pg_temp as $$
begin
    perform setval(sleeper, 1);
    return array(
        select distinct l.virtualtransaction from pg_locks l
        where l.locktype = 'relation' and l.relation = any (tables::oid[]) and l.mode = 'RowExclusiveLock' and l.granted
          and l.database = (select d.oid from pg_database d where d.datname = current_database())
          and l.pid <> pg_backend_pid());
end
$$;

-- Why nothing may be acknowledged on this server, in one line; null where what is committed is on disk. Only a server that
-- its own files call throwaway may be without.
create or replace function pgbook_data.not_durable() returns text
language sql stable
begin atomic
    select case
        when pg_catalog.current_setting('cluster_name') = 'pgbook_throwaway' then null
        when pg_catalog.current_setting('fsync') = 'off' then
            'fsync is off, and a crash of the machine can lose what is taken in; set fsync = on in postgresql.conf and '
            'reload it'
        when pg_catalog.current_setting('full_page_writes') = 'off' then
            'full_page_writes is off, and a power cut can destroy pages; set full_page_writes = on in postgresql.conf '
            'and reload it'
        end;
end;

-- Whatever the caller's session has set: what it was promised is on disk when its transaction is committed. Holds to the
-- end of the transaction.
create or replace function pgbook_data.be_durable() returns void
language plpgsql volatile set search_path = pg_catalog, pg_temp as $$
begin
    if current_setting('synchronous_commit') not in ('on', 'remote_apply') then
        perform set_config('synchronous_commit', 'on', true);
    end if;
end
$$;

-- Enters any number of commands; all arrays have the same length. Returns one row per command, in order.
--   code null: it is in the log, under `id`. is_retry: it was there already with the same content.
--   code not null: refused (the numbers of OutcomeCode); `message` says why in one line, `field` names the value at fault.
-- What only nodes of a cluster need stands beside the one statement: each part of it costs every command.
create or replace function pgbook_data.enter(
    kinds smallint[], ids uuid[], users text[], symbols text[], sides smallint[], exec_types smallint[],
    tifs smallint[], post_onlys boolean[], stps smallint[], amounts numeric[], prices numeric[], targets uuid[],
    changes smallint[], expireses timestamptz[], owners text[], client_order_ids text[]
) returns table (ordinal integer, id uuid, code smallint, message text, field text, is_retry boolean)
language plpgsql volatile security definer set search_path = pg_catalog, pgbook_data, pg_temp
-- What was asked is joined to itself by hashing, never row by row: the planner cannot know how much was asked.
-- The state of a market is found by index, however many versions of it somebody's old snapshot keeps.
set enable_nestloop = off set enable_hashjoin = on set enable_bitmapscan = on set enable_seqscan = off set jit = off as $$
#variable_conflict use_column
declare
    size constant integer := cardinality(kinds);
    first_stamp bigint;
    -- Whether this is a node of a cluster, and why it takes no commands.
    is_shared constant boolean := exists (select from cluster);
    unready text;
    -- Markets whose own rows cannot be read.
    aside constant smallint[] := array(select s.market from set_aside s where s.id is null);
    -- Which of the commands have a client order id that came by another node, and what got into the log.
    taken integer[];
    logged_ids uuid[];
    row record;
    earlier record;
begin
    perform be_durable();
    perform pg_current_xact_id();  -- before the stamp: whoever waits for all earlier stamps waits for this transaction
    first_stamp := stamp(size);
    unready := not_durable();
    if is_shared then
        unready := coalesce(unready, not_ready());
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
            left join lateral (
                select n.is_halted from market_state n where n.market = m.market order by n.seq desc limit 1
            ) s on true
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
                when p.user_id is null or not is_name(p.user_id) or not is_name(p.owner)
                    or hidden_character(p.user_id) is not null then 117
                when not is_name(p.client_order_id) then 117
                when p.kind in (2, 3) and (p.target_kind is distinct from 1 or p.market is null) then 111
                when p.market is null then 101
                when p.market = any (aside) then 122
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
                    or p.expires not between time_first() and time_last()) then 117
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
            elsif row.code = 122 then
                message := format('market %s cannot be read and takes no orders: %s', row.symbol,
                    (select s.reason from set_aside s where s.market = row.market and s.id is null));
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
        perform wake('pgbook_data.outbox_sleeper', 'pgbook_outbox');
    else
        perform wake('pgbook_data.inbox_sleeper', 'pgbook_orders');
    end if;
end
$$;

-- The public commands. Each refuses with an exception whose SQLSTATE is 'PB' and the code's number, whose message is
-- `code: why`, and whose COLUMN names the field at fault; nothing is stored then.

-- The user a caller acts as: a trader only as itself, a node for anybody.
create or replace function pgbook_data.acting_user(user_id text) returns text
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
    if user_id is not distinct from session_user::text or pg_has_role(session_user, 'pgbook_node', 'member') then
        return user_id;
    end if;
    raise exception 'not_permitted: role % may give commands as itself only, not as %; leave user_id out',
        session_user, user_id using errcode = 'PB118', column = 'user_id';
end
$$;

-- Enters one command and returns its id (of a retry: the first one's), or raises its refusal.
create or replace function pgbook_data.enter_one(
    kind smallint, id uuid, user_id text, symbol text, side smallint, exec_type smallint, tif smallint,
    post_only boolean, stp smallint, amount numeric, price numeric, target uuid, change smallint, expires timestamptz,
    owner text, client_order_id text) returns uuid
language plpgsql volatile set search_path = pg_catalog, pg_temp as $$
declare
    entered record;
begin
    select * into entered from pgbook_data.enter(
        array[kind], array[id], array[user_id], array[symbol], array[side], array[exec_type], array[tif],
        array[post_only], array[stp], array[amount], array[price], array[target], array[change], array[expires],
        array[owner], array[client_order_id]);
    if entered.code is not null then
        raise exception '%: %', pgbook_data.code_name(entered.code), entered.message
            using errcode = 'PB' || entered.code, column = coalesce(entered.field, '');
    end if;
    return entered.id;
end
$$;
