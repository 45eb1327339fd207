/// Calls of every function that a reader or a trader may call, such that as much as can be of each body runs. Of a market M
/// with trades in January 2026.
let publicCalls: [String: [String]] = {
    let range = "'M', '2026-01-01 00:00Z', '2026-02-01 00:00Z'"
    return [
        "pgbook.agg_book": ["agg_book('M')"],
        "pgbook.last_trades": ["last_trades('M')", "last_trades('nothing')"],
        "pgbook.candles": ["1s", "1m", "1h", "1d", "1w"].map { "candles('M', '\($0)', '2026-01-01', '2026-02-01')" } + [
            "candles('M', '1h', '2026-01-01', '2026-02-01', fill => 'previous')",
            "candles('M', '5m', '2026-01-01', '2026-02-01', fill => 'zero')",
            "candles('M', '1M', '2026-01-01', '2026-02-01', tz => 'Europe/Berlin')", "candles('M', '7m', null, null)",
            "candles('none', '1m', '-infinity', 'infinity')",
        ],
        "pgbook.last_candles": [
            "last_candles('M')", "last_candles('M', '5m', 10)", "last_candles('M', '1d', tz => 'Europe/Berlin')",
            "last_candles('M', '1h', 3, fill => 'previous')", "last_candles('M', '1m', 0)",
        ],
        "pgbook.candles_closed_until": ["candles_closed_until('M', '1h')", "candles_closed_until('M', '1m')"],
        "pgbook.candle_trade_ids": ["candle_trade_ids('M', '1h', '2026-01-01', '2026-02-01')"],
        "pgbook.ohlcv": ["ohlcv(\(range))", "ohlcv(\(range), '1h')", "ohlcv('M', '-infinity')", "ohlcv('none')"],
        "pgbook.vwap": ["vwap(\(range))", "vwap(\(range), '1d', 'Europe/Berlin')"],
        "pgbook.flow": ["flow(\(range))", "flow(\(range), '1s')"],
        "pgbook.twap": ["twap(\(range))", "twap(\(range), '1M', 'Europe/Berlin')"],
        "pgbook.volume_profile": ["volume_profile(\(range))", "volume_profile(\(range), 0)"],
        "pgbook.sizes": ["sizes(\(range))"],
        "pgbook.top": ["top(\(range))", "top(\(range), -1)"],
        "pgbook.volatility": [
            "volatility(\(range))", "volatility(\(range), '1h', '1d', true)",
            "volatility('M', '2026-01-05 00:00Z', '2026-01-05 01:00Z', '1s')",
        ],
        "pgbook.spread": ["spread(\(range))", "spread(\(range), '1 minute', '1h')", "spread(\(range), '1 year')"],
        "pgbook.markout": [
            "markout(\(range))", "markout(\(range), '{1 minute}', 'last', '1d')", "markout(\(range), '{}')",
        ],
        "pgbook.slippage": ["slippage(\(range))"],
        "pgbook.fills": ["fills(\(range))", "fills(null, null, null)", "fills('M')"],
        "pgbook.latency": ["latency(\(range))", "latency('M', by => '1h')"],
        "pgbook.place_order": [
            "place_order('M', 'bid', 1, 100)", "place_order('M', 'ask', 1)",
            "place_order('M', 'bid', 1, 100, 'limit', 'fok')",
            "place_order('M', 'bid', 1, 100, time_in_force => 'gtd', expires => now() + interval '1 hour')",
            "place_order('M', 'bid', 1, 100, client_order_id => 'a')",
            "place_order('M', 'bid', 1, 100, client_order_id => 'a')",
            "place_order('M', 'bid', 2, 100, client_order_id => 'a')", "place_order('M', 'bid', 0.5, 100)",
            "place_order('M', 'bid', 1, 100.5)", "place_order('M', 'bid', -1, 100)",
            "place_order('M', 'bid', 1e20, 100)",
            "place_order('M', 'bid', 1, 1e20)", "place_order('M', 'up', 1, 100)", "place_order('none', 'bid', 1, 100)",
            "place_order('M', 'bid', 1, 100, user_id => 'somebody')", "place_order('M', 'bid', null, 100)",
            "place_order('M', 'bid', 1, 100, id => gen_random_uuid(), self_trade_prevention => 'cb')",
        ],
        "pgbook.amend_order": [
            "amend_order(o.id, 2) FROM (SELECT id FROM pgbook.orders LIMIT 1) o",
            "amend_order(gen_random_uuid(), 1, 1)",
        ],
        "pgbook.reduce_order": ["reduce_order(o.id, 1) FROM (SELECT id FROM pgbook.orders LIMIT 1) o"],
        "pgbook.cancel_order": ["cancel_order(o.id) FROM (SELECT id FROM pgbook.orders LIMIT 1) o"],
        "pgbook.cancel_all": [
            "cancel_all()", "cancel_all('M', 'bid')", "cancel_all('none')", "cancel_all(everybody => true)",
        ],
    ]
}()
