-- name: enter
-- A transaction of its own. Where nothing got in there is nothing that has to be on disk, and nobody waits for it.
select e.ordinal, e.id, e.code, e.message, e.field, e.is_retry
from (
    select n.*, count(*) filter (where n.code is null) over () as entered
    from pgbook_data.enter($1::smallint[], $2::uuid[], $3::text[], $4::text[], $5::smallint[], $6::smallint[], $7::smallint[],
                           $8::boolean[], $9::smallint[], $10::numeric[], $11::numeric[], $12::uuid[], $13::smallint[],
                           $14::timestamptz[], $15::text[], $16::text[]) n
) e
where e.entered > 0 or pg_catalog.set_config('synchronous_commit', 'off', true) is not null
