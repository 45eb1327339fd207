-- name: plan_for_reading
-- What is read again and again is read by index, also where a table was small when the planner looked, and by nobody
-- else's processors.
select set_config('enable_seqscan', 'off', false), set_config('max_parallel_workers_per_gather', '0', false),
       set_config('jit', 'off', false)

-- name: order_states
-- What became of executed commands; of a place, what became of its order since. The limit keeps the look at each id apart:
-- as one join the two parts of executions would be read whole.
select o.id, o.market, o.code, coalesce(b.filled, x.filled, o.filled),
       case when b.id is not null then b.amount - b.filled - b.dropped else 0 end, b.id is not null, x.reason
from unnest($1::uuid[]) as asked(id)
cross join lateral (
    select e.id, e.market, e.code, e.filled from pgbook_data.executions e where e.id = asked.id
    union all
    -- Refused before execution.
    select c.id, c.market, c.code, c.filled from pgbook_data.commands c
    where c.id = asked.id and c.seq is null and c.code is not null
    union all
    -- Executed nowhere.
    select a.id, a.market, a.code, 0 from pgbook_data.set_aside a where a.id = asked.id
    limit 1
) o
left join pgbook_data.book b on b.id = asked.id
left join pgbook_data.closed x on x.id = asked.id
