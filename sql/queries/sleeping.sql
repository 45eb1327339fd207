-- How sleepers and those who wake them find each other; see pgbook_data.wake.

-- name: fall_asleep
-- A matcher executes what the inbox holds, in a cluster up to where its pools are closed.
select pgbook_data.fall_asleep('pgbook_data.inbox_sleeper', 'pgbook_data.inbox', 'pgbook_data.cluster')

-- name: stay_awake
select setval('pgbook_data.inbox_sleeper', 0)

-- name: is_asleep
-- Another matcher may have said that it is awake.
select coalesce(pg_sequence_last_value('pgbook_data.inbox_sleeper') > 0, false)

-- name: still_running
-- Which of these transactions are not at their end.
select array(select distinct virtualtransaction from pg_locks where virtualtransaction = any ($1::text[]))
