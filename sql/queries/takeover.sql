-- The whole state of a node as bytes: a head, then every table by COPY. The market stands first in each row, for another
-- node may number it otherwise.

-- name: state_head
select pgbook_data.state_head()::text

-- name: begin_takeover
select theirs, ours from pgbook_data.begin_takeover($1::text::jsonb)

-- name: note_copied
-- What the peer had of each log without a gap is here now.
select pgbook_data.note_stored(array_agg(t.n ->> 'name'), array_agg((t.n ->> 'stored_through')::bigint))
from jsonb_array_elements($1::text::jsonb -> 'members') t(n)

-- name: end_takeover
select pgbook_data.end_takeover($1::text)

-- name: give_commands
-- Without those that have no stamp yet. For whoever takes it over all of it is another node's.
copy (
select market, log_key, id, time, accepted_at, target, amount, price, expires, kind, side, exec_type, tif, stp,
    change, post_only, user_id, owner, client_order_id, origin, seq, filled, remaining, dropped, digest_head,
    code, notional, is_unconfirmed, true
from pgbook_data.commands c
where not exists (select from pgbook_data.outbox o where o.id = c.id)
) to stdout (format binary)

-- name: take_commands
copy pgbook_data.commands (market, log_key, id, time, accepted_at, target, amount, price, expires, kind, side,
    exec_type, tif, stp, change, post_only, user_id, owner, client_order_id, origin, seq, filled, remaining,
    dropped, digest_head, code, notional, is_unconfirmed, is_remote)
from stdin (format binary)

-- name: give_displaced
copy (
select market, log_key, id, time, accepted_at, target, amount, price, expires, kind, side, exec_type, tif, stp,
    change, post_only, user_id, owner, client_order_id, origin, seq, filled, remaining, dropped, digest_head,
    code, notional, is_unconfirmed, true
from pgbook_data.displaced c
where c.log_key is not null
) to stdout (format binary)

-- name: take_displaced
copy pgbook_data.displaced (market, log_key, id, time, accepted_at, target, amount, price, expires, kind, side,
    exec_type, tif, stp, change, post_only, user_id, owner, client_order_id, origin, seq, filled, remaining,
    dropped, digest_head, code, notional, is_unconfirmed, is_remote)
from stdin (format binary)

-- name: give_inbox
copy (
select market, time, id
from pgbook_data.inbox c
) to stdout (format binary)

-- name: take_inbox
copy pgbook_data.inbox (market, time, id)
from stdin (format binary)

-- name: give_outcomes
copy (
select market, id, seq, code, filled, remaining, dropped, executed_at, notional, digest_head
from pgbook_data.outcomes c
) to stdout (format binary)

-- name: take_outcomes
copy pgbook_data.outcomes (market, id, seq, code, filled, remaining, dropped, executed_at, notional,
    digest_head)
from stdin (format binary)

-- name: give_book
copy (
select market, id, price, priority, amount, filled, dropped, expires, side, stp, post_only, user_id, notional
from pgbook_data.book c
) to stdout (format binary)

-- name: take_book
copy pgbook_data.book (market, id, price, priority, amount, filled, dropped, expires, side, stp, post_only,
    user_id, notional)
from stdin (format binary)

-- name: give_closed
copy (
select market, id, seq, price, amount, filled, dropped, reason, notional
from pgbook_data.closed c
) to stdout (format binary)

-- name: take_closed
copy pgbook_data.closed (market, id, seq, price, amount, filled, dropped, reason, notional)
from stdin (format binary)

-- name: give_trades
copy (
select market, time, trade_id, seq, taker_order, maker_order, price, amount, best_bid, best_ask, taker_side,
    taker_user, maker_user, busted_at
from pgbook_data.trades c
) to stdout (format binary)

-- name: take_trades
copy pgbook_data.trades (market, time, trade_id, seq, taker_order, maker_order, price, amount, best_bid,
    best_ask, taker_side, taker_user, maker_user, busted_at)
from stdin (format binary)

-- name: give_candles_1m
copy (
select market, time, open, high, low, close, trades, first_trade_id, last_trade_id, volume, notional,
    taker_buy_volume, taker_buy_notional
from pgbook_data.candles_1m c
) to stdout (format binary)

-- name: take_candles_1m
copy pgbook_data.candles_1m (market, time, open, high, low, close, trades, first_trade_id, last_trade_id,
    volume, notional, taker_buy_volume, taker_buy_notional)
from stdin (format binary)

-- name: give_candles_1h
copy (
select market, time, open, high, low, close, trades, first_trade_id, last_trade_id, volume, notional,
    taker_buy_volume, taker_buy_notional
from pgbook_data.candles_1h c
) to stdout (format binary)

-- name: take_candles_1h
copy pgbook_data.candles_1h (market, time, open, high, low, close, trades, first_trade_id, last_trade_id,
    volume, notional, taker_buy_volume, taker_buy_notional)
from stdin (format binary)

-- name: give_candles_1d
copy (
select market, time, open, high, low, close, trades, first_trade_id, last_trade_id, volume, notional,
    taker_buy_volume, taker_buy_notional
from pgbook_data.candles_1d c
) to stdout (format binary)

-- name: take_candles_1d
copy pgbook_data.candles_1d (market, time, open, high, low, close, trades, first_trade_id, last_trade_id,
    volume, notional, taker_buy_volume, taker_buy_notional)
from stdin (format binary)

-- name: give_set_aside
copy (
select market, id, code, reason, noticed_at
from pgbook_data.set_aside c where id is not null
) to stdout (format binary)

-- name: take_set_aside
copy pgbook_data.set_aside (market, id, code, reason, noticed_at)
from stdin (format binary)

-- name: give_busts
copy (
select market, trade_id, time, busted_at, busted_by, reason
from pgbook_data.busts c
) to stdout (format binary)

-- name: take_busts
copy pgbook_data.busts (market, trade_id, time, busted_at, busted_by, reason)
from stdin (format binary)
