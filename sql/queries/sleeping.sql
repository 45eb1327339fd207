-- Whoever waits to be woken holds this lock; see pgbook_data.enter.

-- name: fall_asleep
select pg_try_advisory_lock('pgbook_data.inbox'::regclass::oid::bigint)

-- name: stay_awake
select pg_advisory_unlock('pgbook_data.inbox'::regclass::oid::bigint)
