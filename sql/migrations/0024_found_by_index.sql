-- What a statement of few rows looks for it finds by index, however long the log is.
set local role pgbook_owner;

-- A retry is found by two indexes together, also in a matcher's session, which plans without bitmaps.
alter function pgbook_data.enter set enable_bitmapscan = on;

-- As it was, but the log is looked up by its index, and never joined the other way round.
create or replace function pgbook_data.refuse_items(origins text[], firsts bigint[], lasts bigint[], reason smallint) returns void
language plpgsql volatile security definer set search_path = pg_catalog, pgbook_data
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
