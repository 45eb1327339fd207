-- The history as it is when it is old: hint bits and visibility set, so that no vacuum falls into a measurement.
vacuum (freeze, analyze) pgbook_data.trades
