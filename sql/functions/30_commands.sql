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
    added smallint;
    broken_constraint text;
begin
    perform pgbook_data.be_durable();
    insert into pgbook_data.markets (symbol, tick_size, lot_size, max_amount, max_notional, min_price, max_price)
    values (security, tick_size, lot_size,
            coalesce(div(max_amount, lot_size), 1000000000000000)::bigint,
            max_notional / tick_size / lot_size,
            coalesce(ceil(min_price / tick_size), 1)::bigint,
            coalesce(div(max_price, tick_size), 1000000000000)::bigint)
    returning market into added;
    insert into pgbook_data.market_state (market) values (added);
exception
    when unique_violation then
        raise exception 'duplicate: there is a market % already', security using errcode = 'PB116', column = 'security';
    when check_violation or not_null_violation or division_by_zero or numeric_value_out_of_range then
        get stacked diagnostics broken_constraint = constraint_name;
        raise exception 'bad_value: market % cannot be added: symbols have 1 to 32 of A-Z a-z 0-9 . _ / : -, sizes and limits are above zero (%)',
            quote_literal(left(security, 40)), coalesce(nullif(broken_constraint, ''), sqlerrm)
            using errcode = 'PB117', column = 'security';
end
$$;
