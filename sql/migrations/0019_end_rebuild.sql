-- A rebuild leaves no stored hour or day that is not closed.
set local role pgbook_owner;

-- Ends a rebuild of all days: removes hours and days from where none is closed, and forgets how far the rebuild came.
-- Returns how many there were.
create function pgbook_data.end_rebuild(market smallint) returns bigint
language plpgsql security definer set search_path = pg_catalog as $$
declare
    level pgbook_data.candle_levels;
    hours bigint;
    days bigint;
begin
    select * into level from pgbook_data.candle_levels l where l.market = end_rebuild.market for update;
    with gone as (
        delete from pgbook_data.candles_1h h where h.market = end_rebuild.market and h.time >= level.closed_1h returning 1
    )
    select count(*) into hours from gone;
    with gone as (
        delete from pgbook_data.candles_1d d where d.market = end_rebuild.market and d.time >= level.closed_1d returning 1
    )
    select count(*) into days from gone;
    update pgbook_data.candle_levels l set rebuilt_before = null where l.market = end_rebuild.market;
    return hours + days;
end
$$;
grant execute on function pgbook_data.end_rebuild to pgbook_node;
