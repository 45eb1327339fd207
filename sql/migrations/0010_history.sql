-- What the trade history needs beside the minutes: busts, coarser candles, and markets that only hold a history.
set local role pgbook_owner;

-- A market whose trades were imported from elsewhere. It takes no commands: nothing could replay its trades.
alter table pgbook_data.markets add column is_imported boolean not null default false;

alter table pgbook_data.trades
    -- A busted trade stays, marked; candles and analytics leave it out.
    add column busted_at timestamptz,
    -- What an imported trade does not tell.
    alter column seq drop not null,
    alter column taker_order drop not null,
    alter column maker_order drop not null,
    alter column taker_user drop not null,
    alter column maker_user drop not null;

-- Why a trade was busted, and by whom. Appended only.
create table pgbook_data.busts (
    market smallint not null,
    trade_id bigint not null,
    -- The trade's time, which finds its chunk.
    time timestamptz not null,
    busted_at timestamptz not null default clock_timestamp(),
    busted_by text not null default session_user,
    reason text not null check (length(reason) between 1 and 1000),
    constraint busts_trade primary key (market, trade_id)
);

-- Closed hours and days in UTC, composed from minutes after their end. A bucket that is not here yet is composed by
-- whoever asks, so nothing depends on when they are closed.
create table pgbook_data.candles_1h (like pgbook_data.candles_1m including constraints);
alter table pgbook_data.candles_1h add constraint candles_1h_bucket primary key (market, time);
create table pgbook_data.candles_1d (like pgbook_data.candles_1m including constraints);
alter table pgbook_data.candles_1d add constraint candles_1d_bucket primary key (market, time);

-- Up to where the hours and days of a market are closed: all buckets that begin before are in their tables. Whoever
-- writes these tables holds the lock of the market's row here. No row: nothing is closed.
create table pgbook_data.candle_levels (
    market smallint primary key references pgbook_data.markets,
    closed_1h timestamptz not null default '-infinity',
    closed_1d timestamptz not null default '-infinity'
);
