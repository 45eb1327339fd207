-- The naive matcher: what a good engineer writes first. One table of orders whose status and fills change in place, one
-- of trades, and a PL/pgSQL function that executes one command per transaction.
--
-- Best orders are found by partial indexes of what is open, in price-time order, one row at a time and locked. An
-- advisory lock per market, held to the end of the transaction, keeps concurrent clients correct: without it two orders
-- that cross could each miss the other and both rest. Trades are a hypertable, as pgbook's are. There are no candles,
-- digests, limits, users' rights or retries.
--
-- Run with enable_seqscan and enable_bitmapscan off, as pgbook's matcher is: the tables grow from nothing, and the plans
-- of the first calls are kept.
drop schema if exists naive cascade;
create schema naive;

-- status: 0 open, 1 filled, 2 cancelled, its rest dropped included
create table naive.orders (
    id bigint primary key,
    -- Place in the queue among orders of one price.
    priority bigint not null,
    price bigint not null,
    amount bigint not null,
    filled bigint not null,
    created_at timestamptz not null default clock_timestamp(),
    market smallint not null,
    side smallint not null,
    status smallint not null,
    user_id text not null
) with (fillfactor = 80);
create index orders_bids on naive.orders (market, price desc, priority) where side = 0 and status = 0;
create index orders_asks on naive.orders (market, price, priority) where side = 1 and status = 0;
create sequence naive.priorities;

create table naive.trades (
    time timestamptz not null default clock_timestamp(),
    trade_id bigint not null,
    taker_order bigint not null,
    maker_order bigint not null,
    price bigint not null,
    amount bigint not null,
    market smallint not null,
    taker_side smallint not null
);
select create_hypertable('naive.trades', 'time', create_default_indexes => false,
                         chunk_time_interval => interval '1 day');
create unique index trades_id on naive.trades (market, time, trade_id);
create sequence naive.trade_ids;

-- The commands to execute, by pgbook bench naive-load, and how far pgbench is.
--   kind: 1 place, 2 amend (what shall be open, at a price, at the back of the queue), 3 cancel, 4 reduce
create unlogged table naive.flow (
    position bigint primary key,
    id bigint not null,
    price bigint,
    amount bigint,
    kind smallint not null,
    market smallint not null,
    side smallint,
    is_ioc boolean not null,
    user_id text not null
);
create sequence naive.position;

-- Trades with the best of the other side, up to a price, and returns what is left.
create function naive.match(
    taker bigint, market_ smallint, side_ smallint, limit_price bigint, open bigint
) returns bigint
language plpgsql as $$
declare
    asks cursor for
        select id, price, amount, filled from naive.orders
        where market = market_ and side = 1 and status = 0 and price <= limit_price
        order by price, priority for update;
    bids cursor for
        select id, price, amount, filled from naive.orders
        where market = market_ and side = 0 and status = 0 and price >= limit_price
        order by price desc, priority for update;
    makers refcursor;
    maker record;
    traded bigint;
begin
    if side_ = 0 then
        open asks;
        makers := asks;
    else
        open bids;
        makers := bids;
    end if;
    while open > 0 loop
        fetch makers into maker;
        exit when not found;
        traded := least(open, maker.amount - maker.filled);
        update naive.orders
        set filled = maker.filled + traded, status = case when maker.filled + traded = maker.amount then 1 else 0 end
        where id = maker.id;
        insert into naive.trades (trade_id, taker_order, maker_order, price, amount, market, taker_side)
        values (nextval('naive.trade_ids'), taker, maker.id, maker.price, traded, market_, side_);
        open := open - traded;
    end loop;
    close makers;
    return open;
end
$$;

-- Executes one command of the flow.
create function naive.step(position_ bigint) returns void
language plpgsql as $$
declare
    command naive.flow;
    target naive.orders;
    open bigint;
    limit_price bigint;
begin
    select * into command from naive.flow where position = position_;
    perform pg_advisory_xact_lock(command.market);
    if command.kind = 1 then
        -- A market order takes any price.
        limit_price := coalesce(command.price, case command.side when 0 then 9223372036854775807 else 0 end);
        open := naive.match(command.id, command.market, command.side, limit_price, command.amount);
        insert into naive.orders (id, priority, price, amount, filled, market, side, status, user_id)
        values (command.id, nextval('naive.priorities'), coalesce(command.price, 0), command.amount,
                command.amount - open, command.market, command.side,
                case when open = 0 then 1 when command.is_ioc then 2 else 0 end, command.user_id);
        return;
    end if;
    select * into target from naive.orders where id = command.id and status = 0 for update;
    if not found or target.user_id <> command.user_id then
        return;
    end if;
    if command.kind = 3 or command.kind = 4 and command.amount >= target.amount - target.filled then
        update naive.orders set status = 2 where id = target.id;
    elsif command.kind = 4 then
        update naive.orders set amount = amount - command.amount where id = target.id;
    else
        open := naive.match(target.id, target.market, target.side, command.price, command.amount);
        update naive.orders
        set price = command.price, amount = target.filled + command.amount,
            filled = target.filled + command.amount - open, priority = nextval('naive.priorities'),
            status = case when open = 0 then 1 else 0 end
        where id = target.id;
    end if;
end
$$;
