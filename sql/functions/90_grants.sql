-- Who may call what. Whatever is not granted here is refused, whoever asks; a function that is added belongs to the
-- node alone until it stands here.
set local role pgbook_owner;

revoke all on all functions in schema pgbook, pgbook_data from public;

grant usage on schema pgbook to pgbook_reader, pgbook_node;
grant usage on schema pgbook_data to pgbook_node;
-- A function of a node's own there could be taken for one of these, and would run with the owner's rights. Chunks are
-- made with the rights of the hypertable's owner, whoever inserts the first trade of a day.
revoke create on schema pgbook_data from pgbook_node;
grant select on all tables in schema pgbook to pgbook_reader;
grant select, insert, update, delete on all tables in schema pgbook_data to pgbook_node;
revoke update, delete on pgbook_data.commands, pgbook_data.displaced from pgbook_node;
grant usage, select, update on all sequences in schema pgbook_data to pgbook_node;
grant usage on schema pgbook_schema to public;
grant select on all tables in schema pgbook_schema to public;
grant execute on all functions in schema pgbook, pgbook_data to pgbook_node;

grant execute on function
    pgbook.agg_book, pgbook.last_trades, pgbook.candles, pgbook.last_candles, pgbook.candles_closed_until,
    pgbook.candle_trade_ids, pgbook.ohlcv, pgbook.vwap, pgbook.flow, pgbook.twap, pgbook.volume_profile, pgbook.sizes,
    pgbook.top, pgbook.volatility, pgbook.spread, pgbook.markout, pgbook.slippage, pgbook.fills, pgbook.latency
    to pgbook_reader;
-- The views call these with their reader's rights.
grant execute on function pgbook_data.code_name, pgbook_data.quotient, pgbook_data.not_ready, pgbook_data.no_matcher
    to pgbook_reader;

grant execute on function
    pgbook.place_order, pgbook.amend_order, pgbook.reduce_order, pgbook.cancel_order, pgbook.cancel_all
    to pgbook_trader;
