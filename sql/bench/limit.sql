-- Copies of the tables for `pgbook bench limit`: the same columns, checks, indexes and storage, nothing in them.
drop schema if exists pgbook_bench cascade;
create schema pgbook_bench;
create table pgbook_bench.commands (like pgbook_data.commands including all);
create table pgbook_bench.book (like pgbook_data.book including all);
create table pgbook_bench.closed (like pgbook_data.closed including all);
create table pgbook_bench.candles_1m (like pgbook_data.candles_1m including all);

-- A command's outcome in the command's own row.
alter table pgbook_bench.commands
    add column if not exists seq bigint,
    add column if not exists code smallint,
    add column if not exists filled bigint,
    add column if not exists remaining bigint,
    add column if not exists dropped bigint,
    add column if not exists notional numeric,
    add column if not exists digest_head bigint;

create table pgbook_bench.trades (like pgbook_data.trades including defaults including constraints);
select create_hypertable('pgbook_bench.trades', 'time', create_default_indexes => false,
                         chunk_time_interval => interval '1 day');
create unique index trades_id on pgbook_bench.trades (market, time, trade_id);
