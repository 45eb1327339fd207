-- Before a statement that somebody else wrote.

-- name: read_only_session
set default_transaction_read_only = on

-- name: first_query
select 1
