set local role pgbook_owner;

-- Places an order and returns its id. Without a price it is a market order.
--   select pgbook.place_order('BTC-USD', 'bid', 0.5, 101.5);
create or replace function pgbook.place_order(
    security text, side text, amount numeric, price numeric default null, exec_type text default null,
    time_in_force text default 'gtc', post_only boolean default false, self_trade_prevention text default null,
    expires timestamptz default null, client_order_id text default null, user_id text default session_user,
    id uuid default null) returns uuid
language sql volatile security definer set search_path = pg_catalog, pg_temp
begin atomic
    select pgbook_data.enter_one(
        1::smallint, id, pgbook_data.acting_user(user_id), coalesce(security, ''),
        pgbook_data.number_of(side, '{bid,ask,buy,sell}', '{0,1,0,1}', 'side'),
        coalesce(pgbook_data.number_of(exec_type, '{market,limit}', '{0,1}', 'exec_type'),
                 case when price is null then 0 else 1 end::smallint),
        pgbook_data.number_of(time_in_force, '{gtc,ioc,fok,gtd}', '{0,1,2,3}', 'time_in_force'), post_only,
        pgbook_data.number_of(self_trade_prevention, '{dc,co,cn,cb}', '{1,2,3,4}', 'self_trade_prevention'),
        amount, price, null, null, expires, null, client_order_id);
end;

-- Gives an order a new total amount, a new price, or both; returns the command's id.
-- A smaller amount at the same price keeps its place in the queue, anything else goes to the back.
create or replace function pgbook.amend_order(
    id uuid, amount numeric default null, price numeric default null, client_order_id text default null,
    user_id text default session_user) returns uuid
language sql volatile security definer set search_path = pg_catalog, pg_temp
begin atomic
    select pgbook_data.enter_one(
        2::smallint, null, pgbook_data.acting_user(user_id), null, null, null, null, null, null, amount, price, id,
        1::smallint, null, null, client_order_id);
end;

-- Takes an amount off what is open of an order; it keeps its place. Returns the command's id.
create or replace function pgbook.reduce_order(
    id uuid, amount numeric, client_order_id text default null, user_id text default session_user) returns uuid
language sql volatile security definer set search_path = pg_catalog, pg_temp
begin atomic
    select pgbook_data.enter_one(
        2::smallint, null, pgbook_data.acting_user(user_id), null, null, null, null, null, null, amount, null, id,
        2::smallint, null, null, client_order_id);
end;

-- Cancels an order; returns the command's id.
create or replace function pgbook.cancel_order(
    id uuid, client_order_id text default null, user_id text default session_user) returns uuid
language sql volatile security definer set search_path = pg_catalog, pg_temp
begin atomic
    select pgbook_data.enter_one(
        3::smallint, null, pgbook_data.acting_user(user_id), null, null, null, null, null, null, null, null, id,
        null, null, null, client_order_id);
end;

-- Cancels a user's orders in one market, or in all (security null), on one side or both; returns a command per market.
-- Markets that hold an imported history have no orders.
-- With everybody => true it cancels the orders of all users, which takes the node's role.
create or replace function pgbook.cancel_all(
    security text default null, side text default null, user_id text default session_user,
    everybody boolean default false)
returns table (command_id uuid, market text)
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
declare
    side_number constant smallint := pgbook_data.number_of(side, '{bid,ask,buy,sell}', '{0,1,0,1}', 'side');
    actor constant text := pgbook_data.acting_user(user_id);
begin
    if everybody and not pg_has_role(session_user, 'pgbook_node', 'member') then
        raise exception 'not_permitted: role % may cancel its own orders only; leave everybody out', session_user
            using errcode = 'PB118', column = 'everybody';
    end if;
    for cancel_all.market in
        select m.symbol from pgbook_data.markets m where m.symbol = security or security is null and not m.is_imported order by m.symbol
    loop
        command_id := pgbook_data.enter_one(
            4::smallint, null, actor, cancel_all.market, side_number, null, null, null, null, null, null, null, null,
            null, case when everybody then null else actor end, null);
        return next;
    end loop;
    if security is not null and command_id is null then
        raise exception 'unknown_market: there is no market %; pgbook.markets lists them', quote_literal(left(security, 40))
            using errcode = 'PB101', column = 'security';
    end if;
end
$$;

-- Stops a market: places and amends are refused from then on, cancels go on. Returns the command's id.
create or replace function pgbook.halt_market(security text) returns uuid
language sql volatile security definer set search_path = pg_catalog, pg_temp
begin atomic
    select pgbook_data.enter_one(5::smallint, null, session_user::text, coalesce(security, ''), null, null, null, null,
                                 null, null, null, null, null, null, null, null);
end;

-- Lets a halted market go on. Returns the command's id.
create or replace function pgbook.resume_market(security text) returns uuid
language sql volatile security definer set search_path = pg_catalog, pg_temp
begin atomic
    select pgbook_data.enter_one(6::smallint, null, session_user::text, coalesce(security, ''), null, null, null, null,
                                 null, null, null, null, null, null, null, null);
end;

-- Adds a market. Sizes and limits are decimals: tick_size and max_price in quote units, lot_size and max_amount in base units.
create or replace function pgbook.add_market(
    security text, tick_size numeric, lot_size numeric, max_amount numeric default null,
    max_notional numeric default null, min_price numeric default null, max_price numeric default null) returns void
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
declare
    -- Without zeros at the end, which would count as digits.
    tick constant numeric := trim_scale(tick_size);
    lot constant numeric := trim_scale(lot_size);
    -- What the value of an order is counted in.
    unit numeric;
    amount numeric;
    lowest numeric;
    highest numeric;
    fault text;
    at text;
    added smallint;
begin
    perform pgbook_data.be_durable();
    if security is null or security !~ '^[A-Za-z0-9][A-Za-z0-9._/:-]{0,31}$' then
        at := 'security';
        fault := 'a symbol has 1 to 32 of A-Z a-z 0-9 . _ / : -, a letter or digit first';
    elsif pgbook_data.unit_fault(tick) is not null then
        at := 'tick_size';
        fault := 'tick_size ' || pgbook_data.unit_fault(tick);
    elsif pgbook_data.unit_fault(lot) is not null then
        at := 'lot_size';
        fault := 'lot_size ' || pgbook_data.unit_fault(lot);
    elsif min_price < 0 or min_price > pgbook_data.price_max() * tick then
        at := 'min_price';
        fault := format('min_price %s is not between 0 and %s', pgbook_data.shown(min_price),
                        trim_scale(pgbook_data.price_max() * tick));
    elsif max_price < tick or max_price > pgbook_data.price_max() * tick then
        at := 'max_price';
        fault := format('max_price %s is not between the tick size %s and %s', pgbook_data.shown(max_price), tick,
                        trim_scale(pgbook_data.price_max() * tick));
    elsif max_amount < lot or max_amount > pgbook_data.amount_max() * lot then
        at := 'max_amount';
        fault := format('max_amount %s is not between the lot size %s and %s', pgbook_data.shown(max_amount), lot,
                        trim_scale(pgbook_data.amount_max() * lot));
    elsif max_notional <= 0 or max_notional >= 1e37 * tick * lot then
        at := 'max_notional';
        fault := format('max_notional %s is not above zero and below %s', pgbook_data.shown(max_notional),
                        trim_scale(1e37 * tick * lot));
    else
        unit := tick * lot * 10::numeric ^ (scale(tick) + scale(lot));
        lowest := greatest(coalesce(ceil(min_price / tick), 1), 1);
        -- What is not given is as high as the other allows, up to a limit of its own.
        highest := coalesce(div(max_price, tick), greatest(lowest, least(
            1000000000000, div(pgbook_data.value_max(), coalesce(div(max_amount, lot), 1000000) * unit))));
        amount := coalesce(div(max_amount, lot),
                           least(1000000000000000, div(pgbook_data.value_max(), highest * unit)));
        if highest < lowest then
            at := 'max_price';
            fault := format('max_price %s is below min_price %s', trim_scale(max_price), trim_scale(min_price));
        elsif amount < 1 or amount * highest * unit > pgbook_data.value_max() then
            at := case when max_amount is null then 'max_price' else 'max_amount' end;
            fault := format(
                'the largest order, %s at %s, would be worth more than %s; give a smaller max_amount or max_price',
                trim_scale(greatest(amount, 1) * lot), trim_scale(highest * tick),
                trim_scale(pgbook_data.value_max() / unit * tick * lot));
        end if;
    end if;
    if fault is not null then
        raise exception 'bad_value: market % cannot be added: %', coalesce(quote_literal(left(security, 40)), 'null'),
            fault using errcode = 'PB117', column = at;
    end if;
    insert into pgbook_data.markets (symbol, tick_size, lot_size, max_amount, max_notional, min_price, max_price)
    values (security, tick, lot, amount, max_notional / tick / lot, lowest, highest)
    returning market into added;
    insert into pgbook_data.market_state (market) values (added);
exception
    when unique_violation then
        raise exception 'duplicate: there is a market % already', security using errcode = 'PB116', column = 'security';
end
$$;
