-- name: order_states
-- What became of executed commands; of a place, what became of its order since.
select o.id, o.market, o.code, coalesce(b.filled, x.filled, o.filled),
       case when b.id is not null then b.amount - b.filled - b.dropped else 0 end, b.id is not null, x.reason
from unnest($1::uuid[]) as asked(id)
join pgbook_data.executions o on o.id = asked.id
left join pgbook_data.book b on b.id = asked.id
left join pgbook_data.closed x on x.id = asked.id
