set local role pgbook_owner;

-- The bounds of Sources/OrderBook/Bounds.swift, held by tables, so that no road stores in them what cannot be read again:
-- not a statement of the owner's, not a COPY. A test proves that they, the functions of sql/functions/15_bounds.sql and the
-- table in Swift are the same.
--
-- The tables that a transaction of one order writes have no constraints but those they are born with. PostgreSQL reads a
-- check from its text for every statement, 1.3 µs for each of its words: an order by itself took half as long again. What
-- gets into them is checked at the entrances, computed within the bounds by the engine, and set aside where somebody
-- changed it by hand.
--
--   times            the years 1 to 9999, UTC; -infinity only where it means that there was none yet
--   amounts, prices  1 to 10^18 lots, ticks
--   numbers          up to 9 × 10^18: seq, trade ids
--   names            1 to 64 bytes: user ids, client order ids; nodes' 1 to 32
--   sums             below 10^38: what a decimal of 128 bits holds

-- No stamp lies beyond the times.
alter sequence pgbook_data.stamps maxvalue 253402300799999999;

alter table pgbook_data.markets
    drop constraint markets_size_digits,
    -- Tick and lot size have at most 18 digits, and at most 18 after the point.
    add constraint markets_tick_digits check (
        scale(tick_size) <= 18 and tick_size * 10::numeric ^ scale(tick_size) < 1000000000000000000),
    add constraint markets_lot_digits check (
        scale(lot_size) <= 18 and lot_size * 10::numeric ^ scale(lot_size) < 1000000000000000000),
    add constraint markets_limits check (
        max_amount <= 1000000000000000000 and max_price <= 1000000000000000000
        and max_notional < 10000000000000000000000000000000000000),
    -- The largest order at the highest price, in the last decimal that its value can have: a hundred million of them sum
    -- up to 38 digits.
    add constraint markets_largest_value check (
        (max_amount * lot_size) * (max_price * tick_size) * 10::numeric ^ (scale(tick_size) + scale(lot_size))
        <= 1000000000000000000000000000000);

-- What other nodes say. A value that is not there is null, and passes.
alter table pgbook_data.displaced
    add constraint displaced_times check (
        time between timestamptz '0001-01-01 00:00:00+00' and timestamptz '9999-12-31 23:59:59.999999+00'
        and expires between timestamptz '0001-01-01 00:00:00+00' and timestamptz '9999-12-31 23:59:59.999999+00'),
    add constraint displaced_numbers check (
        amount between 1 and 1000000000000000000 and price between 1 and 1000000000000000000),
    add constraint displaced_names check (
        octet_length(user_id) between 1 and 64 and octet_length(client_order_id) between 1 and 64
        and octet_length(owner) between 1 and 64),
    add constraint displaced_words check (
        kind between 1 and 7 and side between 0 and 1 and exec_type between 0 and 1 and tif between 0 and 3
        and stp between 1 and 4 and change between 1 and 3);
alter table pgbook_data.proposals
    add constraint proposals_times check (
        expires between timestamptz '0001-01-01 00:00:00+00' and timestamptz '9999-12-31 23:59:59.999999+00'),
    add constraint proposals_numbers check (
        amount between 1 and 1000000000000000000 and price between 1 and 1000000000000000000),
    add constraint proposals_names check (
        octet_length(user_id) between 1 and 64 and octet_length(client_order_id) between 1 and 64
        and octet_length(owner) between 1 and 64),
    add constraint proposals_words check (
        kind between 1 and 7 and side between 0 and 1 and exec_type between 0 and 1 and tif between 0 and 3
        and stp between 1 and 4 and change between 1 and 3);

alter table pgbook_data.busts
    add constraint busts_bounds check (
        time between timestamptz '0001-01-01 00:00:00+00' and timestamptz '9999-12-31 23:59:59.999999+00'
        and trade_id between 1 and 9000000000000000000);

alter table pgbook_data.candles_1h
    add constraint candles_1h_bounds check (
        time between timestamptz '0001-01-01 00:00:00+00' and timestamptz '9999-12-31 23:59:59.999999+00'
        and low between 1 and 1000000000000000000 and high between 1 and 1000000000000000000
        and open between 1 and 1000000000000000000 and close between 1 and 1000000000000000000
        and trades between 1 and 9000000000000000000 and first_trade_id between 1 and 9000000000000000000
        and last_trade_id between 1 and 9000000000000000000
        and volume between 0 and 99999999999999999999999999999999999999
        and notional between 0 and 99999999999999999999999999999999999999
        and taker_buy_volume between 0 and 99999999999999999999999999999999999999
        and taker_buy_notional between 0 and 99999999999999999999999999999999999999);
alter table pgbook_data.candles_1d
    add constraint candles_1d_bounds check (
        time between timestamptz '0001-01-01 00:00:00+00' and timestamptz '9999-12-31 23:59:59.999999+00'
        and low between 1 and 1000000000000000000 and high between 1 and 1000000000000000000
        and open between 1 and 1000000000000000000 and close between 1 and 1000000000000000000
        and trades between 1 and 9000000000000000000 and first_trade_id between 1 and 9000000000000000000
        and last_trade_id between 1 and 9000000000000000000
        and volume between 0 and 99999999999999999999999999999999999999
        and notional between 0 and 99999999999999999999999999999999999999
        and taker_buy_volume between 0 and 99999999999999999999999999999999999999
        and taker_buy_notional between 0 and 99999999999999999999999999999999999999);
alter table pgbook_data.candle_levels
    add constraint candle_levels_times check (
        (closed_1h = '-infinity' or closed_1h between timestamptz '0001-01-01 00:00:00+00'
                                                  and timestamptz '9999-12-31 23:59:59.999999+00')
        and (closed_1d = '-infinity' or closed_1d between timestamptz '0001-01-01 00:00:00+00'
                                                      and timestamptz '9999-12-31 23:59:59.999999+00'));

alter table pgbook_data.cluster
    -- An hour.
    add constraint cluster_window_max check ("window" <= 3600000000),
    add constraint cluster_times check (
        (closed_through = '-infinity' or closed_through between timestamptz '0001-01-01 00:00:00+00'
                                                            and timestamptz '9999-12-31 23:59:59.999999+00')
        and (bound = '-infinity' or bound between timestamptz '0001-01-01 00:00:00+00'
                                              and timestamptz '9999-12-31 23:59:59.999999+00')
        and (agreed = '-infinity' or agreed between timestamptz '0001-01-01 00:00:00+00'
                                                and timestamptz '9999-12-31 23:59:59.999999+00'));
alter table pgbook_data.members
    -- Numbers have 48 bits; see log_key().
    add constraint members_numbers check (stored_through between 0 and 281474976710655);
