-- Roles are shared by all databases of a server, so they may exist already.
-- owner: owns the schema. node: matches. trader: gives commands. reader: looks.
do $$
declare
    role_name text;
begin
    foreach role_name in array array['pgbook_owner', 'pgbook_node', 'pgbook_trader', 'pgbook_reader'] loop
        begin
            if not exists (select from pg_catalog.pg_roles where rolname = role_name) then
                execute format('create role %I nologin', role_name);
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
exception when unique_violation or serialization_failure then
    null;
end
$$;

-- Where it lies already, it stays: pgbook finds it. Otherwise it lies in public, or, where there is none, by itself.
do $$
declare
    place name;
begin
    if not exists (select from pg_catalog.pg_extension where extname = 'timescaledb') then
        if pg_catalog.to_regnamespace('public') is null then
            create schema if not exists timescaledb;
            create extension timescaledb schema timescaledb;
        else
            create extension timescaledb schema public;
        end if;
    end if;
    select n.nspname into place
    from pg_catalog.pg_extension e join pg_catalog.pg_namespace n on n.oid = e.extnamespace
    where e.extname = 'timescaledb';
    execute pg_catalog.format('grant usage on schema %I to pgbook_owner', place);
end
$$;

-- Functions run with their owner's rights: the owner is a role that cannot log in. Whoever migrates may act as it.
do $$
begin
    grant pgbook_owner to current_user;
end
$$;
-- The public interface: functions and views, in decimals.
create schema pgbook authorization pgbook_owner;
-- The rows: prices in ticks, amounts in lots. Only the owner and the node enter here.
create schema pgbook_data authorization pgbook_owner;
-- The migrator's own record, which a hand-run psql does not make.
do $$
begin
    if to_regclass('pgbook_schema.migrations') is not null then
        alter schema pgbook_schema owner to pgbook_owner;
        alter table pgbook_schema.migrations owner to pgbook_owner;
        alter table pgbook_schema.functions owner to pgbook_owner;
    end if;
end
$$;

-- Least rights, whatever is made later: every other file begins with `set local role pgbook_owner;`. What a trader or
-- a reader may call stands in sql/functions/90_grants.sql.
alter default privileges for role pgbook_owner revoke execute on functions from public;
alter default privileges for role pgbook_owner in schema pgbook grant select on tables to pgbook_reader;
alter default privileges for role pgbook_owner in schema pgbook_data
    grant select, insert, update, delete on tables to pgbook_node;
alter default privileges for role pgbook_owner in schema pgbook_data
    grant usage, select, update on sequences to pgbook_node;
alter default privileges for role pgbook_owner in schema pgbook grant execute on functions to pgbook_node;
alter default privileges for role pgbook_owner in schema pgbook_data grant execute on functions to pgbook_node;
