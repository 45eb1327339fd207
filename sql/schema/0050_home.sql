set local role pgbook_owner;

-- Of a node of a cluster: which database of which server it is. Where these differ from what is there, somebody restored or
-- cloned it, and the original may still run.
create table pgbook_data.home (
    is_only boolean primary key default true check (is_only),
    system bigint not null,
    database oid not null,
    noted_at timestamptz not null default clock_timestamp()
);
