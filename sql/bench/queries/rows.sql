-- In ticks and lots, as the command line and the export read them.
select r.* from pgbook_data.markets m
cross join lateral pgbook_data.candle_rows(m.market, :width, :from::timestamptz, :to::timestamptz) r
where m.symbol = 'H-1';
