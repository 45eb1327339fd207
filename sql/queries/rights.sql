-- Whether the schema stands as it was made: a restore can leave owners, rights, roles and chunks out without an error that
-- anybody reads.

-- name: schema_faults
-- One line each, and whether `pgbook migrate` mends it.
with role(name) as (
    values ('pgbook_owner'), ('pgbook_node'), ('pgbook_trader'), ('pgbook_reader')
), object as (
    select case c.relkind when 'v' then 'view' when 'S' then 'sequence' else 'table' end as kind, n.nspname as place,
           format('%I.%I', n.nspname, c.relname) as name, c.relowner as owner, c.oid, c.relpersistence as persistence
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname in ('pgbook', 'pgbook_data', 'pgbook_schema') and c.relkind in ('r', 'p', 'v', 'S')
), code as (
    select p.oid, n.nspname as place, format('%I.%I', n.nspname, p.proname) as name, p.proowner as owner, p.proacl
    from pg_proc p join pg_namespace n on n.oid = p.pronamespace
    where n.nspname in ('pgbook', 'pgbook_data')
), chunk as (
    -- Looked up as rows: a reader may not look names up in schemas that are closed to it.
    select (select r.oid from pg_class r join pg_namespace n on n.oid = r.relnamespace
            where n.nspname = c.chunk_schema and r.relname = c.chunk_name) as oid
    from timescaledb_information.chunks c
    where c.hypertable_schema = 'pgbook_data' and c.hypertable_name = 'trades'
)
select format('the role %s is not on this server', r.name) as fault, true as is_mendable
from role r where to_regrole(r.name) is null
union all
select format('the role %s may not act as %s', m.member, m.role), true
from (values ('pgbook_trader', 'pgbook_reader'), ('pgbook_node', 'pgbook_trader')) m(member, role)
where to_regrole(m.member) is not null and to_regrole(m.role) is not null
  and not pg_has_role(to_regrole(m.member)::oid, to_regrole(m.role)::oid, 'member')
union all
select 'pgbook_owner, with whose rights functions run, '
       || case when r.rolsuper then 'is a superuser' else 'can log in' end || '; ALTER ROLE pgbook_owner '
       || case when r.rolsuper then 'NOSUPERUSER' else 'NOLOGIN' end, false
from pg_roles r where r.rolname = 'pgbook_owner' and (r.rolsuper or r.rolcanlogin)
union all
select format('%s belongs to %s%s, and to pgbook_owner it should', min(o.name), min(pg_get_userbyid(o.owner)),
              case when count(*) > 1 then format(' (so do %s others)', count(*) - 1) else '' end), true
from (select name, owner from object union all select name || '()', owner from code) o
where o.owner is distinct from to_regrole('pgbook_owner')
having count(*) > 0
union all
select format('pgbook_node may not write %s', min(o.name)), true
from object o
where o.kind = 'table' and o.place = 'pgbook_data' and to_regrole('pgbook_node') is not null
  and not (has_schema_privilege(to_regrole('pgbook_node')::oid, 'pgbook_data', 'usage')
           and has_table_privilege(to_regrole('pgbook_node')::oid, o.oid, 'select')
           and has_table_privilege(to_regrole('pgbook_node')::oid, o.oid, 'insert'))
having count(*) > 0
union all
select format('pgbook_node may not call %s', min(c.name)), true
from code c
where to_regrole('pgbook_node') is not null and not has_function_privilege(to_regrole('pgbook_node')::oid, c.oid, 'execute')
having count(*) > 0
union all
select format('pgbook_reader may not read %s', min(o.name)), true
from object o
where o.kind = 'view' and o.place = 'pgbook' and to_regrole('pgbook_reader') is not null
  and not (has_schema_privilege(to_regrole('pgbook_reader')::oid, 'pgbook', 'usage')
           and has_table_privilege(to_regrole('pgbook_reader')::oid, o.oid, 'select'))
having count(*) > 0
union all
select format('pgbook_trader may not call %s', min(c.name)), true
from code c
where c.name in ('pgbook.place_order', 'pgbook.amend_order', 'pgbook.reduce_order', 'pgbook.cancel_order',
                 'pgbook.cancel_all')
  and to_regrole('pgbook_trader') is not null
  and not has_function_privilege(to_regrole('pgbook_trader')::oid, c.oid, 'execute')
having count(*) > 0
union all
select format('anybody may call %s', min(c.name)), true
from code c
where c.proacl is null or exists (select from aclexplode(c.proacl) a where a.grantee = 0)
having count(*) > 0
union all
select format('%s is unlogged, and a crash empties it; ALTER TABLE %s SET LOGGED', min(o.name), min(o.name)), false
from object o where o.persistence = 'u' and o.kind = 'table'
having count(*) > 0
union all
select 'pgbook_data.trades is no hypertable (any more): it was restored without timescaledb_pre_restore(); restore it '
       'again as the guide to backups says', false
where not exists (select from timescaledb_information.hypertables h
                  where h.hypertable_schema = 'pgbook_data' and h.hypertable_name = 'trades')
union all
select format('%s of %s chunks of pgbook_data.trades are not where TimescaleDB looks for them: it was restored without '
              'timescaledb_pre_restore(); restore it again as the guide to backups says',
              count(*) filter (where i.inhrelid is null), count(*)), false
from chunk c
left join pg_inherits i on i.inhrelid = c.oid
    and i.inhparent = (select o.oid from object o where o.name = 'pgbook_data.trades')
having count(*) filter (where i.inhrelid is null) > 0
union all
select format('%s of the chunks of pgbook_data.trades refuse what is written into them: it was restored without '
              'timescaledb_pre_restore()', count(*)), true
from chunk c join pg_trigger t on t.tgrelid = c.oid and t.tgname = 'ts_insert_blocker'
having count(*) > 0
