select * from pgbook.candles('H-1', '1h', :from::timestamptz, :to::timestamptz);
