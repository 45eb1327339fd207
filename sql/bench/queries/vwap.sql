select * from pgbook.vwap('H-1', :from::timestamptz, :to::timestamptz);
