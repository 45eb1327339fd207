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

create extension if not exists timescaledb;

-- The public interface: functions and views, in decimals.
create schema pgbook;
-- The rows: prices in ticks, amounts in lots. Only the owner and the node enter here.
create schema pgbook_data;
