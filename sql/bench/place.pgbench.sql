-- One order by the public interface, as pgbook bench socket sends them: half rest near a price, half trade through it.
\set side random(0, 1)
\set takes random(0, 1)
\set away random(1, 16)
\set lots random(75, 125)
\set toward case when :side = 0 then 1 else -1 end
\set ticks 1000000 + :toward * case when :takes = 1 then 16 else 0 - :away end
select pgbook.place_order('BENCH', case :side::integer when 0 then 'bid' else 'ask' end, :lots::integer * 0.001,
                          :ticks::integer * 0.01);
