-- A cluster that grows: members that come later are numbered behind the others, each node for itself.
set local role pgbook_owner;

create function pgbook_data.add_members(names text[]) returns void
language plpgsql volatile security definer set search_path = pg_catalog, pgbook_data as $$
begin
    lock table members in share row exclusive mode;
    insert into members (member, name)
    select (select max(m.member) from members m) + row_number() over (order by n.name collate "C"), n.name
    from unnest(names) n(name)
    where not exists (select from members m where m.name = n.name);
end
$$;
