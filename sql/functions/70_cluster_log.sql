set local role pgbook_owner;

-- The log of all nodes: every command that has a number, with what was decided before execution.
create or replace view pgbook_data.node_log as
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

-- Of commands with one id, the one that is executed has its row in `commands`: who comes first here. What was executed,
-- then what was accepted, in the order of execution; then what has no stamp yet; then what was refused.
create or replace function pgbook_data.log_rank(c pgbook_data.commands) returns text
language sql stable set search_path = pg_catalog, pg_temp
return case
    when c.seq is not null or exists (select from pgbook_data.outcomes o where o.id = c.id) then '0'
    when c.code is null and c.log_key is not null
        then '1' || lpad((extract(epoch from c.time) * 1000000)::bigint::text, 20, '0') || lpad(c.log_key::text, 20, '0')
    when c.log_key is null then '2'
    else '3' || lpad(c.log_key::text, 20, '0') end;

-- Brings the right one of the commands with one id into its place.
create or replace function pgbook_data.settle(ids uuid[]) returns void
language plpgsql volatile set search_path = pg_catalog, pgbook_data, pg_temp as $$
declare
    holder commands;
    first commands;
    asked uuid;
begin
    for asked in select distinct u.id from unnest(ids) u(id) loop
        select * into holder from commands c where c.id = asked;
        select d.* into first from displaced d where d.id = asked
        order by log_rank(row(d.*)::commands) collate "C" limit 1;
        if not found or log_rank(holder) collate "C" <= log_rank(first) collate "C" and holder.id is not null then
            continue;
        end if;
        delete from displaced d where d.id = asked and d.log_key is not distinct from first.log_key;
        delete from commands c where c.id = asked;
        delete from inbox i where (i.market, i.time, i.id) = (holder.market, holder.time, holder.id);
        if holder.id is not null then
            insert into displaced select holder.*;
        end if;
        -- Here its user's own id of it may be another's already; what has no stamp yet entered here, and is unique.
        first.is_remote := case when first.log_key is not null then true end;
        insert into commands select first.*;
        if first.code is null and first.log_key is not null then
            insert into inbox (time, id, market) values (first.time, first.id, first.market);
        end if;
    end loop;
end
$$;

-- Whether the command that has an id was executed, or is beyond refusing because all nodes execute it.
create or replace function pgbook_data.is_settled(asked uuid) returns boolean
language sql stable set search_path = pg_catalog, pg_temp
return exists (
    select from pgbook_data.commands c
    where c.id = asked
      and (c.seq is not null or exists (select from pgbook_data.outcomes o where o.id = c.id)
           or c.code is null and c.log_key is not null
              and c.time <= (select closed_through from pgbook_data.cluster)));

-- Of these commands those whose id another command has.
create or replace function pgbook_data.store_displaced(items pgbook_data.log_row[], keys bigint[])
returns table (origin text, number bigint)
language plpgsql volatile set search_path = pg_catalog, pgbook_data, pg_temp as $$
#variable_conflict use_column
declare
    stored uuid[];
    duplicates bigint[];
begin
    with kept as (
        insert into displaced (id, time, target, amount, price, expires, market, kind, side, exec_type, tif, stp,
                               change, post_only, user_id, owner, client_order_id, origin, log_key, is_remote,
                               is_unconfirmed, code, filled, remaining, dropped, notional)
        select r.id, r.time, r.target, r.amount, r.price, r.expires, m.market, r.kind, r.side, r.exec_type, r.tif,
               r.stp, r.change, r.post_only, r.user_id, r.owner, r.client_order_id, r.origin, k.log_key, true,
               nullif(r.is_unconfirmed, false), j.code, v.nothing, v.nothing,
               case when r.kind = 1 then r.amount else 0 end + v.nothing, v.nothing
        from unnest(items) r join members n on n.name = r.origin join markets m on m.symbol = r.symbol
        cross join lateral (select log_key(n.member, r.number) as log_key) k
        cross join lateral (select coalesce(r.code, case when is_settled(r.id) then 116 end)::smallint as code) j
        cross join lateral (select case when j.code is not null then 0 end as nothing) v
        where k.log_key = any (keys) and not exists (select from commands c where c.log_key = k.log_key)
        on conflict do nothing
        returning id, log_key, code
    )
    select array_agg(id), array_agg(log_key) filter (where code = 116) into stored, duplicates from kept;
    perform settle(stored);
    return query
        select r.origin, r.number from unnest(items) r join members n on n.name = r.origin
        where r.code is null and log_key(n.member, r.number) = any (duplicates);
end
$$;

-- Stores commands of other nodes; those that are stored already stay as they are. Returns which of those that were to be
-- accepted are refused as duplicates, because a command with their id is settled.
create or replace function pgbook_data.store_items(items pgbook_data.log_row[]) returns table (origin text, number bigint)
language plpgsql volatile security definer set search_path = pg_catalog, pgbook_data, pg_temp
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set enable_bitmapscan = off
set plan_cache_mode = force_generic_plan set jit = off as $$
#variable_conflict use_column
declare
    known bigint;
    missed bigint[];
begin
    with given as materialized (
        select r.*, m.market, log_key(n.member, r.number) as log_key
        from unnest(items) r join members n on n.name = r.origin join markets m on m.symbol = r.symbol
    ), logged as (
        insert into commands (id, time, target, amount, price, expires, market, kind, side, exec_type, tif, stp,
                              change, post_only, user_id, owner, client_order_id, origin, log_key, is_remote,
                              is_unconfirmed, code, filled, remaining, dropped, notional)
        select g.id, g.time, g.target, g.amount, g.price, g.expires, g.market, g.kind, g.side, g.exec_type, g.tif,
               g.stp, g.change, g.post_only, g.user_id, g.owner, g.client_order_id, g.origin, g.log_key, true,
               nullif(g.is_unconfirmed, false), g.code, v.nothing, v.nothing,
               case when g.kind = 1 then g.amount else 0 end + v.nothing, v.nothing
        from given g cross join lateral (select case when g.code is not null then 0 end as nothing) v
        on conflict do nothing
        returning id, log_key, time, market, code
    ), queued as (
        insert into inbox (time, id, market) select time, id, market from logged where code is null
    )
    select (select count(*) from given),
           case when (select count(*) from given) > (select count(*) from logged)
                then array(select log_key from given except select log_key from logged) end
    into known, missed;
    if known <> cardinality(items) then
        raise exception 'of % commands % are of a node or a market that is unknown here', cardinality(items),
            cardinality(items) - known using errcode = 'PB901';
    end if;
    if missed is not null then
        return query select * from store_displaced(items, missed);
    end if;
end
$$;

-- Gives commands that entered here their stamps and numbers, and puts those without a code, which are accepted, into
-- their pools. Returns which of them are refused as duplicates instead, because a command with their id is settled.
create or replace function pgbook_data.number_items(
    ids uuid[], numbers bigint[], times timestamptz[], unconfirmed boolean[], codes smallint[]
) returns table (origin text, number bigint)
language plpgsql volatile security definer set search_path = pg_catalog, pgbook_data, pg_temp
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set enable_bitmapscan = off
set plan_cache_mode = force_generic_plan set jit = off as $$
#variable_conflict use_column
declare
    self constant smallint := (select member from members where is_self);
    changed bigint;
    elsewhere uuid[];
    duplicates bigint[];
begin
    with numbered as (
        update commands c
        set time = g.time, log_key = log_key(self, g.number), is_unconfirmed = nullif(g.is_unconfirmed, false),
            code = g.code, filled = v.nothing, remaining = v.nothing,
            dropped = case when c.kind = 1 then c.amount else 0 end + v.nothing, notional = v.nothing
        from unnest(ids, numbers, times, unconfirmed, codes) g(id, number, time, is_unconfirmed, code)
        cross join lateral (
            select k.ctid as place from commands k
            where k.id = g.id and k.log_key is null and k.is_remote is null and k.seq is null limit 1
        ) k
        cross join lateral (select case when g.code is not null then 0 end as nothing) v
        where c.ctid = k.place
        returning c.id, c.time, c.market, c.code
    ), queued as (
        insert into inbox (time, id, market) select time, id, market from numbered where code is null
    ), stamped as (
        delete from outbox where id = any (ids)
    )
    select count(*) into changed from numbered;
    if changed < cardinality(ids) then
        with numbered as (
            update displaced d
            set time = g.time, log_key = log_key(self, g.number), is_unconfirmed = nullif(g.is_unconfirmed, false),
                code = j.code, filled = v.nothing, remaining = v.nothing,
                dropped = case when d.kind = 1 then d.amount else 0 end + v.nothing, notional = v.nothing
            from unnest(ids, numbers, times, unconfirmed, codes) g(id, number, time, is_unconfirmed, code)
            cross join lateral (select coalesce(g.code, case when is_settled(g.id) then 116 end)::smallint as code) j
            cross join lateral (select case when j.code is not null then 0 end as nothing) v
            where d.id = g.id and d.log_key is null
            returning d.id, g.number, case when g.code is null then j.code end as new_code
        )
        select array_agg(id), array_agg(number) filter (where new_code is not null) into elsewhere, duplicates
        from numbered;
        perform expect(changed + coalesce(cardinality(elsewhere), 0), cardinality(ids));
        perform settle(elsewhere);
        return query select (select name from node), u.number from unnest(duplicates) u(number);
    end if;
end
$$;

-- Refuses commands that were accepted and not executed.
create or replace function pgbook_data.refuse_items(origins text[], firsts bigint[], lasts bigint[], reason smallint) returns void
language plpgsql volatile security definer set search_path = pg_catalog, pgbook_data, pg_temp
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set enable_bitmapscan = off
set plan_cache_mode = force_generic_plan set jit = off as $$
declare
    shared uuid[];
begin
    with ranges as materialized (
        select log_key(n.member, r.first) as first_key, log_key(n.member, r.last) as last_key
        from unnest(origins, firsts, lasts) r(origin, first, last) join members n on n.name = r.origin
    ), refused as (
        update commands c
        set code = reason, filled = 0, remaining = 0, dropped = case when c.kind = 1 then c.amount else 0 end,
            notional = 0
        from ranges r
        cross join lateral (
            select k.ctid as place, k.id from commands k
            where k.log_key between r.first_key and r.last_key and k.code is null and k.seq is null
            offset 0
        ) k
        where c.ctid = k.place and not exists (select from outcomes o where o.id = k.id)
        returning c.id, c.time, c.market
    ), unqueued as (
        delete from inbox i using refused r where i.market = r.market and i.time = r.time and i.id = r.id
    ), elsewhere as (
        update displaced d
        set code = reason, filled = 0, remaining = 0, dropped = case when d.kind = 1 then d.amount else 0 end,
            notional = 0
        from ranges r
        where d.log_key between r.first_key and r.last_key and d.code is null
        returning d.id
    )
    select array_agg(x.id) into shared
    from (select id from refused where exists (select from displaced d where d.id = refused.id)
          union all select id from elsewhere) x;
    if shared is not null then
        perform settle(shared);
    end if;
end
$$;

-- Lets the matcher execute pools up to a time, and wakes it.
create or replace function pgbook_data.close_pools(through timestamptz, chain bytea) returns void
language plpgsql volatile set search_path = pg_catalog, pgbook_data, pg_temp as $$
begin
    update cluster c
    set closed_through = greatest(c.closed_through, through), chain = coalesce(close_pools.chain, c.chain),
        heard_at = clock_timestamp();
    perform wake('pgbook_data.inbox_sleeper', 'pgbook_orders');
end
$$;

-- Which numbers of which logs are stored, as ranges, and the stamp of the last. Remembers up to where there is no gap.
create or replace function pgbook_data.stored_ranges() returns table (origin text, first bigint, last bigint, last_stamp timestamptz)
language plpgsql volatile security definer set search_path = pg_catalog, pgbook_data, pg_temp
set enable_seqscan = off set enable_bitmapscan = off set jit = off as $$
#variable_conflict use_column
begin
    update members n set stored_through = f.last
    from (
        select i.member, max(i.number) as last
        from (
            select n.member, l.number, l.number - row_number() over (partition by n.member order by l.number) as island
            from members n cross join lateral (
                select c.log_key - log_key(n.member, 0) as number from commands c
                where c.log_key > log_key(n.member, n.stored_through) and c.log_key < log_key((n.member + 1)::smallint, 0)
                union all
                select d.log_key - log_key(n.member, 0) from displaced d
                where d.log_key > log_key(n.member, n.stored_through) and d.log_key < log_key((n.member + 1)::smallint, 0)
            ) l
        ) i join members n on n.member = i.member
        where i.island = n.stored_through
        group by i.member
    ) f
    where n.member = f.member;
    return query
        select n.name, r.first, r.last, s.time
        from members n
        cross join lateral (
            select 1::bigint as first, n.stored_through as last where n.stored_through > 0
            union all
            select min(i.number), max(i.number)
            from (
                select l.number, l.number - row_number() over (order by l.number) as island
                from (
                    select c.log_key - log_key(n.member, 0) as number from commands c
                    where c.log_key > log_key(n.member, n.stored_through) and c.log_key < log_key((n.member + 1)::smallint, 0)
                    union all
                    select d.log_key - log_key(n.member, 0) from displaced d
                    where d.log_key > log_key(n.member, n.stored_through) and d.log_key < log_key((n.member + 1)::smallint, 0)
                ) l
            ) i group by i.island
        ) r
        cross join lateral (
            select max(x.time) as time from (
                select c.time from commands c where c.log_key = log_key(n.member, r.last)
                union all
                select d.time from displaced d where d.log_key = log_key(n.member, r.last)
            ) x
        ) s
        order by n.member, r.first;
end
$$;

create or replace function pgbook_data.note_stored(names text[], numbers bigint[]) returns void
language sql volatile security definer set search_path = pg_catalog, pgbook_data, pg_temp
begin atomic
    update pgbook_data.members m set stored_through = g.number
    from unnest(names, numbers) g(name, number)
    where m.name = g.name and m.stored_through < g.number;
end;
