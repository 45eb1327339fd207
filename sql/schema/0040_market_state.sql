set local role pgbook_owner;

-- Every batch makes a new version of its market's row. While anybody keeps an old snapshot no version can be removed,
-- and an index on the market alone would lead through all of them, oldest first. By (market, seq) the newest is found
-- first: read it through pgbook_data.newest_state, change it where market and seq are what was read.
alter table pgbook_data.market_state drop constraint market_state_pkey;
alter table pgbook_data.market_state add constraint market_state_pkey primary key (market, seq);
alter table pgbook_data.market_state set (
    fillfactor = 90, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000,
    autovacuum_vacuum_cost_delay = 0);
