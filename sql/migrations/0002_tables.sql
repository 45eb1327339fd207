-- Small numbers stand for words; the Swift enums of the same names hold the same numbers.
--   kind:       1 place, 2 amend, 3 cancel, 4 cancel_all, 5 halt, 6 resume, 7 expire
--   side:       0 bid, 1 ask
--   exec_type:  0 market, 1 limit
--   tif:        0 gtc, 1 ioc, 2 fok, 3 gtd
--   stp:        1 dc, 2 co, 3 cn, 4 cb (null: off)
--   change:     1 to, 2 reduce, 3 replace (what an amend's amount and price mean)
--   code:       OutcomeCode: up to 100 accepted, above refused
--   reason:     1 filled, 2 cancelled, 3 expired, 4 prevented

create table pgbook_data.markets (
    market smallint primary key generated always as identity,
    symbol text not null unique check (symbol ~ '^[A-Za-z0-9][A-Za-z0-9._/:-]{0,31}$'),
    tick_size numeric not null check (tick_size > 0 and tick_size < 'infinity'),
    lot_size numeric not null check (lot_size > 0 and lot_size < 'infinity'),
    -- Largest amount of one order, in lots.
    max_amount bigint not null check (max_amount > 0),
    -- Largest price × amount of one limit order, in ticks × lots; null: no limit.
    max_notional numeric check (max_notional > 0),
    -- Limit prices outside these are refused, in ticks.
    min_price bigint not null default 1 check (min_price > 0),
    max_price bigint not null check (max_price >= min_price),
    created_at timestamptz not null default clock_timestamp()
);

-- One row per market: whoever executes commands of the market holds its lock.
create table pgbook_data.market_state (
    market smallint primary key references pgbook_data.markets,
    seq bigint not null default 0,
    trade_id bigint not null default 0,
    last_price bigint,
    -- The latest command time executed; it never falls.
    clock timestamptz not null default '-infinity',
    -- With a window: pools up to this time are closed; a command that shows up below it is late.
    closed_through timestamptz not null default '-infinity',
    is_halted boolean not null default false,
    digest bytea not null default decode(repeat('00', 32), 'hex') check (length(digest) = 32)
) with (fillfactor = 20);

-- The append-only log of commands, from any entrance and any node.
create table pgbook_data.commands (
    id uuid not null,
    time timestamptz not null,
    accepted_at timestamptz not null default clock_timestamp(),
    target uuid,
    amount bigint,
    price bigint,
    expires timestamptz,
    market smallint not null,
    kind smallint not null,
    side smallint,
    exec_type smallint,
    tif smallint,
    stp smallint,
    change smallint,
    post_only boolean,
    user_id text not null,
    -- cancel_all: whose orders; null means everybody's.
    owner text,
    client_order_id text,
    origin text not null,
    constraint commands_id primary key (id)
);
create unique index commands_client_order_id on pgbook_data.commands (user_id, client_order_id)
    where client_order_id is not null;

-- The waiting pools: commands that have not been executed yet. Written with the command, deleted by its execution.
create table pgbook_data.inbox (
    time timestamptz not null,
    id uuid not null,
    market smallint not null,
    constraint inbox_pool primary key (market, time, id)
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000, autovacuum_vacuum_cost_delay = 0);

-- One row per executed command.
create table pgbook_data.outcomes (
    id uuid not null,
    seq bigint not null,
    filled bigint not null,
    remaining bigint not null,
    dropped bigint not null,
    executed_at timestamptz not null default clock_timestamp(),
    market smallint not null,
    code smallint not null,
    notional numeric not null,
    -- The first 64 bits of the market's digest after this command.
    digest_head bigint not null,
    constraint outcomes_seq primary key (market, seq),
    constraint outcomes_id unique (id)
);

-- Resting orders only: the rows that matching locks.
create table pgbook_data.book (
    id uuid not null,
    price bigint not null check (price > 0),
    priority bigint not null,
    amount bigint not null,
    filled bigint not null,
    dropped bigint not null,
    expires timestamptz,
    market smallint not null,
    side smallint not null,
    stp smallint,
    post_only boolean not null,
    user_id text not null,
    notional numeric not null,
    constraint book_id primary key (id),
    constraint book_open check (amount > filled + dropped and filled >= 0 and dropped >= 0)
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000,
        autovacuum_vacuum_cost_delay = 0);
-- Best first on either side: bids by falling price, asks by rising price, then by place in the queue.
create unique index book_queue on pgbook_data.book
    (market, side, (case side when 0 then -price else price end), priority);
create index book_expires on pgbook_data.book (market, expires) where expires is not null;

-- The final state of every order that rested and left the book.
create table pgbook_data.closed (
    id uuid not null,
    seq bigint not null,
    price bigint not null,
    amount bigint not null,
    filled bigint not null,
    dropped bigint not null,
    market smallint not null,
    reason smallint not null,
    notional numeric not null,
    constraint closed_id primary key (id)
);

-- One row per match. No foreign key may point here, and a unique index must contain the partition column.
create table pgbook_data.trades (
    time timestamptz not null,
    trade_id bigint not null,
    seq bigint not null,
    taker_order uuid not null,
    maker_order uuid not null,
    price bigint not null,
    amount bigint not null,
    -- Just before the match; null where that side was empty.
    best_bid bigint,
    best_ask bigint,
    market smallint not null,
    taker_side smallint not null,
    taker_user text not null,
    maker_user text not null
);
select create_hypertable('pgbook_data.trades', 'time', create_default_indexes => false,
                                chunk_time_interval => interval '1 day');
create unique index trades_id on pgbook_data.trades (market, time, trade_id);

-- One row per market and minute with a trade, maintained in the matching transaction.
create table pgbook_data.candles_1m (
    time timestamptz not null,
    open bigint not null,
    high bigint not null,
    low bigint not null,
    close bigint not null,
    trades bigint not null,
    first_trade_id bigint not null,
    last_trade_id bigint not null,
    market smallint not null,
    -- Sums of lots, and of ticks × lots: exact at any size.
    volume numeric not null,
    notional numeric not null,
    taker_buy_volume numeric not null,
    taker_buy_notional numeric not null,
    constraint candles_1m_bucket primary key (market, time)
) with (fillfactor = 70);

-- What this node is called. One row.
create table pgbook_data.node (
    is_only boolean primary key default true check (is_only),
    name text not null check (name ~ '^[a-z0-9][a-z0-9-]{0,31}$')
);
insert into pgbook_data.node (name) values ('node-1');

-- The last stamp given, in microseconds since the Unix epoch. A sequence, because stamps must not wait for commits.
create sequence pgbook_data.stamps as bigint minvalue 0 start 0;
