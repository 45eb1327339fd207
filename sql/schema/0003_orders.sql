set local role pgbook_owner;

-- Small numbers stand for words; the Swift enums of the same names hold the same numbers.
--   kind:       1 place, 2 amend, 3 cancel, 4 cancel_all, 5 halt, 6 resume, 7 expire
--   side:       0 bid, 1 ask
--   exec_type:  0 market, 1 limit
--   tif:        0 gtc, 1 ioc, 2 fok, 3 gtd
--   stp:        1 dc, 2 co, 3 cn, 4 cb (null: off)
--   change:     1 to, 2 reduce, 3 replace (what an amend's amount and price mean)
--   code:       OutcomeCode: up to 100 accepted, above refused
--   reason:     1 filled, 2 cancelled, 3 expired, 4 prevented

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
    -- What became of a command stands in its own row if it was executed at once, else in `outcomes`: no row is written
    -- twice. Null in both: it waits. A command that is refused before it is executed has a code and no seq.
    seq bigint,
    filled bigint,
    remaining bigint,
    dropped bigint,
    -- The first 64 bits of the market's digest after this command.
    digest_head bigint,
    code smallint,
    notional numeric,
    -- In a cluster: the member it entered at and its number there; see log_key().
    log_key bigint,
    -- It was brought by another node.
    is_remote boolean,
    -- Not enough nodes confirmed it in time.
    is_unconfirmed boolean,
    constraint commands_id primary key (id)
);
-- What other nodes bring is stored in any case: of two that nodes took at the same time the one that is executed later is
-- refused then.
create unique index commands_client_order_id on pgbook_data.commands
    (user_id, client_order_id, (case when is_remote then log_key else 0 end)) where client_order_id is not null;
create unique index commands_seq on pgbook_data.commands (market, seq) where seq is not null;
create unique index commands_log on pgbook_data.commands (log_key) where log_key is not null;
-- Commands are appended about in the order of their times: a few kilobytes find the ones of a range.
create index commands_time on pgbook_data.commands using brin (time);

-- The waiting pools: commands that have not been executed yet. Written with the command, deleted by its execution.
create table pgbook_data.inbox (
    time timestamptz not null,
    id uuid not null,
    market smallint not null,
    constraint inbox_pool primary key (market, time, id)
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000, autovacuum_vacuum_cost_delay = 0);

-- One row per command that waited in the inbox and was executed.
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

-- Rows as a matcher sends them, for inserts of some rows.
create type pgbook_data.command_row as (
    market smallint, id uuid, time timestamptz, target uuid, amount bigint, price bigint, expires timestamptz,
    kind smallint, side smallint, exec_type smallint, tif smallint, stp smallint, change smallint,
    post_only boolean, user_id text, owner text, client_order_id text, origin text, seq bigint, filled bigint,
    remaining bigint, dropped bigint, digest_head bigint, code smallint, notional numeric);
create type pgbook_data.outcome_row as (
    market smallint, id uuid, seq bigint, code smallint, filled bigint, remaining bigint, dropped bigint,
    notional numeric, digest_head bigint);
create type pgbook_data.resting_row as (
    market smallint, id uuid, user_id text, side smallint, price bigint, amount bigint, filled bigint,
    dropped bigint, notional numeric, priority bigint, expires timestamptz, post_only boolean, stp smallint);
create type pgbook_data.closed_row as (
    market smallint, id uuid, seq bigint, price bigint, amount bigint, filled bigint, dropped bigint,
    reason smallint, notional numeric);
