set local role pgbook_owner;

-- Where TimescaleDB's own functions are: a database may keep extensions out of public.
create or replace function pgbook_data.timescale_schema() returns name
language sql stable set search_path = pg_catalog, pg_temp
begin atomic
    select n.nspname from pg_catalog.pg_extension e join pg_catalog.pg_namespace n on n.oid = e.extnamespace
    where e.extname = 'timescaledb';
end;

-- Refuses to call a function of TimescaleDB's where another one of its name stands beside it: that could fit better, and
-- would run with the owner's rights.
create or replace function pgbook_data.refuse_strangers(called name) returns void
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
    stranger regprocedure;
begin
    select p.oid into stranger from pg_proc p join pg_namespace n on n.oid = p.pronamespace
    where n.nspname = pgbook_data.timescale_schema() and p.proname = called
      and not exists (select from pg_depend d
                      where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e')
    limit 1;
    if found then
        raise exception 'not_permitted: % of role % stands beside TimescaleDB''s and could be called in its place; drop it',
            stranger, (select pg_get_userbyid(p.proowner) from pg_proc p where p.oid = stranger) using errcode = 'PB118';
    end if;
end
$$;

-- The chunks of trades that lie wholly before a time, and how many trades are in each.
create or replace function pgbook_data.trade_chunks(before timestamptz)
returns table (chunk text, begins timestamptz, ends timestamptz, trades bigint)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
    for chunk, begins, ends in
        select c.chunk_name::text, c.range_start, c.range_end
        from timescaledb_information.chunks c
        where c.hypertable_schema = 'pgbook_data' and c.hypertable_name = 'trades' and c.range_end <= before
        order by c.range_start
    loop
        execute 'select count(*) from pgbook_data.trades where time >= $1 and time < $2' into trades using begins, ends;
        return next;
    end loop;
end
$$;

-- Drops the chunks of trades that lie wholly before a time; candles stay. Returns what was dropped. Whoever reads a chunk
-- is waited for a moment only: everybody who wants to read it meanwhile stands in line behind the one that drops it.
create or replace function pgbook_data.drop_trades(before timestamptz)
returns table (chunk text, begins timestamptz, ends timestamptz, trades bigint)
language plpgsql security definer set search_path = pg_catalog, pg_temp
set lock_timeout = '50ms' as $$
declare
    last_end timestamptz;
begin
    -- Waits for whoever reads trades to compare or rebuild candles.
    lock table pgbook_data.trade_horizon in exclusive mode;
    perform from pgbook_data.trade_horizon h for update;
    for chunk, begins, ends, trades in select * from pgbook_data.trade_chunks(before) loop
        last_end := ends;
        return next;
    end loop;
    if last_end is not null then
        perform pgbook_data.refuse_strangers('drop_chunks');
        execute format('select %I.drop_chunks(''pgbook_data.trades'', older_than => $1)',
                       pgbook_data.timescale_schema()) using last_end;
        update pgbook_data.trade_horizon h set dropped_before = greatest(h.dropped_before, last_end);
    end if;
end
$$;

-- How much time a new chunk of trades covers: whole hours that divide a day, or whole days.
create or replace function pgbook_data.set_trade_chunk(span interval) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    seconds numeric := extract(epoch from span);
begin
    if seconds is null or seconds < 3600 or extract(month from span) <> 0 or extract(year from span) <> 0
       or (seconds < 86400 and 86400 % seconds <> 0) or (seconds < 86400 and seconds % 3600 <> 0)
       or (seconds >= 86400 and seconds % 86400 <> 0) or seconds > 366 * 86400 then
        raise exception 'bad_value: a chunk covers 1h, 2h, 3h, 4h, 6h, 8h, 12h or 1 to 366 whole days, not %', span
            using errcode = 'PB117', column = 'chunk';
    end if;
    perform pgbook_data.refuse_strangers('set_chunk_time_interval');
    execute format('select %I.set_chunk_time_interval(''pgbook_data.trades'', $1)', pgbook_data.timescale_schema())
        using seconds::bigint * interval '1 second';
end
$$;
