-- What every connection does first. Nothing is set on a server session that a pooler may give to somebody else.

-- name: settle_session
-- What the server is and, where process $4 answers (null: whichever does), the settings: $1 their names, $2 their values,
-- $3 values that may stay. $5: for this transaction only. Qualified throughout: the path is not ours yet.
select pg_catalog.pg_backend_pid() as process, pg_catalog.pg_is_in_recovery() as is_standby,
       pg_catalog.current_setting('server_version') as version,
       pg_catalog.current_setting('server_version_num')::pg_catalog.int4 as version_number,
       pg_catalog.current_setting('server_encoding') as encoding,
       pg_catalog.current_setting('fsync') as fsync, pg_catalog.current_setting('full_page_writes') as full_page_writes,
       pg_catalog.current_setting('cluster_name') as cluster_name,
       pg_catalog.current_setting('session_replication_role') as replication_role,
       pg_catalog.current_setting('timescaledb.disable_load', true) is not null as has_timescale,
       coalesce(pg_catalog.current_setting('timescaledb.restoring', true), 'off') as is_restoring,
       pg_catalog.count(s.result) as settings_changed
from (
    select case when n.before operator(pg_catalog.=) n.value or n.before operator(pg_catalog.=) n.stays then null
                when $4 is null or pg_catalog.pg_backend_pid() operator(pg_catalog.=) $4::pg_catalog.int4
                then pg_catalog.set_config(n.name, n.value, $5) end as result
    from (
        select t.name, t.value, t.stays, pg_catalog.current_setting(t.name, true) as before
        from rows from (
            pg_catalog.unnest($1::pg_catalog.text[]), pg_catalog.unnest($2::pg_catalog.text[]),
            pg_catalog.unnest($3::pg_catalog.text[])
        ) as t(name, value, stays)
        -- One that this version does not have.
        where pg_catalog.current_setting(t.name, true) is not null
        offset 0
    ) n
    offset 0
) s

-- name: server_process
select pg_catalog.pg_backend_pid()

-- name: server_keeping
-- Whether the server still writes to disk what it says is written: its files may have been changed and read again.
select pg_catalog.current_setting('fsync'), pg_catalog.current_setting('full_page_writes'),
       pg_catalog.current_setting('cluster_name')

-- name: overridden_settings
-- Which of pgbook's settings ($1) new sessions of this role would have otherwise, and who says so.
select s.name, s.reset_val || coalesce(s.unit, '') as value,
       case when r.name is null then null
            when r.of_role and r.of_database then 'role ' || session_user || ' in database ' || current_database()
            when r.of_role then 'role ' || session_user
            else 'database ' || current_database() end as place
from pg_settings s
left join lateral (
    select split_part(entry, '=', 1) as name, d.setrole <> 0 as of_role, d.setdatabase <> 0 as of_database
    from pg_db_role_setting d
    cross join unnest(d.setconfig) entry
    where d.setrole in (0, (select oid from pg_roles where rolname = session_user))
      and d.setdatabase in (0, (select oid from pg_database where datname = current_database()))
      and lower(split_part(entry, '=', 1)) = lower(s.name)
    order by d.setrole <> 0 and d.setdatabase <> 0 desc, d.setrole <> 0 desc
    limit 1
) r on true
where s.name = any ($1) and s.reset_val is distinct from s.setting
order by s.name

-- name: session_state
select pg_backend_pid(), current_setting('server_encoding'), current_setting('session_replication_role'),
       coalesce(current_setting('timescaledb.restoring', true), 'off')
