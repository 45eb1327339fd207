-- What is known to be stored of each log without a gap is noted while a sidecar runs: a start looks at what came since, and
-- takes no longer when the history is long.
set local role pgbook_owner;

create function pgbook_data.note_stored(names text[], numbers bigint[]) returns void
language sql volatile security definer set search_path = pg_catalog, pgbook_data
begin atomic
    update pgbook_data.members m set stored_through = g.number
    from unnest(names, numbers) g(name, number)
    where m.name = g.name and m.stored_through < g.number;
end;
