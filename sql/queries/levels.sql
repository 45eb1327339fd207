-- name: levels
-- Aggregated levels of a side, best first, in ticks and lots.
select min(price), sum(amount - filled - dropped)::numeric, count(*)
from pgbook_data.book
where market = $1 and side = $2
group by (case side when 0 then -price else price end)
order by (case side when 0 then -price else price end)
limit $3::bigint
