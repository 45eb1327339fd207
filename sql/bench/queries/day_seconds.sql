select * from pgbook.candles('H-1', '1s', :from::timestamptz, :to::timestamptz);
