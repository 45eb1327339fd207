-- Takes away what a measurement left, but for its markets, and keeps the history.
do $$
declare
    name text;
begin
    for name in select tablename from pg_tables where schemaname = 'pgbook_data'
        and tablename in ('commands', 'outcomes', 'inbox', 'book', 'closed', 'candles_1m')
    loop
        execute format('truncate pgbook_data.%I', name);
    end loop;
    perform drop_chunks('pgbook_data.trades', newer_than => date_trunc('day', now()));
end
$$;
