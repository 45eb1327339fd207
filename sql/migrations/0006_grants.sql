-- Least rights. Whatever is not granted here is refused, whoever asks.
revoke all on all functions in schema pgbook, pgbook_data from public;

grant usage on schema pgbook to pgbook_reader, pgbook_node;
grant select on all tables in schema pgbook to pgbook_reader;
grant execute on function pgbook.agg_book to pgbook_reader;
-- The views call it with their reader's rights.
grant execute on function pgbook_data.code_name to pgbook_reader;

grant execute on function
    pgbook.place_order, pgbook.amend_order, pgbook.reduce_order, pgbook.cancel_order, pgbook.cancel_all
    to pgbook_trader;

grant usage on schema pgbook_data to pgbook_node;
grant select, insert, update, delete on all tables in schema pgbook_data to pgbook_node;
revoke update, delete on pgbook_data.commands from pgbook_node;
grant usage, select, update on all sequences in schema pgbook_data to pgbook_node;
grant execute on all functions in schema pgbook, pgbook_data to pgbook_node;

-- The functions run with their owner's rights: the owner must be a role that cannot log in.
do $$
declare
    object record;
begin
    grant pgbook_owner to current_user;
    grant create on schema pgbook, pgbook_data to pgbook_owner;
    for object in
        select p.oid::regprocedure as name from pg_catalog.pg_proc p
        where p.pronamespace in ('pgbook'::regnamespace, 'pgbook_data'::regnamespace)
    loop
        execute format('alter function %s owner to pgbook_owner', object.name);
    end loop;
    for object in
        select c.oid::regclass as name, c.relkind from pg_catalog.pg_class c
        where c.relnamespace in ('pgbook'::regnamespace, 'pgbook_data'::regnamespace) and c.relkind in ('r', 'v', 'S')
          and not exists (select from pg_catalog.pg_depend d
                          where d.objid = c.oid and d.classid = 'pg_class'::regclass and d.deptype = 'i')
    loop
        execute format('alter %s %s owner to pgbook_owner',
            case object.relkind when 'r' then 'table' when 'v' then 'view' else 'sequence' end, object.name);
    end loop;
    alter schema pgbook owner to pgbook_owner;
    alter schema pgbook_data owner to pgbook_owner;
    -- The migrator's own record, which psql does not make.
    if to_regclass('pgbook_schema.migrations') is not null then
        alter schema pgbook_schema owner to pgbook_owner;
        alter table pgbook_schema.migrations owner to pgbook_owner;
    end if;
    -- Chunks are made by whoever inserts the first trade of a day; the hypertable's owner must be able to.
    grant create on schema pgbook_data to pgbook_node;
end
$$;

-- Every later migration begins with `set local role pgbook_owner;` so that what it makes has the right owner and these
-- rights. What a trader or reader may call, it grants itself.
alter default privileges for role pgbook_owner revoke execute on functions from public;
alter default privileges for role pgbook_owner in schema pgbook grant select on tables to pgbook_reader;
alter default privileges for role pgbook_owner in schema pgbook_data
    grant select, insert, update, delete on tables to pgbook_node;
alter default privileges for role pgbook_owner in schema pgbook_data
    grant usage, select, update on sequences to pgbook_node;
alter default privileges for role pgbook_owner in schema pgbook grant execute on functions to pgbook_node;
alter default privileges for role pgbook_owner in schema pgbook_data grant execute on functions to pgbook_node;
