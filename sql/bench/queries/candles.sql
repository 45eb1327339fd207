select * from pgbook.candles('H-1', :width, :from::timestamptz, :to::timestamptz);
