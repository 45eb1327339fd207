set local role pgbook_owner;

-- What was imported, so that it can be taken back: the latest of a market first.
create table pgbook_data.imports (
    import bigint primary key generated always as identity,
    market smallint not null references pgbook_data.markets,
    source text not null,
    trades bigint not null,
    first_trade_id bigint not null,
    last_trade_id bigint not null,
    first_time timestamptz not null,
    last_time timestamptz not null,
    -- Where the market stood before.
    trade_id_before bigint not null,
    last_price_before bigint,
    clock_before timestamptz not null,
    imported_at timestamptz not null default clock_timestamp(),
    imported_by text not null default session_user,
    undone_at timestamptz
);
create index imports_market on pgbook_data.imports (market, import) where undone_at is null;
