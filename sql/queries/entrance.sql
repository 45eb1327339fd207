-- name: enter
select ordinal, id, code, message, field, is_retry
from pgbook_data.enter($1::smallint[], $2::uuid[], $3::text[], $4::text[], $5::smallint[], $6::smallint[], $7::smallint[],
                       $8::boolean[], $9::smallint[], $10::numeric[], $11::numeric[], $12::uuid[], $13::smallint[],
                       $14::timestamptz[], $15::text[], $16::text[])
