set local role pgbook_owner;

-- What this node is called. One row.
create table pgbook_data.node (
    is_only boolean primary key default true check (is_only),
    name text not null check (name ~ '^[a-z0-9][a-z0-9-]{0,31}$')
);
insert into pgbook_data.node (name) values ('node-1');

-- The last stamp given, in microseconds since the Unix epoch. A sequence, because stamps must not wait for commits.
create sequence pgbook_data.stamps as bigint minvalue 0 start 0;

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
    created_at timestamptz not null default clock_timestamp(),
    -- Its trades were imported from elsewhere. It takes no commands: nothing could replay its trades.
    is_imported boolean not null default false,
    -- Quotients are exact as long as a division keeps many more digits than its operands have.
    constraint markets_size_digits check (scale(trim_scale(tick_size)) <= 38 and scale(trim_scale(lot_size)) <= 38)
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
