set local role pgbook_owner;

-- Sizes and limits that the engine holds are part of the rules by which a market's log is replayed: with commands in the
-- log they stay as they are. The band of prices is the entrance's alone and may move.
create or replace function pgbook_data.refuse_new_limits() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if (new.tick_size, new.lot_size, new.max_amount, new.max_notional)
       is distinct from (old.tick_size, old.lot_size, old.max_amount, old.max_notional)
       and exists (select from pgbook_data.commands c where c.market = old.market) then
        raise exception 'market % has commands already, and its log is replayed with the sizes and limits it began with; add another market for others',
            quote_literal(old.symbol) using errcode = 'PB117';
    end if;
    return new;
end
$$;
create or replace trigger no_new_limits before update of tick_size, lot_size, max_amount, max_notional on pgbook_data.markets
for each row execute function pgbook_data.refuse_new_limits();
