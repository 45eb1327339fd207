set local role pgbook_owner;

-- Whatever pgbook's processes wait for is a thing that only owner and node may lock or set. Advisory locks are open to
-- every role of the server.

-- Above zero while somebody sleeps at a queue and is to be woken. Sequences: they are seen at once, by transactions of
-- any age, cost no commit, and leave no dead versions behind that somebody's open transaction would keep.
do $$
declare
    kind constant text := case when current_setting('server_version_num')::integer >= 150000 then 'unlogged' else '' end;
begin
    execute format('create %s sequence pgbook_data.inbox_sleeper minvalue 0', kind);
    execute format('create %s sequence pgbook_data.outbox_sleeper minvalue 0', kind);
end
$$;

-- The place of the database's one sidecar: it holds a lock on it for as long as it runs, in a transaction of a connection
-- of its own. A view, for a table would have to be vacuumed against wraparound some day, and the lock does not let that.
create view pgbook_data.sidecar_seat as select true as is_taken_by_a_lock;

-- Which sidecar took the seat last. No other one writes. One row.
create table pgbook_data.sidecar (
    is_only boolean primary key default true check (is_only),
    seat uuid
);
insert into pgbook_data.sidecar default values;
