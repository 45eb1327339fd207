-- What every role of the server may do in this database that lets it stop the others, or lets them be stopped.

-- name: loose_rights
-- One line each, with the remedy. A migration takes these rights; a restore into a new database may leave that out.
select format('anybody may make temporary tables and types in database %s, a first step to running code as another role; '
              'REVOKE TEMPORARY ON DATABASE %I FROM public', d.datname, d.datname)
from pg_database d
where d.datname = current_database() and exists (
    select from aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) a
    where a.grantee = 0 and a.privilege_type = 'TEMPORARY')
union all
select format('anybody may call %s%s, and fill the memory for locks with it; REVOKE EXECUTE ON FUNCTION %s FROM public',
              min(p.oid::regprocedure::text), case when count(*) > 1 then format(' and %s others', count(*) - 1) else '' end,
              string_agg(p.oid::regprocedure::text, ', ' order by p.oid::regprocedure::text))
from pg_proc p
where p.pronamespace = 'pg_catalog'::regnamespace
  and (p.proname like 'pg\_%advisory%' or p.proname in ('lo_creat', 'lo_create', 'lo_from_bytea'))
  and exists (select from aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a where a.grantee = 0)
having count(*) > 0
union all
-- A function of its own there is taken for TimescaleDB's where it fits better.
select format('anybody may make functions in schema %s beside TimescaleDB''s, and have them called in their place; '
              'REVOKE CREATE ON SCHEMA %I FROM public', n.nspname, n.nspname)
from pg_extension e join pg_namespace n on n.oid = e.extnamespace
where e.extname = 'timescaledb' and exists (
    select from aclexplode(coalesce(n.nspacl, acldefault('n', n.nspowner))) a
    where a.grantee = 0 and a.privilege_type = 'CREATE')
union all
select format('role %s%s may leave transactions open for ever, and what they read then cannot be cleaned up; '
              'ALTER ROLE %s SET idle_in_transaction_session_timeout = ''60s''%s', min(r.rolname),
              case when count(*) > 1 then format(' and %s other%s', count(*) - 1, case when count(*) > 2 then 's' else '' end)
                   else '' end, quote_ident(min(r.rolname)),
              case when current_setting('transaction_timeout', true) is not null
                   then format('; ALTER ROLE %I SET transaction_timeout = ''10min''', min(r.rolname)) else '' end)
from pg_roles r
where r.rolcanlogin and not r.rolsuper and pg_has_role(r.oid, 'pgbook_reader', 'member')
  and not pg_has_role(r.oid, 'pgbook_node', 'member')
  and not exists (
    select from pg_db_role_setting s cross join unnest(s.setconfig) c
    where s.setrole in (0, r.oid) and s.setdatabase in (0, (select oid from pg_database where datname = current_database()))
      and (c like 'idle\_in\_transaction\_session\_timeout=%' or c like 'transaction\_timeout=%'))
having count(*) > 0
