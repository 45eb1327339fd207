set local role pgbook_owner;

-- One row per match. No foreign key may point here, and a unique index must contain the partition column.
create table pgbook_data.trades (
    time timestamptz not null,
    trade_id bigint not null,
    seq bigint,
    taker_order uuid,
    maker_order uuid,
    price bigint not null,
    amount bigint not null,
    -- Just before the match; null where that side was empty.
    best_bid bigint,
    best_ask bigint,
    market smallint not null,
    taker_side smallint not null,
    -- Null in an imported trade that does not tell.
    taker_user text,
    maker_user text,
    -- A busted trade stays, marked; candles and analytics leave it out.
    busted_at timestamptz
);
do $$
begin
    execute (
        select pg_catalog.format(
            'select %I.create_hypertable(''pgbook_data.trades'', ''time'', create_default_indexes => false,
                                         chunk_time_interval => interval ''1 day'')', n.nspname)
        from pg_catalog.pg_extension e join pg_catalog.pg_namespace n on n.oid = e.extnamespace
        where e.extname = 'timescaledb');
end
$$;
create unique index trades_id on pgbook_data.trades (market, time, trade_id);

create type pgbook_data.trade_row as (
    market smallint, time timestamptz, trade_id bigint, seq bigint, taker_order uuid, maker_order uuid,
    taker_user text, maker_user text, taker_side smallint, price bigint, amount bigint, best_bid bigint,
    best_ask bigint);

-- Up to where trades were dropped: what lies before cannot be computed again from them. One row.
create table pgbook_data.trade_horizon (
    is_only boolean primary key default true check (is_only),
    dropped_before timestamptz not null default '-infinity'
);
insert into pgbook_data.trade_horizon default values;

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
    closed_1d timestamptz not null default '-infinity',
    -- How far a rebuild of the candles that has not ended came; null: none is under way.
    rebuilt_before timestamptz
);
