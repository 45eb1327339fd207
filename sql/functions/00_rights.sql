-- What a restore on another server leaves out: roles are the server's, and pg_restore that does not find them gives
-- everything to whoever restores. Says again what sql/schema/0001_roles.sql says, and changes what differs only.
do $$
declare
    role_name text;
    object record;
begin
    foreach role_name in array array['pgbook_owner', 'pgbook_node', 'pgbook_trader', 'pgbook_reader'] loop
        begin
            if not exists (select from pg_catalog.pg_roles where rolname = role_name) then
                execute pg_catalog.format('create role %I nologin', role_name);
            end if;
        exception when duplicate_object or unique_violation then
            null;  -- another database's migration was faster
        end;
    end loop;
    if not pg_catalog.pg_has_role('pgbook_trader', 'pgbook_reader', 'member') then
        grant pgbook_reader to pgbook_trader;
    end if;
    if not pg_catalog.pg_has_role('pgbook_node', 'pgbook_trader', 'member') then
        grant pgbook_trader to pgbook_node;
    end if;
    if not pg_catalog.pg_has_role(current_user, 'pgbook_owner', 'member') then
        grant pgbook_owner to current_user;
    end if;

    for object in
        select 'schema' as kind, pg_catalog.quote_ident(n.nspname) as name
        from pg_catalog.pg_namespace n
        where n.nspname in ('pgbook', 'pgbook_data', 'pgbook_schema')
          and n.nspowner <> 'pgbook_owner'::pg_catalog.regrole
        union all
        select case c.relkind when 'v' then 'view' when 'm' then 'materialized view' when 'S' then 'sequence'
                   when 'c' then 'type' else 'table' end,
               pg_catalog.format('%I.%I', n.nspname, c.relname)
        from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
        where n.nspname in ('pgbook', 'pgbook_data', 'pgbook_schema') and c.relkind in ('r', 'p', 'v', 'm', 'S', 'c')
          and c.relowner <> 'pgbook_owner'::pg_catalog.regrole
          -- A column's own sequence goes with its table.
          and not exists (select from pg_catalog.pg_depend d
                          where d.objid = c.oid and d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
                            and d.deptype in ('a', 'i') and c.relkind = 'S')
        union all
        select case t.typtype when 'd' then 'domain' else 'type' end, pg_catalog.format('%I.%I', n.nspname, t.typname)
        from pg_catalog.pg_type t join pg_catalog.pg_namespace n on n.oid = t.typnamespace
        where n.nspname in ('pgbook', 'pgbook_data') and t.typtype in ('d', 'e')
          and t.typowner <> 'pgbook_owner'::pg_catalog.regrole
        union all
        select case p.prokind when 'a' then 'aggregate' when 'p' then 'procedure' else 'function' end,
               p.oid::pg_catalog.regprocedure::text
        from pg_catalog.pg_proc p join pg_catalog.pg_namespace n on n.oid = p.pronamespace
        where n.nspname in ('pgbook', 'pgbook_data') and p.proowner <> 'pgbook_owner'::pg_catalog.regrole
    loop
        execute pg_catalog.format('alter %s %s owner to pgbook_owner', object.kind, object.name);
    end loop;

    select n.nspname as name into object
    from pg_catalog.pg_extension e join pg_catalog.pg_namespace n on n.oid = e.extnamespace
    where e.extname = 'timescaledb' and not pg_catalog.has_schema_privilege('pgbook_owner', n.oid, 'usage');
    if found then
        execute pg_catalog.format('grant usage on schema %I to pgbook_owner', object.name);
    end if;

    -- A hypertable has a trigger that lets nothing be written into itself. Where it is made while TimescaleDB does not know
    -- of a restore, the chunks get it too, and nothing can be written into them.
    for object in
        select pg_catalog.format('%I.%I', c.chunk_schema, c.chunk_name) as name
        from timescaledb_information.chunks c
        join pg_catalog.pg_namespace n on n.nspname = c.chunk_schema
        join pg_catalog.pg_class r on r.relnamespace = n.oid and r.relname = c.chunk_name
        join pg_catalog.pg_trigger t on t.tgrelid = r.oid and t.tgname = 'ts_insert_blocker'
        where c.hypertable_schema = 'pgbook_data'
    loop
        execute pg_catalog.format('drop trigger ts_insert_blocker on %s', object.name);
    end loop;
end
$$;

set local role pgbook_owner;

alter default privileges for role pgbook_owner revoke execute on functions from public;
alter default privileges for role pgbook_owner in schema pgbook grant select on tables to pgbook_reader;
alter default privileges for role pgbook_owner in schema pgbook_data
    grant select, insert, update, delete on tables to pgbook_node;
alter default privileges for role pgbook_owner in schema pgbook_data
    grant usage, select, update on sequences to pgbook_node;
alter default privileges for role pgbook_owner in schema pgbook grant execute on functions to pgbook_node;
alter default privileges for role pgbook_owner in schema pgbook_data grant execute on functions to pgbook_node;
