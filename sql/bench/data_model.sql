-- Which data model? The same orders through two of them, by SQL alone, batches of 1000, every commit durable.
--
--   A  a log and an inbox, written once; outcomes, a small book of resting orders, closed orders (the schema's own tables)
--   B  one table of orders, whose rows change their status: pending, open, closed
--
-- Run in an empty database of its own, for example
--
--   scripts/postgres psql -c 'create database data_model'
--   scripts/postgres psql -d data_model -f sql/bench/data_model.sql
--
-- A round sends the same orders through both, one after the other; the rounds alternate which is first. Each batch is
-- two transactions: one enters 1000 orders, one matches them. Of 1000 orders 500 come to rest, 450 take a resting one
-- whole, 50 take half of one. Matching itself is left out: which taker meets which maker is a join by place in the queue.
\set ON_ERROR_STOP on
\set QUIET on
\if :{?rounds} \else \set rounds 5 \endif
\if :{?batches} \else \set batches 100 \endif
\pset footer off
set client_min_messages = warning;
-- As the matcher does: everything is by index, whatever the statistics of a growing table say.
set enable_seqscan = off;
set enable_hashjoin = off;
set enable_mergejoin = off;
set enable_bitmapscan = off;
set jit = off;

\o /dev/null
begin;
\ir ../schema/0001_roles.sql
\ir ../schema/0002_markets.sql
\ir ../schema/0003_orders.sql
\ir ../schema/0004_trades.sql
commit;

insert into pgbook_data.markets (symbol, tick_size, lot_size, max_amount, max_price) values ('A', 1, 1, 1000000, 1000000);
insert into pgbook_data.market_state (market) values (1);

-- B: what A keeps in commands, inbox, outcomes, book and closed, in one row per order.
create schema bench;
create table bench.orders (
    id uuid not null,
    time timestamptz not null,
    accepted_at timestamptz not null default clock_timestamp(),
    executed_at timestamptz,
    expires timestamptz,
    amount bigint not null,
    price bigint,
    seq bigint,
    closed_seq bigint,
    priority bigint,
    filled bigint not null default 0,
    dropped bigint not null default 0,
    digest_head bigint,
    market smallint not null,
    status smallint not null default 0,  -- 0 pending, 1 open, 2 closed
    code smallint,
    side smallint not null,
    exec_type smallint not null,
    tif smallint not null,
    stp smallint,
    post_only boolean not null,
    user_id text not null,
    client_order_id text,
    origin text not null,
    notional numeric not null default 0,
    constraint orders_id primary key (id)
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000,
        autovacuum_vacuum_cost_delay = 0);
create unique index orders_client_order_id on bench.orders (user_id, client_order_id) where client_order_id is not null;
create unique index orders_seq on bench.orders (market, seq) where seq is not null;
create unique index orders_pool on bench.orders (market, time, id) where status = 0;
create unique index orders_queue on bench.orders
    (market, side, (case side when 0 then -price else price end), priority) where status = 1;
create index orders_expires on bench.orders (market, expires) where status = 1 and expires is not null;
create table bench.trades (like pgbook_data.trades);
select create_hypertable('bench.trades', 'time', create_default_indexes => false, chunk_time_interval => interval '1 day');
create unique index trades_id on bench.trades (market, time, trade_id);
create table bench.market_state (like pgbook_data.market_state including all) with (fillfactor = 20);
insert into bench.market_state (market) values (1);

-- The 1000 orders of a batch. Bids take asks; the asks that rest lie on 50 prices. Ids rise with time, as UUIDv7 does.
create function bench.batch(number bigint)
returns table (n bigint, id uuid, stamped timestamptz, side smallint, amount bigint, price bigint)
language sql volatile as $$
    select n, (lpad(to_hex(number * 1000 + n), 12, '0') || substr(md5(n::text || number::text), 1, 20))::uuid,
           timestamptz '2025-01-01' + (number * 1000 + n) * interval '10 microseconds',
           (case when n % 2 = 0 then 1 else 0 end)::smallint,
           case when n % 2 = 0 or n < 900 then 10 else 5 end::bigint, case when n % 2 = 0 then 100 + n % 50 else 200 end
    from generate_series(1, 1000) n
$$;

create procedure bench.enter_a(number bigint) language plpgsql as $$
begin
    with logged as (
        insert into pgbook_data.commands (id, time, amount, price, market, kind, side, exec_type, tif, post_only, user_id, origin)
        select id, stamped, amount, price, 1, 1, side, 1, 0, false, 'user-' || n % 100, 'node-1' from bench.batch(number)
        returning id, time, market
    )
    insert into pgbook_data.inbox (time, id, market) select time, id, market from logged;
end
$$;

create procedure bench.enter_b(number bigint) language plpgsql as $$
begin
    insert into bench.orders (id, time, amount, price, market, side, exec_type, tif, post_only, user_id, origin)
    select id, stamped, amount, price, 1, side, 1, 0, false, 'user-' || n % 100, 'node-1' from bench.batch(number);
end
$$;

-- What a program that matches would hold of a batch between reading and writing: takers, the makers they meet one by
-- one, and the orders that come to rest. Arrays, as a driver sends them, so that no plan depends on guessed row counts.
create type bench.work as (
    seq bigint, trade_id bigint,
    t_id uuid[], t_seq bigint[], t_time timestamptz[], t_amount bigint[], t_user text[],
    m_id uuid[], m_price bigint[], m_open bigint[], m_user text[], taken bigint[],
    r_id uuid[], r_seq bigint[], r_price bigint[], r_amount bigint[], r_user text[]
);

create procedure bench.match_a() language plpgsql as $$
declare
    w bench.work;
begin
    select seq, trade_id into w.seq, w.trade_id from pgbook_data.market_state where market = 1 for update;
    with taken as (
        delete from pgbook_data.inbox
        where market = 1 and time <= coalesce(
            (select time from pgbook_data.inbox where market = 1 order by time offset 999 limit 1), 'infinity')
        returning id
    ), due as (
        select c.*, w.seq + row_number() over (order by c.time) as new_seq
        from taken cross join lateral (select * from pgbook_data.commands where id = taken.id limit 1) c
    )
    select array_agg(id order by new_seq) filter (where side = 0), array_agg(new_seq order by new_seq) filter (where side = 0),
           array_agg(time order by new_seq) filter (where side = 0), array_agg(amount order by new_seq) filter (where side = 0),
           array_agg(user_id order by new_seq) filter (where side = 0),
           array_agg(id order by new_seq) filter (where side = 1), array_agg(new_seq order by new_seq) filter (where side = 1),
           array_agg(price order by new_seq) filter (where side = 1), array_agg(amount order by new_seq) filter (where side = 1),
           array_agg(user_id order by new_seq) filter (where side = 1)
    into w.t_id, w.t_seq, w.t_time, w.t_amount, w.t_user, w.r_id, w.r_seq, w.r_price, w.r_amount, w.r_user from due;
    select array_agg(id), array_agg(price), array_agg(amount - filled), array_agg(user_id)
    into w.m_id, w.m_price, w.m_open, w.m_user
    from (select * from pgbook_data.book where market = 1 and side = 1
          order by (case side when 0 then -price else price end), priority limit 500 for update) best;
    select array_agg(least(a, o) order by n) into w.taken from unnest(w.t_amount, w.m_open) with ordinality u(a, o, n);

    insert into pgbook_data.outcomes (market, id, seq, code, filled, remaining, dropped, notional, digest_head)
    select 1, id, seq, 2, taken, 0, amount - taken, taken * price, seq
    from unnest(w.t_id, w.t_seq, w.t_amount, w.taken, w.m_price) u(id, seq, amount, taken, price)
    union all
    select 1, id, seq, 1, 0, amount, 0, 0, seq from unnest(w.r_id, w.r_seq, w.r_amount) u(id, seq, amount);
    insert into pgbook_data.trades (market, time, trade_id, seq, taker_order, maker_order, taker_user, maker_user,
                                    taker_side, price, amount, best_bid, best_ask)
    select 1, time, w.trade_id + n, seq, taker, maker, taker_user, maker_user, 0, price, taken, null, price
    from unnest(w.t_time, w.t_seq, w.t_id, w.m_id, w.t_user, w.m_user, w.m_price, w.taken) with ordinality
        u(time, seq, taker, maker, taker_user, maker_user, price, taken, n);
    insert into pgbook_data.closed (market, id, seq, price, amount, filled, dropped, reason, notional)
    select 1, id, seq, price, 10, 10, 0, 1, 10 * price
    from unnest(w.m_id, w.t_seq, w.m_price, w.m_open, w.taken) u(id, seq, price, open, taken) where taken = open;
    delete from pgbook_data.book where id = any (
        array(select id from unnest(w.m_id, w.m_open, w.taken) u(id, open, taken) where taken = open));
    update pgbook_data.book b set filled = b.filled + u.taken, notional = b.notional + u.taken * u.price
    from unnest(w.m_id, w.m_price, w.m_open, w.taken) u(id, price, open, taken)
    cross join lateral (select ctid as place from pgbook_data.book where id = u.id limit 1) k
    where b.ctid = k.place and u.taken < u.open;
    insert into pgbook_data.book (market, id, user_id, side, price, amount, filled, dropped, notional, priority, post_only)
    select 1, id, user_id, 1, price, amount, 0, 0, 0, seq, false
    from unnest(w.r_id, w.r_user, w.r_price, w.r_amount, w.r_seq) u(id, user_id, price, amount, seq);
    update pgbook_data.market_state set seq = seq + 1000, trade_id = trade_id + 500 where market = 1;
end
$$;

create procedure bench.match_b() language plpgsql as $$
declare
    w bench.work;
begin
    select seq, trade_id into w.seq, w.trade_id from bench.market_state where market = 1 for update;
    with chosen as materialized (
        select * from bench.orders where market = 1 and status = 0 order by time fetch first 1000 rows with ties
    ), due as (
        select c.*, w.seq + row_number() over (order by c.time) as new_seq from chosen c
    )
    select array_agg(id order by new_seq) filter (where side = 0), array_agg(new_seq order by new_seq) filter (where side = 0),
           array_agg(time order by new_seq) filter (where side = 0), array_agg(amount order by new_seq) filter (where side = 0),
           array_agg(user_id order by new_seq) filter (where side = 0),
           array_agg(id order by new_seq) filter (where side = 1), array_agg(new_seq order by new_seq) filter (where side = 1),
           array_agg(price order by new_seq) filter (where side = 1), array_agg(amount order by new_seq) filter (where side = 1),
           array_agg(user_id order by new_seq) filter (where side = 1)
    into w.t_id, w.t_seq, w.t_time, w.t_amount, w.t_user, w.r_id, w.r_seq, w.r_price, w.r_amount, w.r_user from due;
    select array_agg(id), array_agg(price), array_agg(amount - filled), array_agg(user_id)
    into w.m_id, w.m_price, w.m_open, w.m_user
    from (select * from bench.orders where market = 1 and side = 1 and status = 1
          order by (case side when 0 then -price else price end), priority limit 500 for update) best;
    select array_agg(least(a, o) order by n) into w.taken from unnest(w.t_amount, w.m_open) with ordinality u(a, o, n);

    insert into bench.trades (market, time, trade_id, seq, taker_order, maker_order, taker_user, maker_user,
                              taker_side, price, amount, best_bid, best_ask)
    select 1, time, w.trade_id + n, seq, taker, maker, taker_user, maker_user, 0, price, taken, null, price
    from unnest(w.t_time, w.t_seq, w.t_id, w.m_id, w.t_user, w.m_user, w.m_price, w.taken) with ordinality
        u(time, seq, taker, maker, taker_user, maker_user, price, taken, n);
    update bench.orders o
    set status = 2, code = 2, seq = u.seq, executed_at = clock_timestamp(), digest_head = u.seq, filled = u.taken,
        dropped = u.amount - u.taken, notional = u.taken * u.price
    from unnest(w.t_id, w.t_seq, w.t_amount, w.taken, w.m_price) u(id, seq, amount, taken, price) where o.id = u.id;
    update bench.orders o
    set filled = o.filled + u.taken, notional = o.notional + u.taken * u.price,
        status = case when u.taken = u.open then 2 else 1 end, closed_seq = case when u.taken = u.open then u.seq end
    from unnest(w.m_id, w.t_seq, w.m_price, w.m_open, w.taken) u(id, seq, price, open, taken) where o.id = u.id;
    update bench.orders o
    set status = 1, code = 1, seq = u.seq, priority = u.seq, executed_at = clock_timestamp(), digest_head = u.seq
    from unnest(w.r_id, w.r_seq) u(id, seq) where o.id = u.id;
    update bench.market_state set seq = seq + 1000, trade_id = trade_id + 500 where market = 1;
end
$$;

create table bench.results (model text, round integer, orders bigint, seconds numeric, cpu_seconds numeric, wal_bytes numeric);

-- What this session's process has used of the processor: on a shared machine it tells more than the clock.
create function bench.cpu_seconds() returns numeric language sql volatile
return (select (fields[12]::numeric + fields[13]::numeric) / 100
        from string_to_array(regexp_replace(pg_read_file('/proc/self/stat'), '^.*\) ', ''), ' ') fields);

-- Sends batches through one model and notes what it took; round 0 fills the tables and the caches.
create procedure bench.run(model text, round integer, batches integer) language plpgsql as $$
declare
    began timestamptz := clock_timestamp();
    cpu numeric := bench.cpu_seconds();
    wal pg_lsn := pg_current_wal_lsn();
    number bigint;
begin
    for number in select round * 100000 + i from generate_series(1, batches) i loop
        if model = 'A' then call bench.enter_a(number); else call bench.enter_b(number); end if;
        commit;
        if model = 'A' then call bench.match_a(); else call bench.match_b(); end if;
        commit;
    end loop;
    insert into bench.results values (model, round, batches * 1000, extract(epoch from clock_timestamp() - began),
                                      bench.cpu_seconds() - cpu, pg_current_wal_lsn() - wal);
end
$$;

-- A book of 500 asks to begin with, so that the first batch of takers meets somebody.
insert into pgbook_data.book (id, price, priority, amount, filled, dropped, market, side, post_only, user_id, notional)
select gen_random_uuid(), 100 + n % 50, -n, 10, 0, 0, 1, 1, false, 'user-0', 0 from generate_series(1, 10000) n;
insert into bench.orders (id, time, amount, price, seq, priority, market, status, side, exec_type, tif, post_only, user_id, origin)
select id, '2024-12-31', amount, price, priority, priority, 1, 1, side, 1, 0, false, user_id, 'node-1' from pgbook_data.book;

\o
call bench.run('A', 0, :batches);
call bench.run('B', 0, :batches);
vacuum analyze;

select 'checkpoint', format('call bench.run(%L, %s, %s)', case when r % 2 = 1 then 'A' else 'B' end, r, :batches),
       'checkpoint', format('call bench.run(%L, %s, %s)', case when r % 2 = 1 then 'B' else 'A' end, r, :batches)
from generate_series(1, :rounds) r
\gexec

select a.round, round(a.orders / a.seconds) as a_per_second, round(b.orders / b.seconds) as b_per_second,
       round(b.seconds / a.seconds, 2) as b_to_a_time, round(b.cpu_seconds / a.cpu_seconds, 2) as b_to_a_cpu,
       round(b.wal_bytes / a.wal_bytes, 2) as b_to_a_wal
from bench.results a join bench.results b on a.round = b.round and a.model = 'A' and b.model = 'B'
where a.round > 0 order by a.round;

select model, round(percentile_cont(0.5) within group (order by orders / seconds)) as orders_per_second,
       round(min(orders / seconds)) as slowest, round(max(orders / seconds)) as fastest,
       round((percentile_cont(0.5) within group (order by cpu_seconds / orders))::numeric * 1000000, 1) as cpu_microseconds_per_order,
       round(percentile_cont(0.5) within group (order by wal_bytes / orders)) as wal_bytes_per_order,
       (select pg_size_pretty(sum(pg_total_relation_size(relid))) from (
            select unnest(case model when 'A' then '{pgbook_data.commands, pgbook_data.inbox, pgbook_data.outcomes,
                                                     pgbook_data.book, pgbook_data.closed}'
                          else '{bench.orders}' end::regclass[]) as relid) tables) as size_at_the_end
from bench.results where round > 0 group by model order by model;

select count(*) as trades, count(*) filter (where a.* is distinct from b.*) as different
from (select seq, trade_id, price, amount, taker_order from pgbook_data.trades) a
full join (select seq, trade_id, price, amount, taker_order from bench.trades) b using (trade_id);
