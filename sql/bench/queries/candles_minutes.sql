select * from pgbook.candles('H-1', '1m', :from::timestamptz, :to::timestamptz);
