-- Which database of which server a node of a cluster is.

-- name: home
-- Whether it is still where it was noted, and when that was. No row where nothing was noted.
select h.system = s.system_identifier and h.database = d.oid, h.noted_at
from pgbook_data.home h cross join pg_control_system() s cross join pg_database d
where d.datname = current_database()

-- name: note_home
insert into pgbook_data.home as h (system, database)
select s.system_identifier, d.oid from pg_control_system() s cross join pg_database d where d.datname = current_database()
on conflict (is_only) do update set system = excluded.system, database = excluded.database, noted_at = clock_timestamp()
where (h.system, h.database) is distinct from (excluded.system, excluded.database)
