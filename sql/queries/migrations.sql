-- The schema's own history. It lives in a schema of its own, because it has to be there before the first migration.

-- name: has_migrations
-- Whether there is a schema, and whether it is one from before the functions stood beside the tables.
select to_regclass('pgbook_schema.migrations') is not null,
       to_regclass('pgbook_schema.migrations') is not null and to_regclass('pgbook_schema.functions') is null

-- name: applied_migrations
select name from pgbook_schema.migrations order by name collate "C"

-- name: lock_migrations
-- Until the transaction ends nobody else migrates this database.
lock table pgbook_schema.migrations in share row exclusive mode

-- name: limit_migration_waits
-- In this transaction. Whoever waits for a table makes everybody wait who comes after.
select set_config('lock_timeout', '2s', true)

-- name: migration_blocker
-- Whose transaction has used something of pgbook's for longest.
select a.pid, a.usename::text, a.application_name, extract(epoch from clock_timestamp() - a.xact_start)::bigint,
       (select string_agg(distinct format('%I.%I', n.nspname, c.relname), ', ')
        from pg_locks l join pg_class c on c.oid = l.relation join pg_namespace n on n.oid = c.relnamespace
        where l.pid = a.pid and l.granted and c.relkind in ('r', 'v', 'p')
          and n.nspname in ('pgbook', 'pgbook_data', 'pgbook_schema'))
from pg_stat_activity a
where a.datname = current_database() and a.pid <> pg_backend_pid() and exists (
    select from pg_locks l join pg_class c on c.oid = l.relation
    where l.pid = a.pid and l.granted
      and c.relnamespace::regnamespace::text in ('pgbook', 'pgbook_data', 'pgbook_schema'))
order by a.xact_start limit 1

-- name: path_for_migrating
-- For this transaction, whatever the session has: what is made is found by its full name, or not at all.
select set_config('search_path', 'pg_catalog, pg_temp', true)

-- name: create_migrations
-- What is applied is no secret: whoever may connect can be told why a binary does not fit.
create schema pgbook_schema;
create table pgbook_schema.migrations (
    name text primary key,
    checksum bytea not null,
    applied_at timestamptz not null default clock_timestamp()
);
-- Which functions, views and grants stand there. One row.
create table pgbook_schema.functions (
    is_only boolean primary key default true check (is_only),
    checksum text not null,
    applied_at timestamptz not null default clock_timestamp()
);
grant usage on schema pgbook_schema to public;
grant select on pgbook_schema.migrations, pgbook_schema.functions to public;

-- name: compare_migrations
-- Each migration that is known to the binary ($1 names, $2 texts) or applied to the database.
select name, k.name is not null as is_known, m.name is not null as is_applied,
       m.checksum = sha256(convert_to(k.text, 'UTF8')) as is_unchanged, m.applied_at
from unnest($1::text[], $2::text[]) k(name, text)
full join pgbook_schema.migrations m using (name)
order by name collate "C"

-- name: record_migration
insert into pgbook_schema.migrations (name, checksum) values ($1, sha256(convert_to($2, 'UTF8')))

-- name: server_facts
-- Whether this server can carry the schema. The setting exists only where the library is preloaded.
select current_setting('server_version') as version, current_setting('server_version_num')::integer as version_number,
       (select default_version from pg_available_extensions where name = 'timescaledb') as timescaledb_available,
       current_setting('timescaledb.disable_load', true) is not null as timescaledb_is_preloaded

-- name: applied_functions
select checksum, applied_at from pgbook_schema.functions

-- name: record_functions
insert into pgbook_schema.functions as f (checksum) values ($1)
on conflict (is_only) do update set checksum = excluded.checksum, applied_at = clock_timestamp()

-- name: adopt_old_schema
-- A schema made by the 28 migrations of before is the baseline of today, under other names.
create table pgbook_schema.functions (
    is_only boolean primary key default true check (is_only),
    checksum text not null,
    applied_at timestamptz not null default clock_timestamp()
);
alter table pgbook_schema.functions owner to pgbook_owner;
grant select on pgbook_schema.functions to public;
delete from pgbook_schema.migrations;
