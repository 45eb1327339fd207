CREATE SCHEMA pgbook;

ALTER SCHEMA pgbook OWNER TO pgbook_owner;

CREATE SCHEMA pgbook_data;

ALTER SCHEMA pgbook_data OWNER TO pgbook_owner;

CREATE SCHEMA pgbook_schema;

ALTER SCHEMA pgbook_schema OWNER TO pgbook_owner;

CREATE TYPE pgbook_data.closed_row AS (
	market smallint,
	id uuid,
	seq bigint,
	price bigint,
	amount bigint,
	filled bigint,
	dropped bigint,
	reason smallint,
	notional numeric
);

ALTER TYPE pgbook_data.closed_row OWNER TO pgbook_owner;

CREATE TYPE pgbook_data.command_row AS (
	market smallint,
	id uuid,
	"time" timestamp with time zone,
	target uuid,
	amount bigint,
	price bigint,
	expires timestamp with time zone,
	kind smallint,
	side smallint,
	exec_type smallint,
	tif smallint,
	stp smallint,
	change smallint,
	post_only boolean,
	user_id text,
	owner text,
	client_order_id text,
	origin text,
	seq bigint,
	filled bigint,
	remaining bigint,
	dropped bigint,
	digest_head bigint,
	code smallint,
	notional numeric
);

ALTER TYPE pgbook_data.command_row OWNER TO pgbook_owner;

CREATE TYPE pgbook_data.log_row AS (
	origin text,
	number bigint,
	is_unconfirmed boolean,
	code smallint,
	symbol text,
	id uuid,
	"time" timestamp with time zone,
	target uuid,
	amount bigint,
	price bigint,
	expires timestamp with time zone,
	kind smallint,
	side smallint,
	exec_type smallint,
	tif smallint,
	stp smallint,
	change smallint,
	post_only boolean,
	user_id text,
	owner text,
	client_order_id text
);

ALTER TYPE pgbook_data.log_row OWNER TO pgbook_owner;

CREATE TYPE pgbook_data.outcome_row AS (
	market smallint,
	id uuid,
	seq bigint,
	code smallint,
	filled bigint,
	remaining bigint,
	dropped bigint,
	notional numeric,
	digest_head bigint
);

ALTER TYPE pgbook_data.outcome_row OWNER TO pgbook_owner;

CREATE TYPE pgbook_data.resting_row AS (
	market smallint,
	id uuid,
	user_id text,
	side smallint,
	price bigint,
	amount bigint,
	filled bigint,
	dropped bigint,
	notional numeric,
	priority bigint,
	expires timestamp with time zone,
	post_only boolean,
	stp smallint
);

ALTER TYPE pgbook_data.resting_row OWNER TO pgbook_owner;

CREATE TYPE pgbook_data.trade_row AS (
	market smallint,
	"time" timestamp with time zone,
	trade_id bigint,
	seq bigint,
	taker_order uuid,
	maker_order uuid,
	taker_user text,
	maker_user text,
	taker_side smallint,
	price bigint,
	amount bigint,
	best_bid bigint,
	best_ask bigint
);

ALTER TYPE pgbook_data.trade_row OWNER TO pgbook_owner;

CREATE FUNCTION pgbook.add_market(security text, tick_size numeric, lot_size numeric, max_amount numeric DEFAULT NULL::numeric, max_notional numeric DEFAULT NULL::numeric, min_price numeric DEFAULT NULL::numeric, max_price numeric DEFAULT NULL::numeric) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
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
$_$;

ALTER FUNCTION pgbook.add_market(security text, tick_size numeric, lot_size numeric, max_amount numeric, max_notional numeric, min_price numeric, max_price numeric) OWNER TO pgbook_owner;

CREATE TABLE pgbook_data.book (
    id uuid NOT NULL,
    price bigint NOT NULL,
    priority bigint NOT NULL,
    amount bigint NOT NULL,
    filled bigint NOT NULL,
    dropped bigint NOT NULL,
    expires timestamp with time zone,
    market smallint NOT NULL,
    side smallint NOT NULL,
    stp smallint,
    post_only boolean NOT NULL,
    user_id text NOT NULL,
    notional numeric NOT NULL,
    CONSTRAINT book_open CHECK (((amount > (filled + dropped)) AND (filled >= 0) AND (dropped >= 0))),
    CONSTRAINT book_price_check CHECK ((price > 0))
)
WITH (fillfactor='70', autovacuum_vacuum_scale_factor='0', autovacuum_vacuum_threshold='20000', autovacuum_vacuum_cost_delay='0');

ALTER TABLE pgbook_data.book OWNER TO pgbook_owner;

CREATE TABLE pgbook_data.markets (
    market smallint NOT NULL,
    symbol text NOT NULL,
    tick_size numeric NOT NULL,
    lot_size numeric NOT NULL,
    max_amount bigint NOT NULL,
    max_notional numeric,
    min_price bigint DEFAULT 1 NOT NULL,
    max_price bigint NOT NULL,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    is_imported boolean DEFAULT false NOT NULL,
    CONSTRAINT markets_check CHECK ((max_price >= min_price)),
    CONSTRAINT markets_largest_value CHECK ((((((max_amount)::numeric * lot_size) * ((max_price)::numeric * tick_size)) * ((10)::numeric ^ ((scale(tick_size) + scale(lot_size)))::numeric)) <= '1000000000000000000000000000000'::numeric)),
    CONSTRAINT markets_limits CHECK (((max_amount <= '1000000000000000000'::bigint) AND (max_price <= '1000000000000000000'::bigint) AND (max_notional < '10000000000000000000000000000000000000'::numeric))),
    CONSTRAINT markets_lot_digits CHECK (((scale(lot_size) <= 18) AND ((lot_size * ((10)::numeric ^ (scale(lot_size))::numeric)) < ('1000000000000000000'::bigint)::numeric))),
    CONSTRAINT markets_lot_size_check CHECK (((lot_size > (0)::numeric) AND (lot_size < 'Infinity'::numeric))),
    CONSTRAINT markets_max_amount_check CHECK ((max_amount > 0)),
    CONSTRAINT markets_max_notional_check CHECK ((max_notional > (0)::numeric)),
    CONSTRAINT markets_min_price_check CHECK ((min_price > 0)),
    CONSTRAINT markets_symbol_check CHECK ((symbol ~ '^[A-Za-z0-9][A-Za-z0-9._/:-]{0,31}$'::text)),
    CONSTRAINT markets_tick_digits CHECK (((scale(tick_size) <= 18) AND ((tick_size * ((10)::numeric ^ (scale(tick_size))::numeric)) < ('1000000000000000000'::bigint)::numeric))),
    CONSTRAINT markets_tick_size_check CHECK (((tick_size > (0)::numeric) AND (tick_size < 'Infinity'::numeric)))
);

ALTER TABLE pgbook_data.markets OWNER TO pgbook_owner;

CREATE FUNCTION pgbook.agg_book(security text, depth integer DEFAULT 10) RETURNS TABLE(side text, price numeric, amount numeric, total numeric, orders bigint)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    BEGIN ATOMIC
 SELECT s.word,
     trim_scale(((l.price)::numeric * m.tick_size)) AS trim_scale,
     trim_scale((l.amount * m.lot_size)) AS trim_scale,
     trim_scale(((((l.price)::numeric * m.tick_size) * l.amount) * m.lot_size)) AS trim_scale,
     l.orders
    FROM ((pgbook_data.markets m
      CROSS JOIN ( VALUES ((0)::smallint,'bid'::text), ((1)::smallint,'ask'::text)) s(side, word))
      CROSS JOIN LATERAL ( SELECT min(b.price) AS price,
             sum(((b.amount - b.filled) - b.dropped)) AS amount,
             count(*) AS orders,
                 CASE b.side
                     WHEN 0 THEN (- b.price)
                     ELSE b.price
                 END AS rank
            FROM pgbook_data.book b
           WHERE ((b.market = m.market) AND (b.side = s.side))
           GROUP BY
                 CASE b.side
                     WHEN 0 THEN (- b.price)
                     ELSE b.price
                 END
           ORDER BY
                 CASE b.side
                     WHEN 0 THEN (- b.price)
                     ELSE b.price
                 END
          LIMIT agg_book.depth) l)
   WHERE (m.symbol = agg_book.security)
   ORDER BY s.side, l.rank;
END;

ALTER FUNCTION pgbook.agg_book(security text, depth integer) OWNER TO pgbook_owner;

CREATE FUNCTION pgbook_data.acting_user(user_id text) RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
    if user_id is not distinct from session_user::text or pg_has_role(session_user, 'pgbook_node', 'member') then
        return user_id;
    end if;
    raise exception 'not_permitted: role % may give commands as itself only, not as %; leave user_id out',
        session_user, user_id using errcode = 'PB118', column = 'user_id';
end
$$;

ALTER FUNCTION pgbook_data.acting_user(user_id text) OWNER TO pgbook_owner;

CREATE FUNCTION pgbook_data.enter_one(kind smallint, id uuid, user_id text, symbol text, side smallint, exec_type smallint, tif smallint, post_only boolean, stp smallint, amount numeric, price numeric, target uuid, change smallint, expires timestamp with time zone, owner text, client_order_id text) RETURNS uuid
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    entered record;
begin
    select * into entered from pgbook_data.enter(
        array[kind], array[id], array[user_id], array[symbol], array[side], array[exec_type], array[tif],
        array[post_only], array[stp], array[amount], array[price], array[target], array[change], array[expires],
        array[owner], array[client_order_id]);
    if entered.code is not null then
        raise exception '%: %', pgbook_data.code_name(entered.code), entered.message
            using errcode = 'PB' || entered.code, column = coalesce(entered.field, '');
    end if;
    return entered.id;
end
$$;

ALTER FUNCTION pgbook_data.enter_one(kind smallint, id uuid, user_id text, symbol text, side smallint, exec_type smallint, tif smallint, post_only boolean, stp smallint, amount numeric, price numeric, target uuid, change smallint, expires timestamp with time zone, owner text, client_order_id text) OWNER TO pgbook_owner;

CREATE FUNCTION pgbook.amend_order(id uuid, amount numeric DEFAULT NULL::numeric, price numeric DEFAULT NULL::numeric, client_order_id text DEFAULT NULL::text, user_id text DEFAULT SESSION_USER) RETURNS uuid
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    BEGIN ATOMIC
 SELECT pgbook_data.enter_one((2)::smallint, NULL::uuid, pgbook_data.acting_user(user_id), NULL::text, NULL::smallint, NULL::smallint, NULL::smallint, NULL::boolean, NULL::smallint, amount, price, id, (1)::smallint, NULL::timestamp with time zone, NULL::text, client_order_id) AS enter_one;
END;

ALTER FUNCTION pgbook.amend_order(id uuid, amount numeric, price numeric, client_order_id text, user_id text) OWNER TO pgbook_owner;

CREATE TABLE pgbook_data.busts (
    market smallint NOT NULL,
    trade_id bigint NOT NULL,
    "time" timestamp with time zone NOT NULL,
    busted_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    busted_by text DEFAULT SESSION_USER NOT NULL,
    reason text NOT NULL,
    CONSTRAINT busts_bounds CHECK (((("time" >= '0001-01-01 00:00:00+00'::timestamp with time zone) AND ("time" <= '9999-12-31 23:59:59.999999+00'::timestamp with time zone)) AND ((trade_id >= 1) AND (trade_id <= '9000000000000000000'::bigint)))),
    CONSTRAINT busts_reason_check CHECK (((length(reason) >= 1) AND (length(reason) <= 1000)))
);

ALTER TABLE pgbook_data.busts OWNER TO pgbook_owner;

CREATE VIEW pgbook.busts AS
 SELECT m.symbol AS security,
    b.trade_id,
    b."time",
    b.busted_at,
    b.busted_by,
    b.reason
   FROM (pgbook_data.busts b
     JOIN pgbook_data.markets m USING (market));

ALTER VIEW pgbook.busts OWNER TO pgbook_owner;

CREATE FUNCTION pgbook.bust_trade(security text, trade_id bigint, reason text) RETURNS SETOF pgbook.busts
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
declare
    number smallint;
    minute timestamptz;
    traded_at timestamptz;
    chunk regclass;
    bust pgbook_data.busts;
    horizon timestamptz;
begin
    perform pgbook_data.be_durable();
    select m.market into number from pgbook_data.markets m where m.symbol = security;
    if number is null then
        raise exception 'unknown_market: there is no market %', coalesce(quote_literal(left(security, 50)), 'null')
            using errcode = 'PB101', column = 'security';
    end if;
    if coalesce(btrim(reason), '') = '' or length(reason) > 1000 then
        raise exception 'bad_value: a bust needs a reason of 1 to 1000 characters'
            using errcode = 'PB117', column = 'reason';
    end if;
    -- Matching writes minutes under the first lock, hours and days are closed under the second.
    perform from pgbook_data.market_state s where s.market = number for update;
    insert into pgbook_data.candle_levels (market) values (number) on conflict do nothing;
    perform from pgbook_data.candle_levels l where l.market = number for update;
    select * into bust from pgbook_data.busts b where b.market = number and b.trade_id = bust_trade.trade_id;
    if bust.trade_id is not null then
        raise exception 'duplicate: trade % of % was busted already, by % (%)', trade_id, security, bust.busted_by,
            left(bust.reason, 200) using errcode = 'PB116', column = 'trade_id';
    end if;
    -- The minute that holds it: a trade that is not busted is in a candle.
    select c.time into minute from pgbook_data.candles_1m c
    where c.market = number and c.first_trade_id <= trade_id order by c.time desc limit 1;
    if minute is not null then
        -- An UPDATE of the hypertable would plan and lock every chunk there is.
        execute 'select tableoid::regclass, time from pgbook_data.trades
                 where market = $1 and trade_id = $2 and time >= $3 and time < $4'
            into chunk, traded_at using number, trade_id, minute, minute + interval '1 minute';
        if traded_at is not null then
            execute format('update %s set busted_at = clock_timestamp() where market = $1 and time = $2 and trade_id = $3',
                chunk) using number, traded_at, trade_id;
        end if;
    end if;
    if traded_at is null then
        select h.dropped_before into horizon from pgbook_data.trade_horizon h;
        raise exception 'bad_value: there is no trade % of %', coalesce(trade_id::text, 'null'),
            security || case when isfinite(horizon)
                then '; those before ' || to_char(horizon at time zone 'UTC', 'YYYY-MM-DD HH24:MI') || 'Z were dropped'
                else '' end
            using errcode = 'PB117', column = 'trade_id';
    end if;
    insert into pgbook_data.busts (market, trade_id, time, reason) values (number, trade_id, traded_at, reason);
    perform pgbook_data.recompute_candles(number, minute, minute + interval '1 minute');
    return query select * from pgbook.busts b where b.security = bust_trade.security and b.trade_id = bust_trade.trade_id;
end
$_$;

ALTER FUNCTION pgbook.bust_trade(security text, trade_id bigint, reason text) OWNER TO pgbook_owner;

CREATE FUNCTION pgbook.cancel_all(security text DEFAULT NULL::text, side text DEFAULT NULL::text, user_id text DEFAULT SESSION_USER, everybody boolean DEFAULT false) RETURNS TABLE(command_id uuid, market text)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
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

ALTER FUNCTION pgbook.cancel_all(security text, side text, user_id text, everybody boolean) OWNER TO pgbook_owner;

CREATE FUNCTION pgbook.cancel_order(id uuid, client_order_id text DEFAULT NULL::text, user_id text DEFAULT SESSION_USER) RETURNS uuid
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    BEGIN ATOMIC
 SELECT pgbook_data.enter_one((3)::smallint, NULL::uuid, pgbook_data.acting_user(user_id), NULL::text, NULL::smallint, NULL::smallint, NULL::smallint, NULL::boolean, NULL::smallint, NULL::numeric, NULL::numeric, id, NULL::smallint, NULL::timestamp with time zone, NULL::text, client_order_id) AS enter_one;
END;

ALTER FUNCTION pgbook.cancel_order(id uuid, client_order_id text, user_id text) OWNER TO pgbook_owner;

CREATE FUNCTION pgbook_data.composed_candles(market smallint, bucket text, range_from timestamp with time zone, range_to timestamp with time zone, tz text DEFAULT 'UTC'::text) RETURNS TABLE("time" timestamp with time zone, open bigint, high bigint, low bigint, close bigint, trades bigint, first_trade_id bigint, last_trade_id bigint, volume numeric, notional numeric, taker_buy_volume numeric, taker_buy_notional numeric)
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
declare
    first_minute timestamptz;
    last_moment timestamptz;
    begins timestamptz;
    ends timestamptz;
    days_to timestamptz := '-infinity';
    hours_to timestamptz := '-infinity';
    on_days boolean := bucket in ('1d', '1w', '1M');
    on_hours boolean := bucket ~ 'h$' or bucket in ('1d', '1w', '1M');
    width interval;
    -- Where not all buckets are of one length: their beginnings.
    starts timestamptz[];
begin
    perform pgbook_data.check_bucket(bucket, tz);
    width := bucket;
    select min(c.time), max(c.time) + interval '59.999999 seconds' into first_minute, last_moment
    from pgbook_data.candles_1m c where c.market = composed_candles.market;
    if first_minute is null or range_from > last_moment or range_to is null or range_from is null then
        return;
    end if;
    begins := pgbook_data.bucket_ceiling(
        greatest(range_from, pgbook_data.bucket_start(first_minute, bucket, tz)), bucket, tz);
    ends := pgbook_data.bucket_ceiling(
        least(range_to, pgbook_data.bucket_end(pgbook_data.bucket_start(last_moment, bucket, tz), bucket, tz)),
        bucket, tz);
    if begins >= ends then
        return;
    end if;
    if bucket = '1s' then
        return query select * from pgbook_data.traded_candles(market, bucket, begins, ends);
        return;
    end if;
    if tz <> 'UTC' or bucket = '1M' then
        starts := array(select b.time from pgbook_data.bucket_starts(begins, ends, bucket, tz) b);
        select bool_and(extract(epoch from b) % 86400 = 0), bool_and(extract(epoch from b) % 3600 = 0)
        into on_days, on_hours
        from unnest(starts || ends) b;
    end if;
    if on_hours then
        select case when on_days then l.closed_1d else '-infinity' end, l.closed_1h into days_to, hours_to
        from pgbook_data.candle_levels l where l.market = composed_candles.market;
        days_to := coalesce(days_to, '-infinity');
        hours_to := coalesce(hours_to, '-infinity');
    end if;
    return query
        with finer as (
            select d.* from pgbook_data.candles_1d d
            where d.market = composed_candles.market and d.time >= begins and d.time < least(ends, days_to)
            union all
            select h.* from pgbook_data.candles_1h h
            where h.market = composed_candles.market
              and h.time >= greatest(begins, days_to) and h.time < least(ends, hours_to)
            union all
            select m.* from pgbook_data.candles_1m m
            where m.market = composed_candles.market
              and m.time >= greatest(begins, days_to, hours_to) and m.time < ends
        )
        select case when starts is null then date_bin(width, f.time, timestamptz '2000-01-03 00:00:00+00')
                    else starts[width_bucket(f.time, starts)] end, (min(array[f.first_trade_id, f.open]))[2], max(f.high),
               min(f.low), (max(array[f.last_trade_id, f.close]))[2], sum(f.trades)::bigint, min(f.first_trade_id),
               max(f.last_trade_id), sum(f.volume), sum(f.notional), sum(f.taker_buy_volume),
               sum(f.taker_buy_notional)
        from finer f
        group by 1 order by 1;
end
$_$;

ALTER FUNCTION pgbook_data.composed_candles(market smallint, bucket text, range_from timestamp with time zone, range_to timestamp with time zone, tz text) OWNER TO pgbook_owner;

CREATE FUNCTION pgbook_data.open_candles(market smallint, bucket text, range_from timestamp with time zone, range_to timestamp with time zone) RETURNS TABLE("time" timestamp with time zone, open bigint, high bigint, low bigint, close bigint, trades bigint, first_trade_id bigint, last_trade_id bigint, volume numeric, notional numeric, taker_buy_volume numeric, taker_buy_notional numeric)
    LANGUAGE plpgsql STABLE ROWS 10
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    closed timestamptz := coalesce(
        (select case bucket when '1h' then l.closed_1h else l.closed_1d end
         from pgbook_data.candle_levels l where l.market = open_candles.market), '-infinity');
begin
    if range_to > closed then
        return query
            select * from pgbook_data.composed_candles(market, bucket, greatest(range_from, closed), range_to);
    end if;
end
$$;

ALTER FUNCTION pgbook_data.open_candles(market smallint, bucket text, range_from timestamp with time zone, range_to timestamp with time zone) OWNER TO pgbook_owner;

CREATE TABLE pgbook_data.candles_1d (
    "time" timestamp with time zone NOT NULL,
    open bigint NOT NULL,
    high bigint NOT NULL,
    low bigint NOT NULL,
    close bigint NOT NULL,
    trades bigint NOT NULL,
    first_trade_id bigint NOT NULL,
    last_trade_id bigint NOT NULL,
    market smallint NOT NULL,
    volume numeric NOT NULL,
    notional numeric NOT NULL,
    taker_buy_volume numeric NOT NULL,
    taker_buy_notional numeric NOT NULL,
    CONSTRAINT candles_1d_bounds CHECK (((("time" >= '0001-01-01 00:00:00+00'::timestamp with time zone) AND ("time" <= '9999-12-31 23:59:59.999999+00'::timestamp with time zone)) AND ((low >= 1) AND (low <= '1000000000000000000'::bigint)) AND ((high >= 1) AND (high <= '1000000000000000000'::bigint)) AND ((open >= 1) AND (open <= '1000000000000000000'::bigint)) AND ((close >= 1) AND (close <= '1000000000000000000'::bigint)) AND ((trades >= 1) AND (trades <= '9000000000000000000'::bigint)) AND ((first_trade_id >= 1) AND (first_trade_id <= '9000000000000000000'::bigint)) AND ((last_trade_id >= 1) AND (last_trade_id <= '9000000000000000000'::bigint)) AND ((volume >= (0)::numeric) AND (volume <= '99999999999999999999999999999999999999'::numeric)) AND ((notional >= (0)::numeric) AND (notional <= '99999999999999999999999999999999999999'::numeric)) AND ((taker_buy_volume >= (0)::numeric) AND (taker_buy_volume <= '99999999999999999999999999999999999999'::numeric)) AND ((taker_buy_notional >= (0)::numeric) AND (taker_buy_notional <= '99999999999999999999999999999999999999'::numeric))))
);

ALTER TABLE pgbook_data.candles_1d OWNER TO pgbook_owner;

CREATE TABLE pgbook_data.candles_1h (
    "time" timestamp with time zone NOT NULL,
    open bigint NOT NULL,
    high bigint NOT NULL,
    low bigint NOT NULL,
    close bigint NOT NULL,
    trades bigint NOT NULL,
    first_trade_id bigint NOT NULL,
    last_trade_id bigint NOT NULL,
    market smallint NOT NULL,
    volume numeric NOT NULL,
    notional numeric NOT NULL,
    taker_buy_volume numeric NOT NULL,
    taker_buy_notional numeric NOT NULL,
    CONSTRAINT candles_1h_bounds CHECK (((("time" >= '0001-01-01 00:00:00+00'::timestamp with time zone) AND ("time" <= '9999-12-31 23:59:59.999999+00'::timestamp with time zone)) AND ((low >= 1) AND (low <= '1000000000000000000'::bigint)) AND ((high >= 1) AND (high <= '1000000000000000000'::bigint)) AND ((open >= 1) AND (open <= '1000000000000000000'::bigint)) AND ((close >= 1) AND (close <= '1000000000000000000'::bigint)) AND ((trades >= 1) AND (trades <= '9000000000000000000'::bigint)) AND ((first_trade_id >= 1) AND (first_trade_id <= '9000000000000000000'::bigint)) AND ((last_trade_id >= 1) AND (last_trade_id <= '9000000000000000000'::bigint)) AND ((volume >= (0)::numeric) AND (volume <= '99999999999999999999999999999999999999'::numeric)) AND ((notional >= (0)::numeric) AND (notional <= '99999999999999999999999999999999999999'::numeric)) AND ((taker_buy_volume >= (0)::numeric) AND (taker_buy_volume <= '99999999999999999999999999999999999999'::numeric)) AND ((taker_buy_notional >= (0)::numeric) AND (taker_buy_notional <= '99999999999999999999999999999999999999'::numeric))))
);

ALTER TABLE pgbook_data.candles_1h OWNER TO pgbook_owner;

CREATE TABLE pgbook_data.candles_1m (
    "time" timestamp with time zone NOT NULL,
    open bigint NOT NULL,
    high bigint NOT NULL,
    low bigint NOT NULL,
    close bigint NOT NULL,
    trades bigint NOT NULL,
    first_trade_id bigint NOT NULL,
    last_trade_id bigint NOT NULL,
    market smallint NOT NULL,
    volume numeric NOT NULL,
    notional numeric NOT NULL,
    taker_buy_volume numeric NOT NULL,
    taker_buy_notional numeric NOT NULL
)
WITH (fillfactor='70');

ALTER TABLE pgbook_data.candles_1m OWNER TO pgbook_owner;

CREATE FUNCTION pgbook_data.candle_rows(market smallint, bucket text, range_from timestamp with time zone, range_to timestamp with time zone, tz text DEFAULT 'UTC'::text) RETURNS TABLE("time" timestamp with time zone, open bigint, high bigint, low bigint, close bigint, trades bigint, first_trade_id bigint, last_trade_id bigint, volume numeric, notional numeric, taker_buy_volume numeric, taker_buy_notional numeric)
    LANGUAGE sql STABLE
    BEGIN ATOMIC
 SELECT r."time",
     r.open,
     r.high,
     r.low,
     r.close,
     r.trades,
     r.first_trade_id,
     r.last_trade_id,
     r.volume,
     r.notional,
     r.taker_buy_volume,
     r.taker_buy_notional
    FROM (( SELECT m."time",
             m.open,
             m.high,
             m.low,
             m.close,
             m.trades,
             m.first_trade_id,
             m.last_trade_id,
             m.volume,
             m.notional,
             m.taker_buy_volume,
             m.taker_buy_notional
            FROM pgbook_data.candles_1m m
           WHERE ((candle_rows.bucket = '1m'::text) AND (candle_rows.tz = 'UTC'::text) AND (m.market = candle_rows.market) AND (m."time" >= candle_rows.range_from) AND (m."time" < candle_rows.range_to))
           ORDER BY m."time")
         UNION ALL
         ( SELECT h."time",
             h.open,
             h.high,
             h.low,
             h.close,
             h.trades,
             h.first_trade_id,
             h.last_trade_id,
             h.volume,
             h.notional,
             h.taker_buy_volume,
             h.taker_buy_notional
            FROM pgbook_data.candles_1h h
           WHERE ((candle_rows.bucket = '1h'::text) AND (candle_rows.tz = 'UTC'::text) AND (h.market = candle_rows.market) AND (h."time" >= candle_rows.range_from) AND (h."time" < candle_rows.range_to))
           ORDER BY h."time")
         UNION ALL
         ( SELECT d."time",
             d.open,
             d.high,
             d.low,
             d.close,
             d.trades,
             d.first_trade_id,
             d.last_trade_id,
             d.volume,
             d.notional,
             d.taker_buy_volume,
             d.taker_buy_notional
            FROM pgbook_data.candles_1d d
           WHERE ((candle_rows.bucket = '1d'::text) AND (candle_rows.tz = 'UTC'::text) AND (d.market = candle_rows.market) AND (d."time" >= candle_rows.range_from) AND (d."time" < candle_rows.range_to))
           ORDER BY d."time")
         UNION ALL
          SELECT c."time",
             c.open,
             c.high,
             c.low,
             c.close,
             c.trades,
             c.first_trade_id,
             c.last_trade_id,
             c.volume,
             c.notional,
             c.taker_buy_volume,
             c.taker_buy_notional
            FROM pgbook_data.open_candles(candle_rows.market, candle_rows.bucket, candle_rows.range_from, candle_rows.range_to) c("time", open, high, low, close, trades, first_trade_id, last_trade_id, volume, notional, taker_buy_volume, taker_buy_notional)
           WHERE ((candle_rows.bucket = ANY (ARRAY['1h'::text, '1d'::text])) AND (candle_rows.tz = 'UTC'::text))
         UNION ALL
          SELECT c."time",
             c.open,
             c.high,
             c.low,
             c.close,
             c.trades,
             c.first_trade_id,
             c.last_trade_id,
             c.volume,
             c.notional,
             c.taker_buy_volume,
             c.taker_buy_notional
            FROM pgbook_data.composed_candles(candle_rows.market, candle_rows.bucket, candle_rows.range_from, candle_rows.range_to, candle_rows.tz) c("time", open, high, low, close, trades, first_trade_id, last_trade_id, volume, notional, taker_buy_volume, taker_buy_notional)
           WHERE ((candle_rows.bucket <> ALL (ARRAY['1m'::text, '1h'::text, '1d'::text])) OR (candle_rows.tz <> 'UTC'::text))) r
   ORDER BY r."time";
END;

ALTER FUNCTION pgbook_data.candle_rows(market smallint, bucket text, range_from timestamp with time zone, range_to timestamp with time zone, tz text) OWNER TO pgbook_owner;

CREATE FUNCTION pgbook.candle_trade_ids(security text, "interval" text, "from" timestamp with time zone, "to" timestamp with time zone) RETURNS TABLE(first_trade_id bigint, last_trade_id bigint)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    BEGIN ATOMIC
 SELECT min(c.first_trade_id) AS min,
     max(c.last_trade_id) AS max
    FROM (pgbook_data.markets m
      CROSS JOIN LATERAL pgbook_data.candle_rows(m.market, candle_trade_ids."interval", candle_trade_ids."from", candle_trade_ids."to") c("time", open, high, low, close, trades, first_trade_id, last_trade_id, volume, notional, taker_buy_volume, taker_buy_notional))
   WHERE (m.symbol = candle_trade_ids.security);
END;

ALTER FUNCTION pgbook.candle_trade_ids(security text, "interval" text, "from" timestamp with time zone, "to" timestamp with time zone) OWNER TO pgbook_owner;

CREATE FUNCTION pgbook_data.quotient(dividend numeric, divisor numeric, digits integer) RETURNS numeric
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN trim_scale(round(((dividend * 1.0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000) / NULLIF(divisor, (0)::numeric)), digits));

ALTER FUNCTION pgbook_data.quotient(dividend numeric, divisor numeric, digits integer) OWNER TO pgbook_owner;

CREATE VIEW pgbook.candles_1m AS
 SELECT m.symbol AS security,
    c."time",
    trim_scale(((c.open)::numeric * m.tick_size)) AS open,
    trim_scale(((c.high)::numeric * m.tick_size)) AS high,
    trim_scale(((c.low)::numeric * m.tick_size)) AS low,
    trim_scale(((c.close)::numeric * m.tick_size)) AS close,
    trim_scale((c.volume * m.lot_size)) AS volume,
    trim_scale(((c.notional * m.tick_size) * m.lot_size)) AS quote_volume,
    c.trades,
    pgbook_data.quotient((c.notional * m.tick_size), c.volume, 12) AS vwap,
    trim_scale((c.taker_buy_volume * m.lot_size)) AS taker_buy_volume,
    trim_scale(((c.taker_buy_notional * m.tick_size) * m.lot_size)) AS taker_buy_quote_volume
   FROM (pgbook_data.candles_1m c
     JOIN pgbook_data.markets m USING (market));

ALTER VIEW pgbook.candles_1m OWNER TO pgbook_owner;

CREATE FUNCTION pgbook.candles(security text, "interval" text, "from" timestamp with time zone, "to" timestamp with time zone, fill text DEFAULT 'none'::text, tz text DEFAULT 'UTC'::text) RETURNS SETOF pgbook.candles_1m
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    m pgbook_data.markets;
    begins timestamptz;
    ends timestamptz;
    last_close bigint;
begin
    perform pgbook_data.check_bucket("interval", tz);
    if fill is null or fill not in ('none', 'zero', 'previous') then
        raise exception 'bad_value: fill % is unknown; use none, zero or previous',
            coalesce(quote_literal(left(fill, 50)), 'null') using errcode = 'PB117', column = 'fill';
    end if;
    if "from" is null or "to" is null then
        raise exception 'bad_value: a range needs both ends; -infinity and infinity are all there is'
            using errcode = 'PB117', column = case when "from" is null then 'from' else 'to' end;
    end if;
    select * into m from pgbook_data.markets k where k.symbol = security;
    if m is null then
        raise exception 'unknown_market: there is no market %', coalesce(quote_literal(left(security, 50)), 'null')
            using errcode = 'PB101', column = 'security';
    end if;
    if fill = 'none' then
        return query
            select m.symbol, c.time, trim_scale(c.open * m.tick_size), trim_scale(c.high * m.tick_size),
                   trim_scale(c.low * m.tick_size), trim_scale(c.close * m.tick_size),
                   trim_scale(c.volume * m.lot_size), trim_scale(c.notional * m.tick_size * m.lot_size), c.trades,
                   pgbook_data.quotient(c.notional * m.tick_size, c.volume, 12),
                   trim_scale(c.taker_buy_volume * m.lot_size),
                   trim_scale(c.taker_buy_notional * m.tick_size * m.lot_size)
            from pgbook_data.candle_rows(m.market, "interval", "from", "to", tz) c
            order by c.time;
        return;
    end if;
    select min(c.time) into begins from pgbook_data.candles_1m c where c.market = m.market;
    if begins is null then
        return;
    end if;
    begins := pgbook_data.bucket_ceiling(
        greatest("from", pgbook_data.bucket_start(begins, "interval", tz)), "interval", tz);
    ends := pgbook_data.bucket_ceiling(
        least("to", pgbook_data.bucket_end(pgbook_data.bucket_start(now(), "interval", tz), "interval", tz)),
        "interval", tz);
    if begins >= ends then
        return;
    end if;
    if fill = 'previous' then
        last_close := pgbook_data.close_before(m.market, begins);
    end if;
    return query
        with filled as (
            select g.time, c.open, c.high, c.low, c.close, c.volume, c.notional, c.trades, c.taker_buy_volume,
                   c.taker_buy_notional,
                   -- How many candles there are up to here: one more begins a new run of the same close.
                   count(c.time) over (order by g.time) as run
            from pgbook_data.bucket_starts(begins, ends, "interval", tz) g
            left join pgbook_data.candle_rows(m.market, "interval", begins, ends, tz) c on c.time = g.time
        ), carried as (
            select f.*, case when f.open is null and fill = 'previous'
                             then coalesce(max(f.close) over (partition by f.run), last_close) end as previous
            from filled f
        )
        select m.symbol, c.time, trim_scale(coalesce(c.open, c.previous) * m.tick_size),
               trim_scale(coalesce(c.high, c.previous) * m.tick_size),
               trim_scale(coalesce(c.low, c.previous) * m.tick_size),
               trim_scale(coalesce(c.close, c.previous) * m.tick_size),
               trim_scale(coalesce(c.volume, 0) * m.lot_size),
               trim_scale(coalesce(c.notional, 0) * m.tick_size * m.lot_size), coalesce(c.trades, 0),
               pgbook_data.quotient(c.notional * m.tick_size, c.volume, 12),
               trim_scale(coalesce(c.taker_buy_volume, 0) * m.lot_size),
               trim_scale(coalesce(c.taker_buy_notional, 0) * m.tick_size * m.lot_size)
        from carried c
        -- A first bucket whose only trades were busted has nothing to carry.
        where fill = 'zero' or c.open is not null or c.previous is not null
        order by c.time;
end
$$;

ALTER FUNCTION pgbook.candles(security text, "interval" text, "from" timestamp with time zone, "to" timestamp with time zone, fill text, tz text) OWNER TO pgbook_owner;

CREATE FUNCTION pgbook.candles_closed_until(security text, "interval" text) RETURNS timestamp with time zone
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
    perform pgbook_data.check_bucket("interval");
    return (
        select pgbook_data.bucket_start(
                   greatest(s.clock, least(
                       now() - interval '60 seconds',
                       (select min(i.time) from pgbook_data.inbox i where i.market = m.market))), "interval")
        from pgbook_data.markets m join pgbook_data.newest_state s using (market)
        where m.symbol = security);
end
$$;

ALTER FUNCTION pgbook.candles_closed_until(security text, "interval" text) OWNER TO pgbook_owner;

CREATE FUNCTION pgbook.fills(security text, "from" timestamp with time zone DEFAULT NULL::timestamp with time zone, "to" timestamp with time zone DEFAULT NULL::timestamp with time zone, by text DEFAULT NULL::text, tz text DEFAULT 'UTC'::text) RETURNS TABLE("time" timestamp with time zone, orders bigint, traded_orders bigint, filled_orders bigint, cancelled_orders bigint, fill_ratio numeric, cancel_ratio numeric, first_fill_p50_us bigint, first_fill_p99_us bigint)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET plan_cache_mode TO 'force_custom_plan'
    AS $$
#variable_conflict use_column
declare
    r record;
begin
    if "by" is not null then perform pgbook_data.check_bucket("by", tz); end if;
    r := pgbook_data.analytics_range(security, "from", "to");
    return query
        with parts as (
            select taker_order as id, time, amount from pgbook_data.trades
            where market = r.market and time >= r.starts and time < r.ends and busted_at is null
            union all
            select maker_order, time, amount from pgbook_data.trades
            where market = r.market and time >= r.starts and time < r.ends and busted_at is null
        ),
        traded as materialized (
            select id, min(time) as first_time, sum(amount) as amount from parts where id is not null group by id
        ),
        orders as (
            select case when "by" is null then r.starts else pgbook_data.bucket_start(c.time, "by", tz) end as bucket,
                   coalesce(b.amount, x.amount, c.amount)::numeric as amount, coalesce(t.amount, 0) as filled,
                   pgbook_data.microseconds(c.time, t.first_time)::bigint as first_fill,
                   coalesce(c.code, w.code) = 3 or coalesce(k.time, q.time) < r.ends as is_cancelled
            from pgbook_data.commands c
            left join pgbook_data.outcomes w on w.id = c.id
            left join pgbook_data.book b on b.id = c.id
            left join pgbook_data.closed x on x.id = c.id
            -- What closed it, if that was not a trade: executed at once, or after waiting.
            left join pgbook_data.commands k on k.market = x.market and k.seq = x.seq and x.reason > 1
            left join pgbook_data.outcomes v on v.market = x.market and v.seq = x.seq and x.reason > 1
            left join pgbook_data.commands q on q.id = v.id
            left join traded t on t.id = c.id
            where c.market = r.market and c.time >= r.starts and c.time < r.ends and c.kind = 1
              and coalesce(c.code, w.code) <= 100
        )
        select bucket, count(*), count(first_fill), count(*) filter (where filled >= amount),
               count(*) filter (where is_cancelled), pgbook_data.quotient(sum(filled), sum(amount), 6),
               pgbook_data.quotient(count(*) filter (where is_cancelled), count(*), 6),
               percentile_disc(0.5) within group (order by first_fill),
               percentile_disc(0.99) within group (order by first_fill)
        from orders group by bucket order by bucket;
end
$$;

ALTER FUNCTION pgbook.fills(security text, "from" timestamp with time zone, "to" timestamp with time zone, by text, tz text) OWNER TO pgbook_owner;

COMMENT ON FUNCTION pgbook.fills(security text, "from" timestamp with time zone, "to" timestamp with time zone, by text, tz text) IS 'What became, by the end of the range, of the orders given in it and not refused: fill_ratio = Σ traded / Σ amount (as it was amended), cancel_ratio = orders that ended with a part unfilled (cancelled, expired, dropped, taken by self-trade prevention) / orders, both to 6 digits. traded_orders had a trade, filled_orders traded whole. first_fill_p50_us and _p99_us: microseconds from the order''s time to its first trade, of those that had one, as percentile_disc gives them; an order that traded at its arrival counts with about 0. Orders that wait still are left out.';

CREATE FUNCTION pgbook.flow(security text, "from" timestamp with time zone DEFAULT NULL::timestamp with time zone, "to" timestamp with time zone DEFAULT NULL::timestamp with time zone, by text DEFAULT NULL::text, tz text DEFAULT 'UTC'::text) RETURNS TABLE("time" timestamp with time zone, flow numeric, volume numeric, taker_buy_volume numeric, taker_sell_volume numeric, trades bigint)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
declare
    r record;
begin
    if "by" is not null then perform pgbook_data.check_bucket("by", tz); end if;
    r := pgbook_data.analytics_range(security, "from", "to");
    return query
        select c.time, pgbook_data.quotient(2 * c.taker_buy_volume - c.volume, c.volume, 12),
               trim_scale(c.volume * r.lot), trim_scale(c.taker_buy_volume * r.lot),
               trim_scale((c.volume - c.taker_buy_volume) * r.lot), c.trades
        from pgbook_data.range_candles(r.market, r.starts, r.ends, "by", tz) c;
end
$$;

ALTER FUNCTION pgbook.flow(security text, "from" timestamp with time zone, "to" timestamp with time zone, by text, tz text) OWNER TO pgbook_owner;

COMMENT ON FUNCTION pgbook.flow(security text, "from" timestamp with time zone, "to" timestamp with time zone, by text, tz text) IS 'Signed order flow: (taker buys − taker sells) / volume, from −1 to 1, to 12 digits. The side of a taker is known, not guessed. Source: Chordia, Roll, Subrahmanyam, Order imbalance, liquidity, and market returns, Journal of Financial Economics 65 (2002).';

CREATE FUNCTION pgbook.halt_market(security text) RETURNS uuid
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    BEGIN ATOMIC
 SELECT pgbook_data.enter_one((5)::smallint, NULL::uuid, (SESSION_USER)::text, COALESCE(security, ''::text), NULL::smallint, NULL::smallint, NULL::smallint, NULL::boolean, NULL::smallint, NULL::numeric, NULL::numeric, NULL::uuid, NULL::smallint, NULL::timestamp with time zone, NULL::text, NULL::text) AS enter_one;
END;

ALTER FUNCTION pgbook.halt_market(security text) OWNER TO pgbook_owner;

CREATE FUNCTION pgbook.last_candles(security text, "interval" text DEFAULT '1m'::text, n integer DEFAULT 500, fill text DEFAULT 'none'::text, tz text DEFAULT 'UTC'::text) RETURNS SETOF pgbook.candles_1m
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    begins timestamptz;
begin
    perform pgbook_data.check_bucket("interval", tz);
    if n is null or n < 1 then
        raise exception 'bad_value: n is 1 or more' using errcode = 'PB117', column = 'n';
    end if;
    begins := case when fill = 'none'
        then coalesce((select pgbook_data.last_from(m.market, "interval", n, tz)
                       from pgbook_data.markets m where m.symbol = security), '-infinity')
        else now() - case "interval" when '1M' then 31 * 86400 else extract(epoch from "interval"::interval) end
            * (n + 1) * interval '1 second' end;
    return query
        select l.* from (
            select c.* from pgbook.candles(security, "interval", begins, 'infinity', fill, tz) c
            order by c.time desc limit n
        ) l
        order by l.time;
end
$$;

ALTER FUNCTION pgbook.last_candles(security text, "interval" text, n integer, fill text, tz text) OWNER TO pgbook_owner;

CREATE TABLE pgbook_data.trades (
    "time" timestamp with time zone NOT NULL,
    trade_id bigint NOT NULL,
    seq bigint,
    taker_order uuid,
    maker_order uuid,
    price bigint NOT NULL,
    amount bigint NOT NULL,
    best_bid bigint,
    best_ask bigint,
    market smallint NOT NULL,
    taker_side smallint NOT NULL,
    taker_user text,
    maker_user text,
    busted_at timestamp with time zone
);

ALTER TABLE pgbook_data.trades OWNER TO pgbook_owner;

CREATE VIEW pgbook.trades AS
 SELECT t.trade_id AS id,
    t."time",
    m.symbol AS security,
    t.taker_user AS user_id,
        CASE t.taker_side
            WHEN 0 THEN 'bid'::text
            ELSE 'ask'::text
        END AS side,
    trim_scale(((t.amount)::numeric * m.lot_size)) AS amount,
    trim_scale(((t.price)::numeric * m.tick_size)) AS price,
    trim_scale(((((t.amount)::numeric * m.lot_size) * (t.price)::numeric) * m.tick_size)) AS total,
    t.taker_order,
    t.maker_order,
    t.maker_user,
    trim_scale(((t.best_bid)::numeric * m.tick_size)) AS best_bid,
    trim_scale(((t.best_ask)::numeric * m.tick_size)) AS best_ask,
    t.seq,
    (t.busted_at IS NOT NULL) AS busted
   FROM (pgbook_data.trades t
     JOIN pgbook_data.markets m USING (market));

ALTER VIEW pgbook.trades OWNER TO pgbook_owner;

CREATE FUNCTION pgbook.last_trades(security text, n integer DEFAULT 20) RETURNS SETOF pgbook.trades
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
declare
    first_minute timestamptz;
    last_minute timestamptz;
begin
    select min(c.time), max(c.time) into first_minute, last_minute
    from (
        select time from pgbook_data.candles_1m
        where market = (select m.market from pgbook_data.markets m where m.symbol = last_trades.security)
        order by time desc
        limit n
    ) c;
    return query execute
        'select * from pgbook.trades
         where security = $1 and time >= $2 and time < $3 order by time desc, id desc limit $4'
        using security, first_minute, last_minute + interval '1 minute', n;
end
$_$;

ALTER FUNCTION pgbook.last_trades(security text, n integer) OWNER TO pgbook_owner;

CREATE FUNCTION pgbook.latency(security text, "from" timestamp with time zone DEFAULT NULL::timestamp with time zone, "to" timestamp with time zone DEFAULT NULL::timestamp with time zone, by text DEFAULT NULL::text, tz text DEFAULT 'UTC'::text) RETURNS TABLE("time" timestamp with time zone, at_once bigint, waited bigint, p50_us bigint, p99_us bigint, max_us bigint)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET plan_cache_mode TO 'force_custom_plan'
    AS $$
#variable_conflict use_column
declare
    r record;
begin
    if "by" is not null then perform pgbook_data.check_bucket("by", tz); end if;
    r := pgbook_data.analytics_range(security, "from", "to");
    return query
        with executed as (
            select case when "by" is null then r.starts else pgbook_data.bucket_start(c.time, "by", tz) end as bucket,
                   c.seq, pgbook_data.microseconds(c.accepted_at, w.executed_at)::bigint as waited
            from pgbook_data.commands c left join pgbook_data.outcomes w on w.id = c.id
            where c.market = r.market and c.time >= r.starts and c.time < r.ends
              and (c.seq is not null or w.id is not null)
        )
        select bucket, count(seq), count(waited), percentile_disc(0.5) within group (order by waited),
               percentile_disc(0.99) within group (order by waited), max(waited)
        from executed group by bucket order by bucket;
end
$$;

ALTER FUNCTION pgbook.latency(security text, "from" timestamp with time zone, "to" timestamp with time zone, by text, tz text) OWNER TO pgbook_owner;

COMMENT ON FUNCTION pgbook.latency(security text, "from" timestamp with time zone, "to" timestamp with time zone, by text, tz text) IS 'Microseconds from accepted to executed, of the commands of a range that waited in the inbox, as percentile_disc gives them. A command that the transaction which logged it executed too has no such time: at_once counts those.';

CREATE FUNCTION pgbook.markout(security text, "from" timestamp with time zone DEFAULT NULL::timestamp with time zone, "to" timestamp with time zone DEFAULT NULL::timestamp with time zone, horizons interval[] DEFAULT '{00:00:01,00:00:05,00:00:30}'::interval[], against text DEFAULT 'mid'::text, by text DEFAULT NULL::text, tz text DEFAULT 'UTC'::text) RETURNS TABLE("time" timestamp with time zone, horizon interval, trades bigint, measured bigint, markout numeric, markout_bps numeric)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
declare
    r record;
    step interval;
begin
    if "by" is not null then perform pgbook_data.check_bucket("by", tz); end if;
    if against is null or against not in ('mid', 'last') then
        raise exception 'bad_value: against % is unknown; use mid or last', coalesce(quote_literal(left(against, 40)), 'null')
            using errcode = 'PB117', column = 'against';
    end if;
    if horizons is null or cardinality(horizons) not between 1 and 16 then
        raise exception 'bad_value: % horizons are outside 1 to 16', coalesce(cardinality(horizons), 0)
            using errcode = 'PB117', column = 'horizons';
    end if;
    r := pgbook_data.analytics_range(security, "from", "to");
    foreach step in array horizons loop
        perform pgbook_data.check_horizon(step);
        return query
            with measured as (
                select case when "by" is null then r.starts else pgbook_data.bucket_start(p.time, "by", tz) end as bucket,
                       later2, amount::numeric as amount, amount * price::numeric as notional,
                       amount * sign * (later2 - 2 * price::numeric) as gain
                from pgbook_data.later_prices(r.market, r.starts, r.ends, step, against) p
            ),
            sums as (
                select bucket, count(*) as trades, count(later2) as measured, sum(gain) as gain,
                       sum(amount) filter (where later2 is not null) as amount,
                       sum(notional) filter (where later2 is not null) as notional
                from measured group by bucket
            )
            select bucket, step, trades, measured, pgbook_data.quotient(gain * r.tick, 2 * amount, 12),
                   pgbook_data.quotient(gain * 5000, notional, 6)
            from sums order by bucket;
    end loop;
end
$$;

ALTER FUNCTION pgbook.markout(security text, "from" timestamp with time zone, "to" timestamp with time zone, horizons interval[], against text, by text, tz text) OWNER TO pgbook_owner;

COMMENT ON FUNCTION pgbook.markout(security text, "from" timestamp with time zone, "to" timestamp with time zone, horizons interval[], against text, by text, tz text) IS 'What takers gained in the time after their trades: Σ amount·side·(m − price) / Σ amount in price, to 12 digits, and 10000 · Σ amount·side·(m − price) / Σ amount·price in basis points, to 6; side 1 where the taker bought and −1 where it sold; makers gained the opposite. m, against mid: the mid of the first trade in [t + h, t + 2h); against last: the price of the last trade at t + h or before. measured counts the trades with an m. Source: Conrad, Wahal, The term structure of liquidity provision, Journal of Financial Economics 136 (2020).';

CREATE FUNCTION pgbook.ohlcv(security text, "from" timestamp with time zone DEFAULT NULL::timestamp with time zone, "to" timestamp with time zone DEFAULT NULL::timestamp with time zone, by text DEFAULT NULL::text, tz text DEFAULT 'UTC'::text) RETURNS TABLE("time" timestamp with time zone, open numeric, high numeric, low numeric, close numeric, volume numeric, quote_volume numeric, trades bigint, vwap numeric, taker_buy_volume numeric, taker_buy_quote_volume numeric)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
declare
    r record;
begin
    if "by" is not null then perform pgbook_data.check_bucket("by", tz); end if;
    r := pgbook_data.analytics_range(security, "from", "to");
    return query
        select c.time, trim_scale(c.open * r.tick), trim_scale(c.high * r.tick), trim_scale(c.low * r.tick),
               trim_scale(c.close * r.tick), trim_scale(c.volume * r.lot), trim_scale(c.notional * r.tick * r.lot),
               c.trades, pgbook_data.quotient(c.notional * r.tick, c.volume, 12),
               trim_scale(c.taker_buy_volume * r.lot), trim_scale(c.taker_buy_notional * r.tick * r.lot)
        from pgbook_data.range_candles(r.market, r.starts, r.ends, "by", tz) c;
end
$$;

ALTER FUNCTION pgbook.ohlcv(security text, "from" timestamp with time zone, "to" timestamp with time zone, by text, tz text) OWNER TO pgbook_owner;

COMMENT ON FUNCTION pgbook.ohlcv(security text, "from" timestamp with time zone, "to" timestamp with time zone, by text, tz text) IS 'Open, high, low, close and volume of a range, or of its buckets. Open and close are those of the first and the last trade by number. quote_volume = Σ price·amount. A range without trades has no row.';

CREATE FUNCTION pgbook_data.number_of(word text, words text[], numbers smallint[], field text) RETURNS smallint
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    position constant integer := array_position(words, lower(word));
begin
    if word is not null and position is null then
        raise exception 'bad_value: % % is unknown; use one of: %', field, quote_literal(left(word, 40)),
            array_to_string(words, ', ') using errcode = 'PB117', column = field;
    end if;
    return numbers[position];
end
$$;

ALTER FUNCTION pgbook_data.number_of(word text, words text[], numbers smallint[], field text) OWNER TO pgbook_owner;

CREATE FUNCTION pgbook.place_order(security text, side text, amount numeric, price numeric DEFAULT NULL::numeric, exec_type text DEFAULT NULL::text, time_in_force text DEFAULT 'gtc'::text, post_only boolean DEFAULT false, self_trade_prevention text DEFAULT NULL::text, expires timestamp with time zone DEFAULT NULL::timestamp with time zone, client_order_id text DEFAULT NULL::text, user_id text DEFAULT SESSION_USER, id uuid DEFAULT NULL::uuid) RETURNS uuid
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    BEGIN ATOMIC
 SELECT pgbook_data.enter_one((1)::smallint, id, pgbook_data.acting_user(user_id), COALESCE(security, ''::text), pgbook_data.number_of(side, '{bid,ask,buy,sell}'::text[], '{0,1,0,1}'::smallint[], 'side'::text), COALESCE(pgbook_data.number_of(exec_type, '{market,limit}'::text[], '{0,1}'::smallint[], 'exec_type'::text), (
         CASE
             WHEN (price IS NULL) THEN 0
             ELSE 1
         END)::smallint), pgbook_data.number_of(time_in_force, '{gtc,ioc,fok,gtd}'::text[], '{0,1,2,3}'::smallint[], 'time_in_force'::text), post_only, pgbook_data.number_of(self_trade_prevention, '{dc,co,cn,cb}'::text[], '{1,2,3,4}'::smallint[], 'self_trade_prevention'::text), amount, price, NULL::uuid, NULL::smallint, expires, NULL::text, client_order_id) AS enter_one;
END;

ALTER FUNCTION pgbook.place_order(security text, side text, amount numeric, price numeric, exec_type text, time_in_force text, post_only boolean, self_trade_prevention text, expires timestamp with time zone, client_order_id text, user_id text, id uuid) OWNER TO pgbook_owner;

CREATE FUNCTION pgbook.reduce_order(id uuid, amount numeric, client_order_id text DEFAULT NULL::text, user_id text DEFAULT SESSION_USER) RETURNS uuid
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    BEGIN ATOMIC
 SELECT pgbook_data.enter_one((2)::smallint, NULL::uuid, pgbook_data.acting_user(user_id), NULL::text, NULL::smallint, NULL::smallint, NULL::smallint, NULL::boolean, NULL::smallint, amount, NULL::numeric, id, (2)::smallint, NULL::timestamp with time zone, NULL::text, client_order_id) AS enter_one;
END;

ALTER FUNCTION pgbook.reduce_order(id uuid, amount numeric, client_order_id text, user_id text) OWNER TO pgbook_owner;

CREATE FUNCTION pgbook.resume_market(security text) RETURNS uuid
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    BEGIN ATOMIC
 SELECT pgbook_data.enter_one((6)::smallint, NULL::uuid, (SESSION_USER)::text, COALESCE(security, ''::text), NULL::smallint, NULL::smallint, NULL::smallint, NULL::boolean, NULL::smallint, NULL::numeric, NULL::numeric, NULL::uuid, NULL::smallint, NULL::timestamp with time zone, NULL::text, NULL::text) AS enter_one;
END;

ALTER FUNCTION pgbook.resume_market(security text) OWNER TO pgbook_owner;

CREATE FUNCTION pgbook.sizes(security text, "from" timestamp with time zone DEFAULT NULL::timestamp with time zone, "to" timestamp with time zone DEFAULT NULL::timestamp with time zone) RETURNS TABLE(amount_from numeric, amount_below numeric, trades bigint, volume numeric, cumulative_share numeric, p50 numeric, p90 numeric, p99 numeric)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET plan_cache_mode TO 'force_custom_plan'
    AS $$
#variable_conflict use_column
declare
    r record;
    powers constant bigint[] := array(select 1::bigint << n from generate_series(0, 62) n);
begin
    r := pgbook_data.analytics_range(security, "from", "to");
    return query
        with amounts as materialized (
            select amount, count(*) as trades, sum(amount) as volume from pgbook_data.trades
            where market = r.market and time >= r.starts and time < r.ends and busted_at is null
            group by amount
        ),
        ranked as (
            select amount, trades, volume, sum(trades) over (order by amount) as up_to, sum(trades) over () as total
            from amounts
        ),
        -- The least amount that so many trades do not exceed, as percentile_disc has it.
        percentiles as (
            select min(amount) filter (where up_to * 100 >= total * 50) as p50,
                   min(amount) filter (where up_to * 100 >= total * 90) as p90,
                   min(amount) filter (where up_to * 100 >= total * 99) as p99
            from ranked
        ),
        binned as (
            select width_bucket(amount, powers) as bin, sum(trades) as trades, sum(volume) as volume,
                   max(up_to) as up_to, max(total) as total
            from ranked group by 1
        )
        select trim_scale(powers[b.bin] * r.lot), trim_scale(powers[b.bin]::numeric * 2 * r.lot), b.trades::bigint,
               trim_scale(b.volume * r.lot), pgbook_data.quotient(b.up_to, b.total, 6), trim_scale(p.p50 * r.lot),
               trim_scale(p.p90 * r.lot), trim_scale(p.p99 * r.lot)
        from binned b, percentiles p order by b.bin;
end
$$;

ALTER FUNCTION pgbook.sizes(security text, "from" timestamp with time zone, "to" timestamp with time zone) OWNER TO pgbook_owner;

COMMENT ON FUNCTION pgbook.sizes(security text, "from" timestamp with time zone, "to" timestamp with time zone) IS 'Histogram of the amounts of trades: bins of 2^k to below 2^(k+1) lots; bins without trades are left out. cumulative_share is the share of trades up to this bin, to 6 digits. p50, p90 and p99 are of the whole range, the same in each row: amounts that occur, as percentile_disc gives them.';

CREATE FUNCTION pgbook.slippage(security text, "from" timestamp with time zone DEFAULT NULL::timestamp with time zone, "to" timestamp with time zone DEFAULT NULL::timestamp with time zone) RETURNS TABLE("time" timestamp with time zone, order_id uuid, user_id text, side text, amount numeric, trades bigint, avg_price numeric, mid numeric, touch numeric, mid_bps numeric, touch_bps numeric)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET plan_cache_mode TO 'force_custom_plan'
    AS $$
#variable_conflict use_column
declare
    r record;
begin
    r := pgbook_data.analytics_range(security, "from", "to");
    return query
        with orders as (
            -- An imported trade has no number of its taker's execution: it stands for itself.
            select time, taker_order, taker_user, taker_side, min(trade_id) as first_trade, count(*) as trades,
                   sum(amount) as amount, sum(price * amount::numeric) as notional,
                   (min(array[trade_id, best_bid]))[2]::numeric as bid, (min(array[trade_id, best_ask]))[2]::numeric as ask
            from pgbook_data.trades
            where market = r.market and time >= r.starts and time < r.ends and busted_at is null
            group by coalesce(seq, -trade_id), time, taker_order, taker_user, taker_side
        ),
        arrivals as (
            select o.*, case taker_side when 0 then 1 else -1 end as sign, bid + ask as mid2,
                   case taker_side when 0 then ask else bid end as touch
            from orders o
        )
        select time, taker_order, taker_user, case taker_side when 0 then 'bid' else 'ask' end,
               trim_scale(amount * r.lot), trades, pgbook_data.quotient(notional * r.tick, amount, 12),
               trim_scale(mid2 * 0.5 * r.tick), trim_scale(touch * r.tick),
               pgbook_data.quotient(10000 * sign * (2 * notional - mid2 * amount), mid2 * amount, 6),
               pgbook_data.quotient(10000 * sign * (notional - touch * amount), touch * amount, 6)
        from arrivals order by first_trade;
end
$$;

ALTER FUNCTION pgbook.slippage(security text, "from" timestamp with time zone, "to" timestamp with time zone) OWNER TO pgbook_owner;

COMMENT ON FUNCTION pgbook.slippage(security text, "from" timestamp with time zone, "to" timestamp with time zone) IS 'Per execution of a taker order: what it paid over the market at its arrival, in basis points to 6 digits; above zero is a cost. 10000 · side · (avg_price − reference) / reference, side 1 for a bid and −1 for an ask, against the mid and against the touch (the best price of the other side), both just before its first match that counts; null where a side was empty or is not known. Source: A. Perold, The implementation shortfall, Journal of Portfolio Management 14 (1988).';

CREATE FUNCTION pgbook.spread(security text, "from" timestamp with time zone DEFAULT NULL::timestamp with time zone, "to" timestamp with time zone DEFAULT NULL::timestamp with time zone, horizon interval DEFAULT '00:00:05'::interval, by text DEFAULT NULL::text, tz text DEFAULT 'UTC'::text) RETURNS TABLE("time" timestamp with time zone, trades bigint, quoted numeric, quoted_bps numeric, effective numeric, effective_bps numeric, realised_trades bigint, realised numeric, realised_bps numeric)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
declare
    r record;
begin
    if "by" is not null then perform pgbook_data.check_bucket("by", tz); end if;
    perform pgbook_data.check_horizon(horizon);
    r := pgbook_data.analytics_range(security, "from", "to");
    return query
        with measured as (
            select case when "by" is null then r.starts else pgbook_data.bucket_start(p.time, "by", tz) end as bucket,
                   amount::numeric as amount, amount * spread as quoted, amount * sign * (2 * price::numeric - mid2) as effective,
                   amount * mid2 as mids, amount * sign * (2 * price::numeric - later2) as realised, later2
            from pgbook_data.later_prices(r.market, r.starts, r.ends, horizon, 'mid') p
            where mid2 is not null
        ),
        sums as (
            select bucket, count(*) as n, sum(amount) as amount, sum(quoted) as quoted, sum(effective) as effective,
                   sum(mids) as mids, count(later2) as later, sum(realised) as realised,
                   sum(amount) filter (where later2 is not null) as later_amount,
                   sum(mids) filter (where later2 is not null) as later_mids
            from measured group by bucket
        )
        select bucket, n, pgbook_data.quotient(quoted * r.tick, amount, 12),
               pgbook_data.quotient(quoted * 20000, mids, 6), pgbook_data.quotient(effective * r.tick, amount, 12),
               pgbook_data.quotient(effective * 20000, mids, 6), later,
               pgbook_data.quotient(realised * r.tick, later_amount, 12),
               pgbook_data.quotient(realised * 20000, later_mids, 6)
        from sums order by bucket;
end
$$;

ALTER FUNCTION pgbook.spread(security text, "from" timestamp with time zone, "to" timestamp with time zone, horizon interval, by text, tz text) OWNER TO pgbook_owner;

COMMENT ON FUNCTION pgbook.spread(security text, "from" timestamp with time zone, "to" timestamp with time zone, horizon interval, by text, tz text) IS 'Spreads that traded amounts met, each weighted by amount, in price to 12 digits and in basis points of the mid to 6: Σ amount·spread / Σ amount, and 10000 · Σ amount·spread / Σ amount·mid. quoted = ask − bid just before the match; effective = 2·side·(price − mid); realised = 2·side·(price − mid at + horizon), side 1 where the taker bought and −1 where it sold. The mid at t + h is that of the first trade in [t + h, t + 2h): no trade came between; without one the trade is left out of realised. Trades with an empty side are left out. Source: Huang, Stoll, Dealer versus auction markets, Journal of Financial Economics 41 (1996); weights as in SEC Rule 605.';

CREATE FUNCTION pgbook.top(security text, "from" timestamp with time zone DEFAULT NULL::timestamp with time zone, "to" timestamp with time zone DEFAULT NULL::timestamp with time zone, n integer DEFAULT 20) RETURNS TABLE(user_id text, volume numeric, quote_volume numeric, trades bigint, maker_volume numeric, taker_volume numeric, maker_share numeric, market_share numeric)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET plan_cache_mode TO 'force_custom_plan'
    AS $$
#variable_conflict use_column
declare
    r record;
begin
    if n is null or n not between 1 and 10000 then
        raise exception 'bad_value: n % is outside 1 to 10000', coalesce(n::text, 'null')
            using errcode = 'PB117', column = 'n';
    end if;
    r := pgbook_data.analytics_range(security, "from", "to");
    return query
        with pairs as materialized (
            select maker_user, taker_user, count(*) as trades, sum(amount) as volume,
                   sum(price * amount::numeric) as notional
            from pgbook_data.trades
            where market = r.market and time >= r.starts and time < r.ends and busted_at is null
            group by maker_user, taker_user
        ),
        parts as (
            select maker_user as user_id, trades, notional, volume as made, 0 as taken from pairs
            union all
            select taker_user, trades, notional, 0, volume from pairs
        ),
        users as (
            select user_id, sum(trades)::bigint as trades, sum(notional) as notional, sum(made) as made,
                   sum(taken) as taken
            from parts group by user_id
        )
        select user_id, trim_scale((made + taken) * r.lot), trim_scale(notional * r.tick * r.lot), trades,
               trim_scale(made * r.lot), trim_scale(taken * r.lot), pgbook_data.quotient(made, made + taken, 6),
               pgbook_data.quotient(made + taken, 2 * (select sum(volume) from pairs), 6)
        from users
        where user_id is not null
        order by made + taken desc, user_id collate "C"
        limit n;
end
$$;

ALTER FUNCTION pgbook.top(security text, "from" timestamp with time zone, "to" timestamp with time zone, n integer) OWNER TO pgbook_owner;

COMMENT ON FUNCTION pgbook.top(security text, "from" timestamp with time zone, "to" timestamp with time zone, n integer) IS 'The n users with the largest volume, made and taken; a trade with oneself counts on both sides. maker_share = maker_volume / volume; market_share = volume / (2 · volume of the market), as each trade has two sides. Shares to 6 digits. Imported trades have no users and count in the market alone.';

CREATE FUNCTION pgbook.twap(security text, "from" timestamp with time zone DEFAULT NULL::timestamp with time zone, "to" timestamp with time zone DEFAULT NULL::timestamp with time zone, by text DEFAULT NULL::text, tz text DEFAULT 'UTC'::text) RETURNS TABLE("time" timestamp with time zone, twap numeric, held_seconds numeric)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET plan_cache_mode TO 'force_custom_plan'
    AS $$
#variable_conflict use_column
declare
    r record;
    -- Nobody knows how long the last price will hold.
    known_to timestamptz;
    first_minute timestamptz;
    held bigint;
begin
    if "by" is not null then perform pgbook_data.check_bucket("by", tz); end if;
    r := pgbook_data.analytics_range(security, "from", "to");
    known_to := least(r.ends, now());
    if known_to <= r.starts then return; end if;
    first_minute := date_trunc('minute', r.starts, 'UTC');
    held := coalesce(
        (select t.price from pgbook_data.trades t
         where t.market = r.market and t.time >= first_minute and t.time < r.starts and t.busted_at is null
         order by t.time desc, t.trade_id desc limit 1),
        (select c.close from pgbook_data.candles_1m c where c.market = r.market and c.time < first_minute
         order by c.time desc limit 1));
    return query
        with events as (
            -- Where the price changes or a bucket begins: a bucket's own trades come after its beginning.
            select r.starts as at, 0 as kind, 0::bigint as id, held as price
            union all
            select s.time, 1, 0, null
            from pgbook_data.bucket_starts(pgbook_data.bucket_start(r.starts, "by", tz), known_to, "by", tz) s
            where "by" is not null and s.time > r.starts
            union all
            select t.time, 2, t.trade_id, t.price from pgbook_data.trades t
            where t.market = r.market and t.time >= r.starts and t.time < known_to and t.busted_at is null
        ),
        spans as (
            select at, lead(at, 1, known_to) over w as until, price, count(price) over w as run
            from events window w as (order by at, kind, id)
        ),
        held as (select at, until, max(price) over (partition by run) as price from spans),
        weighed as (
            select case when "by" is null then r.starts else pgbook_data.bucket_start(at, "by", tz) end as bucket,
                   price, pgbook_data.microseconds(at, until) as weight
            from held where until > at and price is not null
        )
        select bucket, pgbook_data.quotient(sum(price * weight) * r.tick, sum(weight), 12),
               trim_scale(sum(weight) * 0.000001)
        from weighed group by bucket order by bucket;
end
$$;

ALTER FUNCTION pgbook.twap(security text, "from" timestamp with time zone, "to" timestamp with time zone, by text, tz text) OWNER TO pgbook_owner;

COMMENT ON FUNCTION pgbook.twap(security text, "from" timestamp with time zone, "to" timestamp with time zone, by text, tz text) IS 'Time-weighted average price: Σ price·held / Σ held, to 12 digits; the last price counts for the time it held inside the range, clipped to it (and to now). A trade before the range gives the price at its beginning; before the first trade of all there is none. held_seconds is Σ held. Of trades at one microsecond the last by number holds.';

CREATE TABLE pgbook_data.imports (
    import bigint NOT NULL,
    market smallint NOT NULL,
    source text NOT NULL,
    trades bigint NOT NULL,
    first_trade_id bigint NOT NULL,
    last_trade_id bigint NOT NULL,
    first_time timestamp with time zone NOT NULL,
    last_time timestamp with time zone NOT NULL,
    trade_id_before bigint NOT NULL,
    last_price_before bigint,
    clock_before timestamp with time zone NOT NULL,
    imported_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    imported_by text DEFAULT SESSION_USER NOT NULL,
    undone_at timestamp with time zone
);

ALTER TABLE pgbook_data.imports OWNER TO pgbook_owner;

CREATE VIEW pgbook.imports AS
 SELECT i.import,
    m.symbol AS security,
    i.source,
    i.trades,
    i.first_trade_id,
    i.last_trade_id,
    i.first_time,
    i.last_time,
    i.imported_at,
    i.imported_by,
    i.undone_at
   FROM (pgbook_data.imports i
     JOIN pgbook_data.markets m USING (market));

ALTER VIEW pgbook.imports OWNER TO pgbook_owner;

CREATE FUNCTION pgbook.undo_import(security text) RETURNS SETOF pgbook.imports
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
declare
    number smallint;
    latest pgbook_data.imports;
    shared_minute timestamptz;
begin
    select m.market into number from pgbook_data.markets m where m.symbol = security;
    if number is null then
        raise exception 'unknown_market: there is no market %', coalesce(quote_literal(left(security, 50)), 'null')
            using errcode = 'PB101', column = 'security';
    end if;
    perform from pgbook_data.market_state s where s.market = number for update;
    insert into pgbook_data.candle_levels (market) values (number) on conflict do nothing;
    perform from pgbook_data.candle_levels l where l.market = number for update;
    -- Trades are not dropped while candles are computed from them.
    perform from pgbook_data.trade_horizon h for share;
    select * into latest from pgbook_data.imports i where i.market = number and i.undone_at is null
    order by i.import desc limit 1;
    if latest.import is null then
        raise exception 'bad_value: market % has no import that could be taken back; pgbook.imports lists them', security
            using errcode = 'PB117', column = 'security';
    end if;
    -- A minute may have trades of the import before.
    select c.time into shared_minute from pgbook_data.candles_1m c
    where c.market = number and c.first_trade_id < latest.first_trade_id and c.last_trade_id >= latest.first_trade_id
      and c.time = date_bin('1 minute', latest.first_time, timestamptz '2000-01-03 00:00:00+00');
    if shared_minute < (select h.dropped_before from pgbook_data.trade_horizon h) then
        raise exception 'bad_value: the import cannot be taken back: its first minute, %, has trades of an earlier one, and those were dropped',
            to_char(shared_minute at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
            using errcode = 'PB117', column = 'security';
    end if;
    -- Planned with the range in it: only its chunks are looked at.
    execute 'delete from pgbook_data.trades
             where market = $1 and time >= $2 and time <= $3 and trade_id >= $4 and trade_id <= $5'
        using number, latest.first_time, latest.last_time, latest.first_trade_id, latest.last_trade_id;
    delete from pgbook_data.busts b
    where b.market = number and b.trade_id >= latest.first_trade_id and b.trade_id <= latest.last_trade_id;
    -- What was closed beyond the clock that the market goes back to was closed by this import.
    if isfinite(latest.clock_before) then
        perform pgbook_data.reopen_candles(number, latest.clock_before);
    else
        delete from pgbook_data.candles_1h h where h.market = number;
        delete from pgbook_data.candles_1d d where d.market = number;
        update pgbook_data.candle_levels l set closed_1h = '-infinity', closed_1d = '-infinity' where l.market = number;
    end if;
    delete from pgbook_data.candles_1m c
    where c.market = number and c.time >= date_bin('1 minute', latest.first_time, timestamptz '2000-01-03 00:00:00+00')
      and c.first_trade_id >= latest.first_trade_id;
    if shared_minute is not null then
        perform pgbook_data.recompute_candles(number, shared_minute, shared_minute + interval '1 minute');
    end if;
    update pgbook_data.market_state s
    set trade_id = latest.trade_id_before, last_price = latest.last_price_before, clock = latest.clock_before
    where s.market = number;
    perform pgbook_data.close_candles(number);
    update pgbook_data.imports i set undone_at = clock_timestamp() where i.import = latest.import;
    return query select * from pgbook.imports i where i.import = latest.import;
end
$_$;

ALTER FUNCTION pgbook.undo_import(security text) OWNER TO pgbook_owner;

CREATE FUNCTION pgbook.volatility(security text, "from" timestamp with time zone DEFAULT NULL::timestamp with time zone, "to" timestamp with time zone DEFAULT NULL::timestamp with time zone, "interval" text DEFAULT '5m'::text, by text DEFAULT NULL::text, annualise boolean DEFAULT false, tz text DEFAULT 'UTC'::text) RETURNS TABLE("time" timestamp with time zone, intervals bigint, close_to_close numeric, parkinson numeric)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
declare
    r record;
    known_to timestamptz;
    -- Divisions and logarithms keep as many digits as what they are given.
    one constant numeric := 1.000000000000000000000000;
    scale numeric := 1;
begin
    perform pgbook_data.check_bucket("interval");
    if "by" is not null then perform pgbook_data.check_bucket("by", tz); end if;
    r := pgbook_data.analytics_range(security, "from", "to");
    known_to := least(r.ends, now());
    if annualise then
        scale := sqrt(one * case "interval" when '1M' then 12 else 365 * 86400 / extract(epoch from "interval"::interval) end);
    end if;
    return query
        with candles as (
            select case when "by" is null then r.starts else pgbook_data.bucket_start(c.time, "by", tz) end as bucket, c.*
            from pgbook_data.range_candles(r.market, r.starts, r.ends, "interval", 'UTC') c
        ),
        steps as (
            select bucket, time,
                   ln(one * close / lag(close) over (partition by bucket order by time)) as step,
                   ln(one * high / low) as span
            from candles
        ),
        sums as (
            select bucket, min(time) as first_time, count(*) as traded, coalesce(sum(step), 0) as steps,
                   coalesce(sum(step * step), 0) as squares, sum(span * span) as spans
            from steps group by bucket
        ),
        -- Without a trade the price did not change: those intervals count, with a return of 0.
        counted as (
            select s.*, greatest(traded, (
                       select count(*) from pgbook_data.bucket_starts(s.first_time, case when "by" is null then known_to
                           else least(known_to, pgbook_data.bucket_end(s.bucket, "by", tz)) end, "interval", 'UTC'))) as n
            from sums s
        )
        select bucket, n,
               case when n > 2 then trim_scale(round(
                   scale * sqrt(greatest(0, squares - steps * steps / (n - 1)) / (n - 2)), 12)) end,
               trim_scale(round(scale * sqrt(spans / (4 * ln(one * 2) * n)), 12))
        from counted order by bucket;
end
$$;

ALTER FUNCTION pgbook.volatility(security text, "from" timestamp with time zone, "to" timestamp with time zone, "interval" text, by text, annualise boolean, tz text) OWNER TO pgbook_owner;

COMMENT ON FUNCTION pgbook.volatility(security text, "from" timestamp with time zone, "to" timestamp with time zone, "interval" text, by text, annualise boolean, tz text) IS 'Standard deviation of returns per interval, from candles of the interval (`"interval"`), as a fraction to 12 digits. close_to_close: the sample deviation of r = ln(close / close before), √(Σ(r − mean)² / (n − 1)) of n = intervals − 1 returns. parkinson: √(Σ ln(high / low)² / (4 ln 2 · intervals)). intervals counts from the first with a trade to the end of the range or bucket; one without a trade has return and span 0. annualise multiplies by √(intervals in 365 days). Source: M. Parkinson, The Extreme Value Method for Estimating the Variance of the Rate of Return, Journal of Business 53 (1980).';

CREATE FUNCTION pgbook.volume_profile(security text, "from" timestamp with time zone DEFAULT NULL::timestamp with time zone, "to" timestamp with time zone DEFAULT NULL::timestamp with time zone, bins integer DEFAULT 24) RETURNS TABLE(price_from numeric, price_to numeric, trades bigint, volume numeric, taker_buy_volume numeric, share numeric, point_of_control boolean, value_area boolean)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET plan_cache_mode TO 'force_custom_plan'
    AS $$
#variable_conflict use_column
declare
    r record;
    lowest bigint;
    width bigint;
    counts bigint[];
    volumes numeric[];
    buys numeric[];
    total numeric;
    inside numeric;
    center integer;
    bottom integer;
    top integer;
begin
    if bins is null or bins not between 1 and 1000 then
        raise exception 'bad_value: bins % is outside 1 to 1000', coalesce(bins::text, 'null')
            using errcode = 'PB117', column = 'bins';
    end if;
    r := pgbook_data.analytics_range(security, "from", "to");
    with levels as materialized (
        select price, count(*) as trades, sum(amount) as volume,
               coalesce(sum(amount) filter (where taker_side = 0), 0) as buys
        from pgbook_data.trades
        where market = r.market and time >= r.starts and time < r.ends and busted_at is null
        group by price
    ),
    span as (
        select min(price) as lowest, max(price) as highest, (max(price) - min(price)) / volume_profile.bins + 1 as width
        from levels
    ),
    binned as (
        select (price - lowest) / width as bin, sum(trades) as trades, sum(volume) as volume, sum(buys) as buys
        from levels, span group by 1
    )
    select s.lowest, s.width, array_agg(coalesce(b.trades, 0) order by n), array_agg(coalesce(b.volume, 0) order by n),
           array_agg(coalesce(b.buys, 0) order by n), sum(b.volume)
    into lowest, width, counts, volumes, buys, total
    from span s cross join generate_series(0, (s.highest - s.lowest) / s.width) n left join binned b on b.bin = n
    group by s.lowest, s.width;
    if lowest is null then return; end if;

    -- Of equal ones the nearest to the middle, then the lower.
    select n into center from generate_subscripts(volumes, 1) n
    order by volumes[n] desc, abs(2 * n - 1 - cardinality(volumes)), n limit 1;
    bottom := center;
    top := center;
    inside := volumes[center];
    while inside * 10 < total * 7 loop
        if bottom = 1 or (top < cardinality(volumes) and volumes[top + 1] >= volumes[bottom - 1]) then
            top := top + 1;
            inside := inside + volumes[top];
        else
            bottom := bottom - 1;
            inside := inside + volumes[bottom];
        end if;
    end loop;
    return query
        select trim_scale((lowest + (n - 1)::numeric * width) * r.tick),
               trim_scale((lowest + n::numeric * width - 1) * r.tick), counts[n],
               trim_scale(volumes[n] * r.lot), trim_scale(buys[n] * r.lot), pgbook_data.quotient(volumes[n], total, 6),
               n = center, n between bottom and top
        from generate_subscripts(volumes, 1) n order by n;
end
$$;

ALTER FUNCTION pgbook.volume_profile(security text, "from" timestamp with time zone, "to" timestamp with time zone, bins integer) OWNER TO pgbook_owner;

COMMENT ON FUNCTION pgbook.volume_profile(security text, "from" timestamp with time zone, "to" timestamp with time zone, bins integer) IS 'Volume by price, in at most `bins` bins of equally many ticks from the lowest price of the range up; price_from and price_to both belong to the bin. share is to 6 digits. Point of control: the bin with the most volume; of equal ones the nearest to the middle, then the lower. Value area: from there the larger neighbour is added (the upper of equal ones) until at least 70 % of the volume is inside. Source: J. Peter Steidlmayer, Market Profile, Chicago Board of Trade (1984).';

CREATE FUNCTION pgbook.vwap(security text, "from" timestamp with time zone DEFAULT NULL::timestamp with time zone, "to" timestamp with time zone DEFAULT NULL::timestamp with time zone, by text DEFAULT NULL::text, tz text DEFAULT 'UTC'::text) RETURNS TABLE("time" timestamp with time zone, vwap numeric, volume numeric, quote_volume numeric, trades bigint)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
declare
    r record;
begin
    if "by" is not null then perform pgbook_data.check_bucket("by", tz); end if;
    r := pgbook_data.analytics_range(security, "from", "to");
    return query
        select c.time, pgbook_data.quotient(c.notional * r.tick, c.volume, 12), trim_scale(c.volume * r.lot),
               trim_scale(c.notional * r.tick * r.lot), c.trades
        from pgbook_data.range_candles(r.market, r.starts, r.ends, "by", tz) c;
end
$$;

ALTER FUNCTION pgbook.vwap(security text, "from" timestamp with time zone, "to" timestamp with time zone, by text, tz text) OWNER TO pgbook_owner;

COMMENT ON FUNCTION pgbook.vwap(security text, "from" timestamp with time zone, "to" timestamp with time zone, by text, tz text) IS 'Volume-weighted average price: Σ price·amount / Σ amount, from exact sums, to 12 digits. Source: Berkowitz, Logue, Noser, The Total Cost of Transactions on the NYSE, Journal of Finance 43 (1988).';

CREATE FUNCTION pgbook_data.add_market_from_peer(symbol text, tick_size numeric, lot_size numeric, max_amount bigint, max_notional numeric, min_price bigint, max_price bigint) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pgbook_data', 'pg_temp'
    AS $$
declare
    known markets;
    added smallint;
begin
    insert into markets (symbol, tick_size, lot_size, max_amount, max_notional, min_price, max_price)
    values (symbol, tick_size, lot_size, max_amount, max_notional, min_price, max_price)
    on conflict do nothing
    returning market into added;
    if added is not null then
        insert into market_state (market) values (added);
        return;
    end if;
    select * into known from markets m where m.symbol = add_market_from_peer.symbol;
    if known.is_imported then
        raise exception 'market % holds an imported history here; a cluster cannot share it', symbol
            using errcode = 'PB902';
    end if;
    if (known.tick_size, known.lot_size, known.max_amount, known.max_notional, known.min_price, known.max_price)
       is distinct from (tick_size, lot_size, max_amount, max_notional, min_price, max_price) then
        raise exception 'market % is another here: %', symbol, (
            select string_agg(format('%s is %s here and %s there', d.what, coalesce(trim_scale(d.here)::text, 'none'),
                                     coalesce(trim_scale(d.there)::text, 'none')), ', ')
            from (values ('the tick size', known.tick_size, tick_size), ('the lot size', known.lot_size, lot_size),
                         ('the largest amount in lots', known.max_amount::numeric, max_amount::numeric),
                         ('the largest value in ticks and lots', known.max_notional, max_notional),
                         ('the lowest price in ticks', known.min_price::numeric, min_price::numeric),
                         ('the highest price in ticks', known.max_price::numeric, max_price::numeric))
                 d(what, here, there)
            where d.here is distinct from d.there
        ) using errcode = 'PB902';
    end if;
end
$$;

ALTER FUNCTION pgbook_data.add_market_from_peer(symbol text, tick_size numeric, lot_size numeric, max_amount bigint, max_notional numeric, min_price bigint, max_price bigint) OWNER TO pgbook_owner;

CREATE FUNCTION pgbook_data.add_members(names text[]) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pgbook_data', 'pg_temp'
    AS $$
begin
    lock table members in share row exclusive mode;
    insert into members (member, name)
    select (select max(m.member) from members m) + row_number() over (order by n.name collate "C"), n.name
    from unnest(names) n(name)
    where not exists (select from members m where m.name = n.name);
end
$$;

ALTER FUNCTION pgbook_data.add_members(names text[]) OWNER TO pgbook_owner;

CREATE TABLE pgbook_data.commands (
    id uuid NOT NULL,
    "time" timestamp with time zone NOT NULL,
    accepted_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    target uuid,
    amount bigint,
    price bigint,
    expires timestamp with time zone,
    market smallint NOT NULL,
    kind smallint NOT NULL,
    side smallint,
    exec_type smallint,
    tif smallint,
    stp smallint,
    change smallint,
    post_only boolean,
    user_id text NOT NULL,
    owner text,
    client_order_id text,
    origin text NOT NULL,
    seq bigint,
    filled bigint,
    remaining bigint,
    dropped bigint,
    digest_head bigint,
    code smallint,
    notional numeric,
    log_key bigint,
    is_remote boolean,
    is_unconfirmed boolean
);

ALTER TABLE pgbook_data.commands OWNER TO pgbook_owner;

CREATE TABLE pgbook_data.inbox (
    "time" timestamp with time zone NOT NULL,
    id uuid NOT NULL,
    market smallint NOT NULL
)
WITH (autovacuum_vacuum_scale_factor='0', autovacuum_vacuum_threshold='20000', autovacuum_vacuum_cost_delay='0');

ALTER TABLE pgbook_data.inbox OWNER TO pgbook_owner;

CREATE TABLE pgbook_data.outbox (
    entered bigint NOT NULL,
    xact xid8 DEFAULT pg_current_xact_id() NOT NULL,
    id uuid NOT NULL
)
WITH (autovacuum_vacuum_scale_factor='0', autovacuum_vacuum_threshold='20000', autovacuum_vacuum_cost_delay='0');

ALTER TABLE pgbook_data.outbox OWNER TO pgbook_owner;

CREATE FUNCTION pgbook_data.adopt_waiting() RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pgbook_data', 'pg_temp'
    BEGIN ATOMIC
 WITH waiting AS (
          DELETE FROM pgbook_data.inbox AS i
            USING pgbook_data.commands c
           WHERE ((c.id = i.id) AND (c.log_key IS NULL))
           RETURNING i."time",
             i.id
         )
  INSERT INTO pgbook_data.outbox (id)  SELECT waiting.id
            FROM waiting
           ORDER BY waiting."time", waiting.id;
END;

ALTER FUNCTION pgbook_data.adopt_waiting() OWNER TO pgbook_owner;

CREATE FUNCTION pgbook_data.amount_max() RETURNS bigint
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN '1000000000000000000'::bigint;

ALTER FUNCTION pgbook_data.amount_max() OWNER TO pgbook_owner;

CREATE FUNCTION pgbook_data.analytics_range(security text, range_from timestamp with time zone, range_to timestamp with time zone, OUT market smallint, OUT tick numeric, OUT lot numeric, OUT starts timestamp with time zone, OUT ends timestamp with time zone) RETURNS record
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET plan_cache_mode TO 'force_custom_plan'
    AS $$
#variable_conflict use_column
declare
    is_open constant boolean := range_to is null or range_to = 'infinity';
    minute_starts timestamptz;
    minute_ends timestamptz;
begin
    select m.market, m.tick_size, m.lot_size into market, tick, lot from pgbook_data.markets m where m.symbol = security;
    if not found then
        raise exception 'unknown_market: there is no market %; pgbook.markets lists them',
            coalesce(quote_literal(left(security, 40)), 'without a name') using errcode = 'PB101', column = 'security';
    end if;
    ends := range_to;
    if is_open then
        minute_starts := (select max(c.time) from pgbook_data.candles_1m c where c.market = analytics_range.market);
        minute_ends := minute_starts + interval '1 minute';
        ends := coalesce(
            (select max(t.time) + interval '1 microsecond' from pgbook_data.trades t
             where t.market = analytics_range.market and t.time >= minute_starts and t.time < minute_ends
               and t.busted_at is null),
            minute_ends, now());
    end if;
    starts := coalesce(range_from, ends - interval '24 hours');
    if starts = '-infinity' then
        starts := coalesce(
            (select min(c.time) from pgbook_data.candles_1m c where c.market = analytics_range.market),
            ends - interval '24 hours');
    end if;
    -- After the last trade there is nothing, which is no mistake.
    if is_open then ends := greatest(ends, starts + interval '1 microsecond'); end if;
    if not starts < ends then
        raise exception 'bad_value: from % is not before to %; give an earlier from or a later to',
            starts at time zone 'UTC', ends at time zone 'UTC' using errcode = 'PB117', column = 'from';
    end if;
end
$$;

ALTER FUNCTION pgbook_data.analytics_range(security text, range_from timestamp with time zone, range_to timestamp with time zone, OUT market smallint, OUT tick numeric, OUT lot numeric, OUT starts timestamp with time zone, OUT ends timestamp with time zone) OWNER TO pgbook_owner;

CREATE FUNCTION pgbook_data.be_durable() RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
    if current_setting('synchronous_commit') not in ('on', 'remote_apply') then
        perform set_config('synchronous_commit', 'on', true);
    end if;
end
$$;

ALTER FUNCTION pgbook_data.be_durable() OWNER TO pgbook_owner;

CREATE FUNCTION pgbook_data.begin_takeover(head jsonb) RETURNS TABLE(theirs smallint, ours smallint)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pgbook_data', 'pg_temp'
    SET jit TO 'off'
    AS $$
#variable_conflict use_column
declare
    own constant members := (select n from members n where n.is_self);
    own_there constant jsonb := (select n from jsonb_array_elements(head -> 'members') n where n ->> 'name' = own.name);
    wanted record;
begin
    if own_there is null or head ->> 'cluster' is distinct from (select c.cluster_id from cluster c)
       or (select array_agg(n ->> 'name' order by n ->> 'name' collate "C") from jsonb_array_elements(head -> 'members') n)
          is distinct from (select array_agg(n.name order by n.name collate "C") from members n) then
        raise exception 'the state of % is of another cluster, or of one with other members', head ->> 'node'
            using errcode = 'PB902';
    end if;
    for wanted in select * from jsonb_to_recordset(head -> 'markets') m(
        symbol text, tick_size numeric, lot_size numeric, max_amount bigint, max_notional numeric, min_price bigint,
        max_price bigint) loop
        perform add_market_from_peer(wanted.symbol, wanted.tick_size, wanted.lot_size, wanted.max_amount,
                                     wanted.max_notional, wanted.min_price, wanted.max_price);
    end loop;
    -- Nothing is executed here from now on, and no hour is closed.
    perform from market_state s order by s.market for update;
    lock table candle_levels in exclusive mode;

    -- What users may have been told.
    create temporary table pg_temp.takeover_before on commit drop as
        select e.id, e.market, e.code, e.filled, e.remaining from executions e
        union all
        select c.id, c.market, c.code, c.filled, c.remaining from commands c where c.seq is null and c.code is not null;
    -- This node's own log, beyond what the peer has of it without a gap.
    create temporary table pg_temp.takeover_kept on commit drop as
        select c.* from commands c
        where c.log_key > log_key(own.member, (own_there ->> 'stored_through')::bigint)
          and c.log_key < log_key((own.member + 1)::smallint, 0)
        union all
        select d.* from displaced d
        where d.log_key > log_key(own.member, (own_there ->> 'stored_through')::bigint)
          and d.log_key < log_key((own.member + 1)::smallint, 0);
    update pg_temp.takeover_kept k
    set log_key = log_key((own_there ->> 'member')::smallint, k.log_key & ((1::bigint << 48) - 1)), is_remote = true;
    -- What has no stamp yet makes way for those with its id, until they are all here.
    insert into displaced select c.* from commands c join outbox o on o.id = c.id
    where c.log_key is null and c.is_remote is null and c.seq is null;

    delete from commands c
    where c.log_key is not null or c.seq is not null or not exists (select from outbox o where o.id = c.id)
       or exists (select from displaced d where d.id = c.id and d.log_key is null);
    delete from displaced d where d.log_key is not null;
    delete from inbox;
    delete from outcomes;
    delete from book;
    delete from closed;
    delete from trades;
    delete from candles_1m;
    delete from candles_1h;
    delete from candles_1d;
    delete from candle_levels;
    delete from busts;
    delete from set_aside where id is not null;

    update proposals p set member = (t.n ->> 'member')::smallint
    from members o join jsonb_array_elements(head -> 'members') t(n) on t.n ->> 'name' = o.name
    where p.member = o.member and o.member <> (t.n ->> 'member')::smallint;
    delete from members;
    insert into members (member, name, is_self)
    select (t.n ->> 'member')::smallint, t.n ->> 'name', t.n ->> 'name' = own.name
    from jsonb_array_elements(head -> 'members') t(n);

    update market_state s
    set seq = coalesce(t.seq, 0), trade_id = coalesce(t.trade_id, 0), last_price = t.last_price,
        clock = coalesce(t.clock, '-infinity'), closed_through = coalesce(t.closed_through, '-infinity'),
        is_halted = coalesce(t.is_halted, false), digest = decode(coalesce(t.digest, repeat('00', 32)), 'hex')
    from markets m
    left join jsonb_to_recordset(head -> 'markets') t(
        symbol text, seq bigint, trade_id bigint, last_price bigint, clock timestamptz, closed_through timestamptz,
        is_halted boolean, digest text) on t.symbol = m.symbol
    where m.market = s.market;
    insert into candle_levels (market, closed_1h, closed_1d)
    select m.market, t.closed_1h, t.closed_1d
    from jsonb_to_recordset(head -> 'markets') t(symbol text, closed_1h timestamptz, closed_1d timestamptz)
    join markets m on m.symbol = t.symbol
    where t.closed_1h is not null;
    update trade_horizon h set dropped_before = (head ->> 'dropped_before')::timestamptz;
    update cluster c
    set closed_through = (head ->> 'closed_through')::timestamptz, chain = decode(head ->> 'chain', 'hex'),
        agreed = (head ->> 'agreed')::timestamptz, heard_at = clock_timestamp();

    return query
        select t.market, m.market
        from jsonb_to_recordset(head -> 'markets') t(market smallint, symbol text)
        join markets m on m.symbol = t.symbol;
end
$$;

ALTER FUNCTION pgbook_data.begin_takeover(head jsonb) OWNER TO pgbook_owner;

CREATE FUNCTION pgbook_data.local_start("time" timestamp with time zone, unit text, tz text) RETURNS timestamp with time zone
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    select case when ((s - interval '1 hour') at time zone tz)::date = (s at time zone tz)::date
                then s - interval '1 hour' else s end
    from date_trunc(unit, "time", tz) s
$$;

ALTER FUNCTION pgbook_data.local_start("time" timestamp with time zone, unit text, tz text) OWNER TO pgbook_owner;

CREATE FUNCTION pgbook_data.bucket_end(start timestamp with time zone, bucket text, tz text DEFAULT 'UTC'::text) RETURNS timestamp with time zone
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN CASE WHEN (bucket = '1M'::text) THEN pgbook_data.local_start((start + '768:00:00'::interval), 'month'::text, tz) WHEN (tz = 'UTC'::text) THEN (start + ((EXTRACT(epoch FROM (bucket)::interval))::double precision * '00:00:01'::interval)) WHEN (bucket = '1w'::text) THEN pgbook_data.local_start((start + '180:00:00'::interval), 'week'::text, tz) ELSE pgbook_data.local_start((start + '36:00:00'::interval), 'day'::text, tz) END;

ALTER FUNCTION pgbook_data.bucket_end(start timestamp with time zone, bucket text, tz text) OWNER TO pgbook_owner;

CREATE FUNCTION pgbook_data.bucket_start("time" timestamp with time zone, bucket text, tz text DEFAULT 'UTC'::text) RETURNS timestamp with time zone
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN CASE WHEN ((bucket = '1M'::text) OR (tz <> 'UTC'::text)) THEN pgbook_data.local_start("time", CASE bucket WHEN '1M'::text THEN 'month'::text WHEN '1w'::text THEN 'week'::text ELSE 'day'::text END, tz) ELSE date_bin((bucket)::interval, "time", '2000-01-03 00:00:00+00'::timestamp with time zone) END;

ALTER FUNCTION pgbook_data.bucket_start("time" timestamp with time zone, bucket text, tz text) OWNER TO pgbook_owner;

CREATE FUNCTION pgbook_data.bucket_ceiling("time" timestamp with time zone, bucket text, tz text DEFAULT 'UTC'::text) RETURNS timestamp with time zone
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN CASE WHEN (pgbook_data.bucket_start("time", bucket, tz) = "time") THEN "time" ELSE pgbook_data.bucket_end(pgbook_data.bucket_start("time", bucket, tz), bucket, tz) END;

ALTER FUNCTION pgbook_data.bucket_ceiling("time" timestamp with time zone, bucket text, tz text) OWNER TO pgbook_owner;

CREATE FUNCTION pgbook_data.bucket_starts(begins timestamp with time zone, ends timestamp with time zone, bucket text, tz text) RETURNS TABLE("time" timestamp with time zone)
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
    if tz = 'UTC' and bucket <> '1M' then
        return query select generate_series(begins, ends - interval '1 microsecond',
            extract(epoch from bucket::interval) * interval '1 second');
        return;
    end if;
    "time" := begins;
    while "time" < ends loop
        return next;
        "time" := pgbook_data.bucket_end("time", bucket, tz);
    end loop;
end
$$;

ALTER FUNCTION pgbook_data.bucket_starts(begins timestamp with time zone, ends timestamp with time zone, bucket text, tz text) OWNER TO pgbook_owner;

CREATE FUNCTION pgbook_data.check_bucket(bucket text, tz text DEFAULT 'UTC'::text) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
    if bucket is null or bucket <> all (array['1s', '1m', '2m', '3m', '4m', '5m', '6m', '10m', '12m', '15m', '20m',
                                              '30m', '1h', '2h', '3h', '4h', '6h', '8h', '12h', '1d', '1w', '1M']) then
        raise exception 'bad_value: interval % is unknown; use 1s, 1m, 2m, 3m, 4m, 5m, 6m, 10m, 12m, 15m, 20m, 30m, 1h, 2h, 3h, 4h, 6h, 8h, 12h, 1d, 1w or 1M',
            coalesce(quote_literal(left(bucket, 50)), 'null') using errcode = 'PB117', column = 'interval';
    end if;
    if tz = 'UTC' then
        return;
    end if;
    if tz is null or bucket <> all (array['1d', '1w', '1M']) then
        raise exception 'bad_value: a time zone goes with 1d, 1w and 1M only: candles of % begin at the same moments everywhere',
            bucket using errcode = 'PB117', column = 'tz';
    end if;
    perform now() at time zone tz;
exception when invalid_parameter_value then
    raise exception 'bad_value: time zone % is unknown; use a name such as Europe/Berlin', quote_literal(left(tz, 50))
        using errcode = 'PB117', column = 'tz';
end
$$;

ALTER FUNCTION pgbook_data.check_bucket(bucket text, tz text) OWNER TO pgbook_owner;

CREATE FUNCTION pgbook_data.check_horizon(horizon interval) RETURNS void
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
    if horizon is null or horizon < interval '1 microsecond' or horizon > interval '1 day' then
        raise exception 'bad_value: horizon % is outside 1 microsecond to 1 day', coalesce(horizon::text, 'null')
            using errcode = 'PB117', column = 'horizon';
    end if;
end
$$;

ALTER FUNCTION pgbook_data.check_horizon(horizon interval) OWNER TO pgbook_owner;

CREATE FUNCTION pgbook_data.close_before(market smallint, before timestamp with time zone) RETURNS bigint
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    -- Seconds begin within a minute, whose candle may hold later trades.
    select coalesce(
        (select c.close
         from pgbook_data.traded_candles(
             close_before.market, '1s', date_bin('1 minute', before, timestamptz '2000-01-03 00:00:00+00'), before) c
         where date_bin('1 minute', before, timestamptz '2000-01-03 00:00:00+00') < before
         order by c.time desc limit 1),
        (select c.close from pgbook_data.candles_1m c
         where c.market = close_before.market
           and c.time < date_bin('1 minute', before, timestamptz '2000-01-03 00:00:00+00')
         order by c.time desc limit 1))
$$;

ALTER FUNCTION pgbook_data.close_before(market smallint, before timestamp with time zone) OWNER TO pgbook_owner;

CREATE FUNCTION pgbook_data.close_candles(market smallint, hours_max integer DEFAULT NULL::integer) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    level pgbook_data.candle_levels;
    due timestamptz;
    begins timestamptz;
    ends timestamptz;
    hours bigint := 0;
begin
    insert into pgbook_data.candle_levels (market) values (close_candles.market) on conflict do nothing;
    select * into level from pgbook_data.candle_levels l where l.market = close_candles.market for update;
    -- Read after the lock, in a later snapshot: whoever moved the clock this far has committed its minutes.
    select date_bin('1 hour', s.clock, timestamptz '2000-01-03 00:00:00+00') into due
    from pgbook_data.market_state s where s.market = close_candles.market order by s.seq desc limit 1;
    if due is null or due <= level.closed_1h then
        return 0;
    end if;
    select date_bin('1 hour', min(m.time), timestamptz '2000-01-03 00:00:00+00') into begins
    from pgbook_data.candles_1m m where m.market = close_candles.market and m.time >= level.closed_1h;
    -- Hours without a trade need no work, so they do not count.
    ends := case when begins < due then least(due, begins + hours_max * interval '1 hour') else due end;
    if begins < ends then
        insert into pgbook_data.candles_1h
            ("time", open, high, low, close, trades, first_trade_id, last_trade_id, market, volume, notional,
             taker_buy_volume, taker_buy_notional)
        select date_bin('1 hour', m.time, timestamptz '2000-01-03 00:00:00+00'), (min(array[m.first_trade_id, m.open]))[2],
               max(m.high), min(m.low), (max(array[m.last_trade_id, m.close]))[2], sum(m.trades), min(m.first_trade_id),
               max(m.last_trade_id), m.market, sum(m.volume), sum(m.notional), sum(m.taker_buy_volume),
               sum(m.taker_buy_notional)
        from pgbook_data.candles_1m m
        where m.market = close_candles.market and m.time >= begins and m.time < ends
        group by m.market, 1;
        hours := extract(epoch from ends - begins) / 3600;
    end if;
    due := date_bin('1 day', ends, timestamptz '2000-01-03 00:00:00+00');
    if due > level.closed_1d then
        insert into pgbook_data.candles_1d
            ("time", open, high, low, close, trades, first_trade_id, last_trade_id, market, volume, notional,
             taker_buy_volume, taker_buy_notional)
        select date_bin('1 day', h.time, timestamptz '2000-01-03 00:00:00+00'), (min(array[h.first_trade_id, h.open]))[2],
               max(h.high), min(h.low), (max(array[h.last_trade_id, h.close]))[2], sum(h.trades), min(h.first_trade_id),
               max(h.last_trade_id), h.market, sum(h.volume), sum(h.notional), sum(h.taker_buy_volume),
               sum(h.taker_buy_notional)
        from pgbook_data.candles_1h h
        where h.market = close_candles.market and h.time >= level.closed_1d and h.time < due
        group by h.market, 1;
    end if;
    update pgbook_data.candle_levels l set closed_1h = ends, closed_1d = greatest(l.closed_1d, due)
    where l.market = close_candles.market;
    return hours;
end
$$;

ALTER FUNCTION pgbook_data.close_candles(market smallint, hours_max integer) OWNER TO pgbook_owner;

CREATE FUNCTION pgbook_data.close_pools(through timestamp with time zone, chain bytea) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pgbook_data', 'pg_temp'
    AS $$
begin
    update cluster c
    set closed_through = greatest(c.closed_through, through), chain = coalesce(close_pools.chain, c.chain),
        heard_at = clock_timestamp();
    perform wake('pgbook_data.inbox_sleeper', 'pgbook_orders');
end
$$;

ALTER FUNCTION pgbook_data.close_pools(through timestamp with time zone, chain bytea) OWNER TO pgbook_owner;

CREATE FUNCTION pgbook_data.code_name(code smallint) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    SET search_path TO 'pg_catalog', 'pg_temp'
    RETURN CASE code WHEN 1 THEN 'open'::text WHEN 2 THEN 'filled'::text WHEN 3 THEN 'dropped'::text WHEN 4 THEN 'amended'::text WHEN 5 THEN 'cancelled'::text WHEN 6 THEN 'done'::text WHEN 101 THEN 'unknown_market'::text WHEN 102 THEN 'halted'::text WHEN 103 THEN 'off_tick'::text WHEN 104 THEN 'off_lot'::text WHEN 105 THEN 'not_positive'::text WHEN 106 THEN 'too_large'::text WHEN 107 THEN 'outside_band'::text WHEN 108 THEN 'no_liquidity'::text WHEN 109 THEN 'would_cross'::text WHEN 110 THEN 'cannot_fill'::text WHEN 111 THEN 'unknown_order'::text WHEN 112 THEN 'not_yours'::text WHEN 113 THEN 'already_closed'::text WHEN 114 THEN 'expired'::text WHEN 115 THEN 'late'::text WHEN 116 THEN 'duplicate'::text WHEN 117 THEN 'bad_value'::text WHEN 118 THEN 'not_permitted'::text WHEN 119 THEN 'unconfirmed'::text WHEN 120 THEN 'not_ready'::text WHEN 121 THEN 'busy'::text WHEN 122 THEN 'unreadable'::text WHEN 123 THEN 'unexecutable'::text ELSE NULL::text END;

ALTER FUNCTION pgbook_data.code_name(code smallint) OWNER TO pgbook_owner;

CREATE FUNCTION pgbook_data.create_cluster(cluster_id text, node text, names text[], window_microseconds bigint) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pgbook_data', 'pg_temp'
    AS $$
begin
    -- Nobody is in the middle of entering or executing a command.
    lock table commands in share row exclusive mode;
    if exists (select from cluster) then
        raise exception 'this database belongs to the cluster % already', (select c.cluster_id from cluster c)
            using errcode = 'PB117';
    end if;
    if exists (select from markets where is_imported) then
        raise exception 'market % holds an imported history, which a cluster cannot share; use another database',
            (select symbol from markets where is_imported order by symbol limit 1) using errcode = 'PB117';
    end if;
    if node <> all (names) then
        raise exception 'node % is not among the members %', node, array_to_string(names, ', ') using errcode = 'PB117';
    end if;
    insert into members (member, name, is_self)
    select row_number() over (order by n.name collate "C"), n.name, n.name = create_cluster.node
    from unnest(names) n(name);
    insert into cluster (cluster_id, "window") values (create_cluster.cluster_id, window_microseconds);
    update node set name = create_cluster.node;
    -- Whoever has markets in memory reads them anew.
    update markets set symbol = symbol;
    perform adopt_waiting();
end
$$;

ALTER FUNCTION pgbook_data.create_cluster(cluster_id text, node text, names text[], window_microseconds bigint) OWNER TO pgbook_owner;

CREATE FUNCTION pgbook_data.drop_trades(before timestamp with time zone) RETURNS TABLE(chunk text, begins timestamp with time zone, ends timestamp with time zone, trades bigint)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET lock_timeout TO '50ms'
    AS $_$
declare
    last_end timestamptz;
begin
    -- Waits for whoever reads trades to compare or rebuild candles.
    lock table pgbook_data.trade_horizon in exclusive mode;
    perform from pgbook_data.trade_horizon h for update;
    for chunk, begins, ends, trades in select * from pgbook_data.trade_chunks(before) loop
        last_end := ends;
        return next;
    end loop;
    if last_end is not null then
        perform pgbook_data.refuse_strangers('drop_chunks');
        execute format('select %I.drop_chunks(''pgbook_data.trades'', older_than => $1)',
                       pgbook_data.timescale_schema()) using last_end;
        update pgbook_data.trade_horizon h set dropped_before = greatest(h.dropped_before, last_end);
    end if;
end
$_$;

ALTER FUNCTION pgbook_data.drop_trades(before timestamp with time zone) OWNER TO pgbook_owner;

CREATE FUNCTION pgbook_data.end_rebuild(market smallint) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
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

ALTER FUNCTION pgbook_data.end_rebuild(market smallint) OWNER TO pgbook_owner;

CREATE FUNCTION pgbook_data.end_takeover(source text) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pgbook_data', 'pg_temp'
    SET jit TO 'off'
    AS $$
declare
    closed constant timestamptz := (select c.closed_through from cluster c);
    changed bigint;
begin
    -- Whoever made these tables may have put triggers on them, which would run here with the owner's rights.
    perform expect((select count(*) from pg_class c
                    where c.relname in ('takeover_before', 'takeover_kept') and c.relnamespace = pg_my_temp_schema()
                      and c.relowner = 'pgbook_owner'::regrole), 2);
    -- What no other node has yet, and whose pool they have closed, is late everywhere.
    with kept as (
        delete from pg_temp.takeover_kept k where not exists (select from commands c where c.log_key = k.log_key)
            and not exists (select from displaced d where d.log_key = k.log_key)
        returning k.*
    )
    insert into displaced
        (id, time, accepted_at, target, amount, price, expires, market, kind, side, exec_type, tif, stp, change,
         post_only, user_id, owner, client_order_id, origin, log_key, is_remote, is_unconfirmed, code, filled,
         remaining, dropped, notional)
    select k.id, k.time, k.accepted_at, k.target, k.amount, k.price, k.expires, k.market, k.kind, k.side, k.exec_type,
           k.tif, k.stp, k.change, k.post_only, k.user_id, k.owner, k.client_order_id, k.origin, k.log_key, true,
           k.is_unconfirmed, v.code, v.nothing, v.nothing, case when k.kind = 1 then k.amount else 0 end + v.nothing,
           v.nothing
    from kept k
    cross join lateral (select coalesce(k.code, case when k.time <= closed then 115 end)::smallint as code) j
    cross join lateral (select j.code, case when j.code is not null then 0 end as nothing) v;
    perform settle(array(select d.id from displaced d));

    insert into divergence (id, market, code_before, filled_before, remaining_before, code_after, filled_after,
                            remaining_after, rebuilt_from)
    select b.id, b.market, b.code, b.filled, b.remaining, a.code, a.filled, a.remaining, source
    from pg_temp.takeover_before b
    left join lateral (
        select e.code, e.filled, e.remaining from executions e where e.id = b.id
        union all
        select c.code, c.filled, c.remaining from commands c where c.id = b.id and c.seq is null and c.code is not null
        limit 1
    ) a on true
    where (b.code, b.filled, b.remaining) is distinct from (a.code, a.filled, a.remaining);
    get diagnostics changed = row_count;

    delete from proposals p using commands c, members n
    where c.id = p.id and n.member = p.member and c.origin = n.name and c.log_key is not null;
    perform wake('pgbook_data.inbox_sleeper', 'pgbook_orders');
    perform wake('pgbook_data.outbox_sleeper', 'pgbook_outbox');
    perform hint('pgbook_books', format('{"market":%s,"seq":%s}', to_json(m.symbol), s.seq))
    from markets m join newest_state s using (market);
    return changed;
end
$$;

ALTER FUNCTION pgbook_data.end_takeover(source text) OWNER TO pgbook_owner;

CREATE FUNCTION pgbook_data.enter(kinds smallint[], ids uuid[], users text[], symbols text[], sides smallint[], exec_types smallint[], tifs smallint[], post_onlys boolean[], stps smallint[], amounts numeric[], prices numeric[], targets uuid[], changes smallint[], expireses timestamp with time zone[], owners text[], client_order_ids text[]) RETURNS TABLE(ordinal integer, id uuid, code smallint, message text, field text, is_retry boolean)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pgbook_data', 'pg_temp'
    SET enable_nestloop TO 'off'
    SET enable_hashjoin TO 'on'
    SET enable_bitmapscan TO 'on'
    SET enable_seqscan TO 'off'
    SET jit TO 'off'
    AS $$
#variable_conflict use_column
declare
    size constant integer := cardinality(kinds);
    first_stamp bigint;
    -- Whether this is a node of a cluster, and why it takes no commands.
    is_shared constant boolean := exists (select from cluster);
    unready text;
    -- Markets whose own rows cannot be read.
    aside constant smallint[] := array(select s.market from set_aside s where s.id is null);
    -- Which of the commands have a client order id that came by another node, and what got into the log.
    taken integer[];
    logged_ids uuid[];
    row record;
    earlier record;
begin
    perform be_durable();
    perform pg_current_xact_id();  -- before the stamp: whoever waits for all earlier stamps waits for this transaction
    first_stamp := stamp(size);
    unready := not_durable();
    if is_shared then
        unready := coalesce(unready, not_ready());
        taken := array(
            select a.n::integer from unnest(users, client_order_ids) with ordinality a(user_id, client_order_id, n)
            cross join lateral (
                select from commands c
                where c.user_id = a.user_id and c.client_order_id = a.client_order_id and c.is_remote limit 1
            ) r);
    end if;
    for row in
        with asked as materialized (
            select a.n::integer as n, a.kind, coalesce(a.id, uuid_v7(first_stamp + a.n - 1)) as id,
                   a.id is not null or a.client_order_id is not null as may_be_retry,
                   timestamp_of(first_stamp + a.n - 1) as time, a.user_id, a.symbol, a.side, a.exec_type, a.tif,
                   a.post_only, a.stp, a.amount, a.price, a.target, a.change, a.expires, a.owner, a.client_order_id
            from unnest(kinds, ids, users, symbols, sides, exec_types, tifs, post_onlys, stps, amounts, prices,
                        targets, changes, expireses, owners, client_order_ids) with ordinality
                as a(kind, id, user_id, symbol, side, exec_type, tif, post_only, stp, amount, price, target, change,
                     expires, owner, client_order_id, n)
        ), placed as materialized (
            select a.*, m.market, m.symbol as known_symbol, m.tick_size, m.lot_size, m.max_amount, m.max_notional,
                   m.min_price, m.max_price, m.is_imported, s.is_halted,
                   coalesce(t.kind, b.kind) as target_kind, coalesce(t.user_id, b.user_id) as target_user
            from asked a
            -- Lateral, so that it stays an index lookup whatever the statistics say of a table that grew from nothing.
            left join lateral (
                select c.market, c.kind, c.user_id from commands c where c.id = a.target limit 1
            ) t on true
            left join asked b on b.id = a.target and b.n < a.n  -- placed earlier in this same call
            left join markets tm on tm.market = t.market
            left join markets m on m.symbol = coalesce(a.symbol, tm.symbol, b.symbol)
                and (tm.symbol is null or tm.symbol = m.symbol)
            left join lateral (
                select n.is_halted from market_state n where n.market = m.market order by n.seq desc limit 1
            ) s on true
        ), checked as materialized (
            select p.*, c.code,
                   -- Of a refused command, for what it may be a retry of. NaN is above everything.
                   case when c.code is null or p.amount between 0 and 9223372036854775807 * p.lot_size
                             and mod(p.amount, p.lot_size) = 0
                        then div(p.amount, p.lot_size)::bigint end as lots,
                   case when c.code is null or p.price between 0 and 9223372036854775807 * p.tick_size
                             and mod(p.price, p.tick_size) = 0
                        then div(p.price, p.tick_size)::bigint end as ticks
            from placed p
            cross join lateral (select case
                when p.kind is null or p.kind not between 1 and 7 then 117
                when p.user_id is null or not is_name(p.user_id) or not is_name(p.owner)
                    or hidden_character(p.user_id) is not null then 117
                when not is_name(p.client_order_id) then 117
                when p.kind in (2, 3) and (p.target_kind is distinct from 1 or p.market is null) then 111
                when p.market is null then 101
                when p.market = any (aside) then 122
                when p.is_imported then 102
                when p.kind in (2, 3) and p.target_user <> p.user_id then 112
                when p.kind in (1, 2) and p.is_halted then 102
                when p.kind = 1 and (
                    p.side is null or p.side not in (0, 1) or p.exec_type is null or p.exec_type not in (0, 1)
                    or p.tif is null or p.tif not between 0 and 3 or p.stp not between 1 and 4
                    or p.post_only is null or p.amount is null
                    or (p.exec_type = 0) <> (p.price is null)
                    or p.post_only and (p.exec_type = 0 or p.tif in (1, 2))
                    or p.exec_type = 0 and p.tif = 3
                    or (p.tif = 3) <> (p.expires is not null)
                    or p.expires not between time_first() and time_last()) then 117
                when p.kind = 2 and (
                    p.change is null or p.change not between 1 and 3
                    or p.change = 1 and p.amount is null and p.price is null
                    or p.change = 2 and (p.amount is null or p.price is not null)
                    or p.change = 3 and (p.amount is null or p.price is null)) then 117
                when p.amount = 'NaN' or p.amount <= 0 or p.price = 'NaN' or p.price <= 0 then 105
                when p.amount > p.max_amount * p.lot_size or p.price > 9223372036854775807 * p.tick_size then 106
                when mod(p.amount, p.lot_size) <> 0 then 104
                when mod(p.price, p.tick_size) <> 0 then 103
                when p.price not between p.min_price * p.tick_size and p.max_price * p.tick_size then 107
                when p.amount * p.price > p.max_notional * p.tick_size * p.lot_size then 106
                when p.expires <= p.time then 114
                when unready is not null then 120
                end::smallint as code) c
        ), logged as (
            insert into commands (id, time, target, amount, price, expires, market, kind, side, exec_type, tif, stp,
                                  change, post_only, user_id, owner, client_order_id, origin)
            select c.id, c.time, c.target, c.lots, c.ticks, c.expires, c.market, c.kind, c.side,
                   c.exec_type, c.tif, c.stp, c.change, c.post_only, c.user_id, c.owner, c.client_order_id,
                   (select name from node)
            from checked c where c.code is null and (taken is null or c.n <> all (taken))
            order by c.n
            on conflict do nothing
            returning id, time, market
        ), queued as (
            insert into inbox (time, id, market) select time, id, market from logged where not is_shared
        )
        select c.*, l.id is not null as is_logged
        from checked c left join logged l on l.id = c.id and l.time = c.time
        order by c.n
    loop
        ordinal := row.n;
        id := row.id;
        code := row.code;
        message := null;
        field := null;
        is_retry := false;
        if is_shared and row.is_logged then
            logged_ids := logged_ids || row.id;
        end if;
        -- Whoever asks again gets what it got the first time, though the market is halted or the time has passed since.
        if row.may_be_retry and (row.code is null and not row.is_logged or row.code in (102, 106, 107, 114, 120)) then
            select * into earlier from commands c
            where c.id = row.id
               or (c.user_id = row.user_id and c.client_order_id = row.client_order_id)
            order by (c.id = row.id) desc
            limit 1;
            if not found and row.code is null then
                raise exception 'command % collides with one that this transaction cannot see; try again', row.id
                    using errcode = 'serialization_failure';
            elsif found and
               (earlier.kind, earlier.market, earlier.user_id, earlier.client_order_id, earlier.side,
                earlier.exec_type, earlier.tif, earlier.stp, earlier.change, earlier.post_only, earlier.amount,
                earlier.price, earlier.target, earlier.expires, earlier.owner)
               is not distinct from
               (row.kind, row.market, row.user_id, row.client_order_id, row.side, row.exec_type, row.tif, row.stp,
                row.change, row.post_only, row.lots, row.ticks, row.target, row.expires, row.owner)
            then
                id := earlier.id;
                code := null;
                is_retry := true;
            elsif row.code is null then
                code := 116;
                field := case when earlier.id = row.id then 'id' else 'client_order_id' end;
                message := format('%s %s was used before for something else; use a new one',
                    case field when 'id' then 'id' else 'client order id' end,
                    case field when 'id' then row.id::text else row.client_order_id end);
            end if;
        end if;
        if row.code is not null and not is_retry then
            select r.message, r.field into message, field
            from refusal(row.code, row.kind, row.symbol, row.user_id, row.client_order_id, row.side, row.exec_type,
                         row.tif, row.post_only, row.stp, row.amount, row.price, row.target, row.change, row.expires,
                         row.tick_size, row.lot_size, row.max_amount, row.max_notional, row.min_price,
                         row.max_price) r;
            if row.is_imported and row.code = 102 then
                message := format('market %s holds an imported history and takes no orders', row.symbol);
                field := 'security';
            elsif row.code = 122 then
                message := format('market %s cannot be read and takes no orders: %s', row.symbol,
                    (select s.reason from set_aside s where s.market = row.market and s.id is null));
                field := 'security';
            elsif row.code = 120 then
                message := format('this node takes no commands now: %s', unready);
                field := null;
            end if;
        end if;
        return next;
    end loop;
    if is_shared then
        insert into outbox (id) select u.id from unnest(logged_ids) with ordinality u(id, n) order by u.n;
        perform wake('pgbook_data.outbox_sleeper', 'pgbook_outbox');
    else
        perform wake('pgbook_data.inbox_sleeper', 'pgbook_orders');
    end if;
end
$$;

ALTER FUNCTION pgbook_data.enter(kinds smallint[], ids uuid[], users text[], symbols text[], sides smallint[], exec_types smallint[], tifs smallint[], post_onlys boolean[], stps smallint[], amounts numeric[], prices numeric[], targets uuid[], changes smallint[], expireses timestamp with time zone[], owners text[], client_order_ids text[]) OWNER TO pgbook_owner;

CREATE FUNCTION pgbook_data.expect(counted bigint, expected bigint) RETURNS void
    LANGUAGE plpgsql
    AS $$
begin
    if counted operator(pg_catalog.<>) expected then
        raise exception 'changed by somebody else: % rows where % were expected', counted, expected
            using errcode = 'PB900';
    end if;
end
$$;

ALTER FUNCTION pgbook_data.expect(counted bigint, expected bigint) OWNER TO pgbook_owner;

CREATE FUNCTION pgbook_data.fall_asleep(sleeper regclass, VARIADIC tables regclass[]) RETURNS text[]
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
    perform setval(sleeper, 1);
    return array(
        select distinct l.virtualtransaction from pg_locks l
        where l.locktype = 'relation' and l.relation = any (tables::oid[]) and l.mode = 'RowExclusiveLock' and l.granted
          and l.database = (select d.oid from pg_database d where d.datname = current_database())
          and l.pid <> pg_backend_pid());
end
$$;

ALTER FUNCTION pgbook_data.fall_asleep(sleeper regclass, VARIADIC tables regclass[]) OWNER TO pgbook_owner;

CREATE FUNCTION pgbook_data.hidden_character(name text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN "substring"(name, '[\u0001-\u001F\u007F-\u009F\u00AD\u034F\u061C\u115F-\u1160\u17B4-\u17B5\u180B-\u180F\u200B-\u200F\u2028-\u202E\u2060-\u206F\u3164\uFE00-\uFE0F\uFEFF\uFFA0\uFFF0-\uFFFB\U0001D173-\U0001D17A\U000E0000-\U000E0FFF]'::text);

ALTER FUNCTION pgbook_data.hidden_character(name text) OWNER TO pgbook_owner;

CREATE FUNCTION pgbook_data.hint(channel text, payload text) RETURNS void
    LANGUAGE sql
    RETURN CASE WHEN (pg_notification_queue_usage() < (0.5)::double precision) THEN pg_notify(channel, payload) ELSE NULL::void END;

ALTER FUNCTION pgbook_data.hint(channel text, payload text) OWNER TO pgbook_owner;

CREATE FUNCTION pgbook_data.is_name(name text) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN ((octet_length(name) >= 1) AND (octet_length(name) <= 64));

ALTER FUNCTION pgbook_data.is_name(name text) OWNER TO pgbook_owner;

CREATE TABLE pgbook_data.cluster (
    is_only boolean DEFAULT true NOT NULL,
    cluster_id text NOT NULL,
    "window" bigint NOT NULL,
    closed_through timestamp with time zone DEFAULT '-infinity'::timestamp with time zone NOT NULL,
    chain bytea DEFAULT decode(repeat('00'::text, 32), 'hex'::text) NOT NULL,
    bound timestamp with time zone DEFAULT '-infinity'::timestamp with time zone NOT NULL,
    agreed timestamp with time zone DEFAULT '-infinity'::timestamp with time zone NOT NULL,
    admits boolean DEFAULT false NOT NULL,
    reason text DEFAULT 'its sidecar has not begun yet; start it: pgbook gossip'::text,
    heard_at timestamp with time zone,
    status jsonb,
    CONSTRAINT cluster_chain_check CHECK ((length(chain) = 32)),
    CONSTRAINT cluster_cluster_id_check CHECK (((length(cluster_id) >= 1) AND (length(cluster_id) <= 64))),
    CONSTRAINT cluster_is_only_check CHECK (is_only),
    CONSTRAINT cluster_times CHECK ((((closed_through = '-infinity'::timestamp with time zone) OR ((closed_through >= '0001-01-01 00:00:00+00'::timestamp with time zone) AND (closed_through <= '9999-12-31 23:59:59.999999+00'::timestamp with time zone))) AND ((bound = '-infinity'::timestamp with time zone) OR ((bound >= '0001-01-01 00:00:00+00'::timestamp with time zone) AND (bound <= '9999-12-31 23:59:59.999999+00'::timestamp with time zone))) AND ((agreed = '-infinity'::timestamp with time zone) OR ((agreed >= '0001-01-01 00:00:00+00'::timestamp with time zone) AND (agreed <= '9999-12-31 23:59:59.999999+00'::timestamp with time zone))))),
    CONSTRAINT cluster_window_check CHECK (("window" > 0)),
    CONSTRAINT cluster_window_max CHECK (("window" <= '3600000000'::bigint))
)
WITH (fillfactor='20');

ALTER TABLE pgbook_data.cluster OWNER TO pgbook_owner;

CREATE TABLE pgbook_data.outcomes (
    id uuid NOT NULL,
    seq bigint NOT NULL,
    filled bigint NOT NULL,
    remaining bigint NOT NULL,
    dropped bigint NOT NULL,
    executed_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    market smallint NOT NULL,
    code smallint NOT NULL,
    notional numeric NOT NULL,
    digest_head bigint NOT NULL
);

ALTER TABLE pgbook_data.outcomes OWNER TO pgbook_owner;

CREATE FUNCTION pgbook_data.is_settled(asked uuid) RETURNS boolean
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    RETURN (EXISTS (SELECT FROM pgbook_data.commands c WHERE ((c.id = is_settled.asked) AND ((c.seq IS NOT NULL) OR (EXISTS (SELECT FROM pgbook_data.outcomes o WHERE (o.id = c.id))) OR ((c.code IS NULL) AND (c.log_key IS NOT NULL) AND (c."time" <= (SELECT cluster.closed_through FROM pgbook_data.cluster)))))));

ALTER FUNCTION pgbook_data.is_settled(asked uuid) OWNER TO pgbook_owner;

CREATE FUNCTION pgbook_data.last_from(market smallint, bucket text, n integer, tz text) RETURNS timestamp with time zone
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    first_minute timestamptz;
    last_bucket timestamptz;
    begins timestamptz;
    width interval;
    reach numeric := n;
begin
    if bucket = '1m' then
        return coalesce((select c.time from pgbook_data.candles_1m c where c.market = last_from.market
                         order by c.time desc offset n - 1 limit 1), '-infinity');
    end if;
    select min(c.time), pgbook_data.bucket_start(max(c.time) + interval '59.999999 seconds', bucket, tz)
    into first_minute, last_bucket
    from pgbook_data.candles_1m c where c.market = last_from.market;
    width := pgbook_data.bucket_end(last_bucket, bucket, tz) - last_bucket;
    loop
        begins := last_bucket - extract(epoch from width) * reach * interval '1 second';
        if first_minute is null or begins <= first_minute then
            return '-infinity';
        end if;
        if (select count(*) >= n
            from pgbook_data.candle_rows(last_from.market, bucket, begins, 'infinity', tz)) then
            return begins;
        end if;
        reach := reach * 4;
    end loop;
end
$$;

ALTER FUNCTION pgbook_data.last_from(market smallint, bucket text, n integer, tz text) OWNER TO pgbook_owner;

CREATE FUNCTION pgbook_data.later_prices(market smallint, starts timestamp with time zone, ends timestamp with time zone, horizon interval, against text) RETURNS TABLE("time" timestamp with time zone, trade_id bigint, price bigint, amount bigint, sign integer, spread numeric, mid2 numeric, later2 numeric)
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET plan_cache_mode TO 'force_custom_plan'
    AS $$
#variable_conflict use_column
declare
    reach constant timestamptz := ends + horizon + horizon;
    is_mid constant boolean := against = 'mid';
begin
    return query
        with known as (
            select t.time, t.trade_id, t.price, t.amount, case t.taker_side when 0 then 1 else -1 end as sign,
                   t.best_ask::numeric - t.best_bid as spread, t.best_bid::numeric + t.best_ask as mid2
            from pgbook_data.trades t
            where t.market = later_prices.market and t.time >= starts and t.time < reach and t.busted_at is null
        ),
        events as (
            -- Kind 0 tells a price, kind 1 asks for it.
            select k.*, k.time as at, 0 as kind, case when is_mid then mid2 else 2 * k.price::numeric end as mark
            from known k
            union all
            select k.*, k.time + horizon, 1, null from known k where k.time < ends
        ),
        -- Read from the last to the first, the mark before a question is the first one after it; read from the first
        -- to the last, it is the last one up to it.
        runs as (
            select e.*, count(mark) over (order by case when is_mid then reach - at else at - starts end, kind,
                                          case when is_mid then -trade_id else trade_id end) as run
            from events e
        ),
        marked as (
            select m.*, max(mark) over (partition by run) as found,
                   max(at) filter (where mark is not null) over (partition by run) as found_at
            from runs m
        )
        select time, trade_id, price, amount, sign, spread, mid2,
               case when is_mid and found_at >= at and found_at < at + horizon or not is_mid and at <= now() then found end
        from marked where kind = 1;
end
$$;

ALTER FUNCTION pgbook_data.later_prices(market smallint, starts timestamp with time zone, ends timestamp with time zone, horizon interval, against text) OWNER TO pgbook_owner;

CREATE FUNCTION pgbook_data.log_key(member smallint, number bigint) RETURNS bigint
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN (((member)::bigint << 48) | number);

ALTER FUNCTION pgbook_data.log_key(member smallint, number bigint) OWNER TO pgbook_owner;

CREATE FUNCTION pgbook_data.log_rank(c pgbook_data.commands) RETURNS text
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    RETURN CASE WHEN (((c).seq IS NOT NULL) OR (EXISTS (SELECT FROM pgbook_data.outcomes o WHERE (o.id = (log_rank.c).id)))) THEN '0'::text WHEN (((c).code IS NULL) AND ((c).log_key IS NOT NULL)) THEN (('1'::text || lpad((((EXTRACT(epoch FROM (c)."time") * (1000000)::numeric))::bigint)::text, 20, '0'::text)) || lpad(((c).log_key)::text, 20, '0'::text)) WHEN ((c).log_key IS NULL) THEN '2'::text ELSE ('3'::text || lpad(((c).log_key)::text, 20, '0'::text)) END;

ALTER FUNCTION pgbook_data.log_rank(c pgbook_data.commands) OWNER TO pgbook_owner;

CREATE FUNCTION pgbook_data.microseconds(starts timestamp with time zone, ends timestamp with time zone) RETURNS numeric
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN trim_scale((EXTRACT(epoch FROM (ends - starts)) * (1000000)::numeric));

ALTER FUNCTION pgbook_data.microseconds(starts timestamp with time zone, ends timestamp with time zone) OWNER TO pgbook_owner;

CREATE FUNCTION pgbook_data.name_bytes_max() RETURNS integer
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN 64;

ALTER FUNCTION pgbook_data.name_bytes_max() OWNER TO pgbook_owner;

CREATE TABLE pgbook_data.matchers (
    matcher uuid NOT NULL,
    pid integer NOT NULL,
    executes integer,
    started_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    seen_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    reason text
)
WITH (fillfactor='20');

ALTER TABLE pgbook_data.matchers OWNER TO pgbook_owner;

CREATE VIEW pgbook.matchers AS
 SELECT m.matcher,
    m.pid,
    m.executes,
    m.started_at,
    m.seen_at,
    (a.pid IS NOT NULL) AS is_connected,
        CASE
            WHEN (a.pid IS NULL) THEN 'the matcher is gone; start one: pgbook serve'::text
            WHEN (m.seen_at < (clock_timestamp() - '00:00:02.2'::interval)) THEN format('the matcher hangs: it was last heard of at %s'::text, to_char((m.seen_at AT TIME ZONE 'UTC'::text), 'YYYY-MM-DD"T"HH24:MI:SS"Z"'::text))
            ELSE m.reason
        END AS reason
   FROM (pgbook_data.matchers m
     LEFT JOIN pg_stat_activity a ON ((a.pid = m.pid)));

ALTER VIEW pgbook.matchers OWNER TO pgbook_owner;

CREATE FUNCTION pgbook_data.no_matcher() RETURNS text
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    RETURN (SELECT CASE WHEN (count(*) = 0) THEN 'no matcher is connected; start one: pgbook serve'::text WHEN (NOT bool_or((m.reason IS NULL))) THEN min(m.reason) ELSE NULL::text END AS "case" FROM pgbook.matchers m WHERE m.is_connected);

ALTER FUNCTION pgbook_data.no_matcher() OWNER TO pgbook_owner;

CREATE FUNCTION pgbook_data.not_durable() RETURNS text
    LANGUAGE sql STABLE
    BEGIN ATOMIC
 SELECT
         CASE
             WHEN (current_setting('cluster_name'::text) = 'pgbook_throwaway'::text) THEN NULL::text
             WHEN (current_setting('fsync'::text) = 'off'::text) THEN 'fsync is off, and a crash of the machine can lose what is taken in; set fsync = on in postgresql.conf and reload it'::text
             WHEN (current_setting('full_page_writes'::text) = 'off'::text) THEN 'full_page_writes is off, and a power cut can destroy pages; set full_page_writes = on in postgresql.conf and reload it'::text
             ELSE NULL::text
         END AS "case";
END;

ALTER FUNCTION pgbook_data.not_durable() OWNER TO pgbook_owner;

CREATE FUNCTION pgbook_data.not_ready() RETURNS text
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    RETURN (SELECT CASE WHEN (NOT c.admits) THEN COALESCE(c.reason, 'it has not caught up with its peers'::text) WHEN (c.heard_at < (clock_timestamp() - '00:00:30'::interval)) THEN format('its sidecar was last heard of at %s; start it: pgbook gossip'::text, to_char((c.heard_at AT TIME ZONE 'UTC'::text), 'YYYY-MM-DD"T"HH24:MI:SS"Z"'::text)) ELSE NULL::text END AS "case" FROM pgbook_data.cluster c);

ALTER FUNCTION pgbook_data.not_ready() OWNER TO pgbook_owner;

CREATE TABLE pgbook_data.members (
    member smallint NOT NULL,
    name text NOT NULL,
    is_self boolean DEFAULT false NOT NULL,
    stored_through bigint DEFAULT 0 NOT NULL,
    CONSTRAINT members_member_check CHECK (((member >= 0) AND (member <= 32766))),
    CONSTRAINT members_name_check CHECK ((name ~ '^[a-z0-9][a-z0-9-]{0,31}$'::text)),
    CONSTRAINT members_numbers CHECK (((stored_through >= 0) AND (stored_through <= '281474976710655'::bigint)))
);

ALTER TABLE pgbook_data.members OWNER TO pgbook_owner;

CREATE FUNCTION pgbook_data.note_stored(names text[], numbers bigint[]) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pgbook_data', 'pg_temp'
    BEGIN ATOMIC
 UPDATE pgbook_data.members AS m SET stored_through = g.number
    FROM UNNEST(note_stored.names, note_stored.numbers) g(name, number)
   WHERE ((m.name = g.name) AND (m.stored_through < g.number));
END;

ALTER FUNCTION pgbook_data.note_stored(names text[], numbers bigint[]) OWNER TO pgbook_owner;

CREATE FUNCTION pgbook_data.number_items(ids uuid[], numbers bigint[], times timestamp with time zone[], unconfirmed boolean[], codes smallint[]) RETURNS TABLE(origin text, number bigint)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pgbook_data', 'pg_temp'
    SET enable_seqscan TO 'off'
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    SET enable_bitmapscan TO 'off'
    SET plan_cache_mode TO 'force_generic_plan'
    SET jit TO 'off'
    AS $$
#variable_conflict use_column
declare
    self constant smallint := (select member from members where is_self);
    changed bigint;
    elsewhere uuid[];
    duplicates bigint[];
begin
    with numbered as (
        update commands c
        set time = g.time, log_key = log_key(self, g.number), is_unconfirmed = nullif(g.is_unconfirmed, false),
            code = g.code, filled = v.nothing, remaining = v.nothing,
            dropped = case when c.kind = 1 then c.amount else 0 end + v.nothing, notional = v.nothing
        from unnest(ids, numbers, times, unconfirmed, codes) g(id, number, time, is_unconfirmed, code)
        cross join lateral (
            select k.ctid as place from commands k
            where k.id = g.id and k.log_key is null and k.is_remote is null and k.seq is null limit 1
        ) k
        cross join lateral (select case when g.code is not null then 0 end as nothing) v
        where c.ctid = k.place
        returning c.id, c.time, c.market, c.code
    ), queued as (
        insert into inbox (time, id, market) select time, id, market from numbered where code is null
    ), stamped as (
        delete from outbox where id = any (ids)
    )
    select count(*) into changed from numbered;
    if changed < cardinality(ids) then
        with numbered as (
            update displaced d
            set time = g.time, log_key = log_key(self, g.number), is_unconfirmed = nullif(g.is_unconfirmed, false),
                code = j.code, filled = v.nothing, remaining = v.nothing,
                dropped = case when d.kind = 1 then d.amount else 0 end + v.nothing, notional = v.nothing
            from unnest(ids, numbers, times, unconfirmed, codes) g(id, number, time, is_unconfirmed, code)
            cross join lateral (select coalesce(g.code, case when is_settled(g.id) then 116 end)::smallint as code) j
            cross join lateral (select case when j.code is not null then 0 end as nothing) v
            where d.id = g.id and d.log_key is null
            returning d.id, g.number, case when g.code is null then j.code end as new_code
        )
        select array_agg(id), array_agg(number) filter (where new_code is not null) into elsewhere, duplicates
        from numbered;
        perform expect(changed + coalesce(cardinality(elsewhere), 0), cardinality(ids));
        perform settle(elsewhere);
        return query select (select name from node), u.number from unnest(duplicates) u(number);
    end if;
end
$$;

ALTER FUNCTION pgbook_data.number_items(ids uuid[], numbers bigint[], times timestamp with time zone[], unconfirmed boolean[], codes smallint[]) OWNER TO pgbook_owner;

CREATE FUNCTION pgbook_data.price_max() RETURNS bigint
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN '1000000000000000000'::bigint;

ALTER FUNCTION pgbook_data.price_max() OWNER TO pgbook_owner;

CREATE FUNCTION pgbook_data.prove_seat(seat uuid) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pgbook_data', 'pg_temp'
    AS $$
begin
    lock table pgbook_data.sidecar in row share mode;
    if not exists (select from pgbook_data.sidecar s where s.seat = prove_seat.seat) then
        raise exception 'another sidecar has this database by now; stop one of the two' using errcode = 'PB903';
    end if;
end
$$;

ALTER FUNCTION pgbook_data.prove_seat(seat uuid) OWNER TO pgbook_owner;

CREATE FUNCTION pgbook_data.range_candles(market smallint, starts timestamp with time zone, ends timestamp with time zone, bucket text, tz text) RETURNS TABLE("time" timestamp with time zone, open bigint, high bigint, low bigint, close bigint, trades bigint, volume numeric, notional numeric, taker_buy_volume numeric, taker_buy_notional numeric)
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
declare
    coarse constant text := case
        when bucket is null or (bucket in ('1d', '1w', '1M') and tz = 'UTC') then '1d'
        when bucket like '%h' then '1h' end;
    coarse_unit constant text := case coarse when '1d' then 'day' else 'hour' end;
    coarse_length constant interval := case coarse when '1d' then interval '24 hours' else interval '1 hour' end;
    minutes_from timestamptz := date_trunc('minute', starts + interval '1 minute' - interval '1 microsecond', 'UTC');
    minutes_to timestamptz := date_trunc('minute', ends, 'UTC');
    coarse_from timestamptz;
    coarse_to timestamptz;
begin
    if bucket = '1s' or minutes_from >= minutes_to then
        minutes_from := ends;
        minutes_to := ends;
    end if;
    coarse_from := date_trunc(coarse_unit, minutes_from + coarse_length - interval '1 microsecond', 'UTC');
    coarse_to := date_trunc(coarse_unit, minutes_to, 'UTC');
    if coarse is null or coarse_from >= coarse_to then
        coarse_from := minutes_to;
        coarse_to := minutes_to;
    end if;
    return query
        select p.bucket, (min(array[p.first_trade_id, p.open]))[2], max(p.high), min(p.low),
               (max(array[p.last_trade_id, p.close]))[2], sum(p.trades)::bigint, sum(p.volume), sum(p.notional),
               sum(p.taker_buy_volume), sum(p.taker_buy_notional)
        from (
            select case when range_candles.bucket is null then starts
                        else pgbook_data.bucket_start(r.time, range_candles.bucket, tz) end as bucket, r.*
            from pgbook_data.range_parts(
                range_candles.market, starts, minutes_from, coarse, coarse_from, coarse_to, minutes_to, ends) r
        ) p
        group by p.bucket
        order by p.bucket;
end
$$;

ALTER FUNCTION pgbook_data.range_candles(market smallint, starts timestamp with time zone, ends timestamp with time zone, bucket text, tz text) OWNER TO pgbook_owner;

CREATE FUNCTION pgbook_data.range_parts(market smallint, starts timestamp with time zone, minutes_from timestamp with time zone, coarse text, coarse_from timestamp with time zone, coarse_to timestamp with time zone, minutes_to timestamp with time zone, ends timestamp with time zone) RETURNS TABLE("time" timestamp with time zone, open bigint, high bigint, low bigint, close bigint, trades bigint, first_trade_id bigint, last_trade_id bigint, volume numeric, notional numeric, taker_buy_volume numeric, taker_buy_notional numeric)
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET plan_cache_mode TO 'force_generic_plan'
    AS $$
begin
    if starts < minutes_from then
        return query select * from pgbook_data.single_candles(market, starts, minutes_from);
    end if;
    if minutes_from < coarse_from or coarse_to < minutes_to then
        return query
            select m.time, m.open, m.high, m.low, m.close, m.trades, m.first_trade_id, m.last_trade_id, m.volume,
                   m.notional, m.taker_buy_volume, m.taker_buy_notional
            from pgbook_data.candles_1m m
            where m.market = range_parts.market and m.time >= minutes_from and m.time < coarse_from;
        return query
            select m.time, m.open, m.high, m.low, m.close, m.trades, m.first_trade_id, m.last_trade_id, m.volume,
                   m.notional, m.taker_buy_volume, m.taker_buy_notional
            from pgbook_data.candles_1m m
            where m.market = range_parts.market and m.time >= coarse_to and m.time < minutes_to;
    end if;
    if coarse_from < coarse_to then
        if coarse = '1d' then
            return query
                select d.time, d.open, d.high, d.low, d.close, d.trades, d.first_trade_id, d.last_trade_id, d.volume,
                       d.notional, d.taker_buy_volume, d.taker_buy_notional
                from pgbook_data.candles_1d d
                where d.market = range_parts.market and d.time >= coarse_from and d.time < coarse_to;
        else
            return query
                select h.time, h.open, h.high, h.low, h.close, h.trades, h.first_trade_id, h.last_trade_id, h.volume,
                       h.notional, h.taker_buy_volume, h.taker_buy_notional
                from pgbook_data.candles_1h h
                where h.market = range_parts.market and h.time >= coarse_from and h.time < coarse_to;
        end if;
        return query select * from pgbook_data.open_candles(market, coarse, coarse_from, coarse_to);
    end if;
    if minutes_to < ends then
        return query select * from pgbook_data.single_candles(market, minutes_to, ends);
    end if;
end
$$;

ALTER FUNCTION pgbook_data.range_parts(market smallint, starts timestamp with time zone, minutes_from timestamp with time zone, coarse text, coarse_from timestamp with time zone, coarse_to timestamp with time zone, minutes_to timestamp with time zone, ends timestamp with time zone) OWNER TO pgbook_owner;

CREATE FUNCTION pgbook_data.rebuild_day(market smallint, day timestamp with time zone) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    changed bigint;
    day_end timestamptz := day + interval '24 hours';
begin
    if day <> date_bin('1 day', day, timestamptz '2000-01-03 00:00:00+00') then
        raise exception 'rebuild_day: % is no midnight UTC', day;
    end if;
    -- Matching writes minutes at its clock or later only; older days are rebuilt beside it.
    perform from pgbook_data.market_state s where s.market = rebuild_day.market and s.clock >= day_end;
    if not found then
        perform from pgbook_data.market_state s where s.market = rebuild_day.market for update;
    end if;
    insert into pgbook_data.candle_levels (market) values (rebuild_day.market) on conflict do nothing;
    perform from pgbook_data.candle_levels l where l.market = rebuild_day.market for update;
    -- Trades are not dropped while they are read.
    perform from pgbook_data.trade_horizon h for share;
    changed := pgbook_data.recompute_candles(market, day, day_end);
    update pgbook_data.candle_levels l set rebuilt_before = day_end where l.market = rebuild_day.market;
    return changed;
end
$$;

ALTER FUNCTION pgbook_data.rebuild_day(market smallint, day timestamp with time zone) OWNER TO pgbook_owner;

CREATE FUNCTION pgbook_data.recompute_candles(market smallint, range_from timestamp with time zone, range_to timestamp with time zone) RETURNS bigint
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    level pgbook_data.candle_levels;
    minutes_from timestamptz;
    changed bigint := 0;
    count bigint;
    begins timestamptz := date_bin('1 day', range_from, timestamptz '2000-01-03 00:00:00+00');
    ends timestamptz := pgbook_data.bucket_ceiling(range_to, '1d');
begin
    select * into level from pgbook_data.candle_levels l where l.market = recompute_candles.market;
    select greatest(range_from, h.dropped_before) into minutes_from from pgbook_data.trade_horizon h;
    if minutes_from < range_to then
        with made as materialized (
            select * from pgbook_data.traded_candles(recompute_candles.market, '1m', minutes_from, range_to)
        ), gone as (
            delete from pgbook_data.candles_1m c
            where c.market = recompute_candles.market and c.time >= minutes_from and c.time < range_to
              and not exists (select from made where made.time = c.time)
            returning 1
        ), put as (
            insert into pgbook_data.candles_1m as c
                ("time", open, high, low, close, trades, first_trade_id, last_trade_id, market, volume, notional,
                 taker_buy_volume, taker_buy_notional)
            select d.time, d.open, d.high, d.low, d.close, d.trades, d.first_trade_id, d.last_trade_id,
                   recompute_candles.market, d.volume, d.notional, d.taker_buy_volume, d.taker_buy_notional
            from made d
            on conflict on constraint candles_1m_bucket do update set
                open = excluded.open, high = excluded.high, low = excluded.low, close = excluded.close,
                trades = excluded.trades, first_trade_id = excluded.first_trade_id,
                last_trade_id = excluded.last_trade_id, volume = excluded.volume, notional = excluded.notional,
                taker_buy_volume = excluded.taker_buy_volume, taker_buy_notional = excluded.taker_buy_notional
            where c is distinct from excluded
            returning 1
        )
        select (select count(*) from gone) + (select count(*) from put) into count;
        changed := changed + count;
    end if;
    if begins < level.closed_1h then
        with made as materialized (
            select date_bin('1 hour', m.time, timestamptz '2000-01-03 00:00:00+00') as "time",
                   (min(array[m.first_trade_id, m.open]))[2] as open, max(m.high) as high, min(m.low) as low,
                   (max(array[m.last_trade_id, m.close]))[2] as close, sum(m.trades)::bigint as trades,
                   min(m.first_trade_id) as first_trade_id, max(m.last_trade_id) as last_trade_id,
                   sum(m.volume) as volume, sum(m.notional) as notional, sum(m.taker_buy_volume) as taker_buy_volume,
                   sum(m.taker_buy_notional) as taker_buy_notional
            from pgbook_data.candles_1m m
            where m.market = recompute_candles.market and m.time >= begins and m.time < least(ends, level.closed_1h)
            group by 1
        ), gone as (
            delete from pgbook_data.candles_1h c
            where c.market = recompute_candles.market and c.time >= begins and c.time < ends
              and not exists (select from made where made.time = c.time)
            returning 1
        ), put as (
            insert into pgbook_data.candles_1h as c
                ("time", open, high, low, close, trades, first_trade_id, last_trade_id, market, volume, notional,
                 taker_buy_volume, taker_buy_notional)
            select d.time, d.open, d.high, d.low, d.close, d.trades, d.first_trade_id, d.last_trade_id,
                   recompute_candles.market, d.volume, d.notional, d.taker_buy_volume, d.taker_buy_notional
            from made d
            on conflict on constraint candles_1h_bucket do update set
                open = excluded.open, high = excluded.high, low = excluded.low, close = excluded.close,
                trades = excluded.trades, first_trade_id = excluded.first_trade_id,
                last_trade_id = excluded.last_trade_id, volume = excluded.volume, notional = excluded.notional,
                taker_buy_volume = excluded.taker_buy_volume, taker_buy_notional = excluded.taker_buy_notional
            where c is distinct from excluded
            returning 1
        )
        select (select count(*) from gone) + (select count(*) from put) into count;
        changed := changed + count;
    end if;
    if begins < level.closed_1d then
        with made as materialized (
            select date_bin('1 day', h.time, timestamptz '2000-01-03 00:00:00+00') as "time",
                   (min(array[h.first_trade_id, h.open]))[2] as open, max(h.high) as high, min(h.low) as low,
                   (max(array[h.last_trade_id, h.close]))[2] as close, sum(h.trades)::bigint as trades,
                   min(h.first_trade_id) as first_trade_id, max(h.last_trade_id) as last_trade_id,
                   sum(h.volume) as volume, sum(h.notional) as notional, sum(h.taker_buy_volume) as taker_buy_volume,
                   sum(h.taker_buy_notional) as taker_buy_notional
            from pgbook_data.candles_1h h
            where h.market = recompute_candles.market and h.time >= begins and h.time < least(ends, level.closed_1d)
            group by 1
        ), gone as (
            delete from pgbook_data.candles_1d c
            where c.market = recompute_candles.market and c.time >= begins and c.time < ends
              and not exists (select from made where made.time = c.time)
            returning 1
        ), put as (
            insert into pgbook_data.candles_1d as c
                ("time", open, high, low, close, trades, first_trade_id, last_trade_id, market, volume, notional,
                 taker_buy_volume, taker_buy_notional)
            select d.time, d.open, d.high, d.low, d.close, d.trades, d.first_trade_id, d.last_trade_id,
                   recompute_candles.market, d.volume, d.notional, d.taker_buy_volume, d.taker_buy_notional
            from made d
            on conflict on constraint candles_1d_bucket do update set
                open = excluded.open, high = excluded.high, low = excluded.low, close = excluded.close,
                trades = excluded.trades, first_trade_id = excluded.first_trade_id,
                last_trade_id = excluded.last_trade_id, volume = excluded.volume, notional = excluded.notional,
                taker_buy_volume = excluded.taker_buy_volume, taker_buy_notional = excluded.taker_buy_notional
            where c is distinct from excluded
            returning 1
        )
        select (select count(*) from gone) + (select count(*) from put) into count;
        changed := changed + count;
    end if;
    return changed;
end
$$;

ALTER FUNCTION pgbook_data.recompute_candles(market smallint, range_from timestamp with time zone, range_to timestamp with time zone) OWNER TO pgbook_owner;

CREATE FUNCTION pgbook_data.refusal(code smallint, kind smallint, symbol text, user_id text, client_order_id text, side smallint, exec_type smallint, tif smallint, post_only boolean, stp smallint, amount numeric, price numeric, target uuid, change smallint, expires timestamp with time zone, tick numeric, lot numeric, max_amount bigint, max_notional numeric, min_price bigint, max_price bigint, OUT message text, OUT field text) RETURNS record
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    shown_amount constant text := pgbook_data.shown(amount);
    shown_price constant text := pgbook_data.shown(price);
begin
    case code
    when 101 then
        field := 'security';
        message := format('there is no market %s; pgbook.markets lists them', coalesce(quote_literal(left(symbol, 40)), 'without a name'));
    when 102 then
        field := 'security';
        message := format('market %s is halted; cancels go on, other commands are refused until it is resumed', symbol);
    when 103 then
        field := 'price';
        message := format('price %s is not a multiple of the tick size %s; use %s or %s', shown_price, trim_scale(tick),
            trim_scale(div(price, tick) * tick), trim_scale((div(price, tick) + 1) * tick));
    when 104 then
        field := 'amount';
        message := format('amount %s is not a multiple of the lot size %s; use %s or %s', shown_amount, trim_scale(lot),
            trim_scale(div(amount, lot) * lot), trim_scale((div(amount, lot) + 1) * lot));
    when 105 then
        field := case when amount = 'NaN' or amount <= 0 then 'amount' else 'price' end;
        message := format('%s %s is not positive; it must be above zero', field,
            case field when 'amount' then shown_amount else shown_price end);
    when 106 then
        if amount > max_amount * lot then
            field := 'amount';
            message := format('amount %s is too large; the largest is %s', shown_amount, trim_scale(max_amount * lot));
        elsif price > 9223372036854775807 * tick then
            field := 'price';
            message := format('price %s is too large; the highest is %s', shown_price, trim_scale(max_price * tick));
        else
            field := 'amount';
            message := format('amount %s at price %s is worth %s, too much; the largest value of one order is %s',
                shown_amount, shown_price, pgbook_data.shown(amount * price), trim_scale(max_notional * tick * lot));
        end if;
    when 107 then
        field := 'price';
        message := format('price %s is outside the band; it must be between %s and %s', shown_price,
            trim_scale(min_price * tick), trim_scale(max_price * tick));
    when 111 then
        field := 'id';
        message := format('there is no order %s; pgbook.orders lists them', coalesce(target::text, 'without an id'));
    when 112 then
        field := 'id';
        message := format('order %s belongs to another user than %s; only its owner may change it', target, user_id);
    when 114 then
        field := 'expires';
        message := format('expiry %s has passed; use a time to come', expires);
    else
        field := case
            when pgbook_data.user_fault(user_id) is not null then 'user_id'
            when not pgbook_data.is_name(client_order_id) then 'client_order_id'
            when kind = 1 and side is null then 'side'
            when kind = 1 and amount is null then 'amount'
            when kind = 1 and (exec_type = 0) <> (price is null) then 'price'
            when kind = 1 and post_only and (exec_type = 0 or tif in (1, 2)) then 'post_only'
            when kind = 1 and exec_type = 0 and tif = 3 then 'time_in_force'
            when kind = 1 and ((tif = 3) <> (expires is not null) 
                               or expires not between pgbook_data.time_first() and pgbook_data.time_last()) then 'expires'
            when kind = 2 and price is not null and change = 2 then 'price'
            when kind = 2 then 'amount'
            else 'kind' end;
        message := case field
            when 'user_id' then pgbook_data.user_fault(user_id)
            when 'client_order_id' then
                'a client order id has 1 to 64 bytes of UTF-8, not ' || octet_length(client_order_id)
            when 'side' then 'a side is needed: bid or ask'
            when 'amount' then case kind when 1 then 'an amount is needed' else 'an amend needs a new amount or price' end
            when 'price' then case when price is null then 'a limit order needs a price'
                else format('price %s: a market order and a reduction take no price; leave it out', shown_price) end
            when 'post_only' then 'post-only goes with limit orders that may rest: gtc or gtd'
            when 'time_in_force' then 'a market order cannot wait: use gtc, ioc or fok'
            when 'expires' then case when expires is null then 'gtd needs an expiry time'
                when tif is distinct from 3 then 'an expiry time goes with gtd only'
                else format('expiry %s is outside the years 1 to 9999', expires) end
            else 'the kind of command is unknown' end;
    end case;
end
$$;

ALTER FUNCTION pgbook_data.refusal(code smallint, kind smallint, symbol text, user_id text, client_order_id text, side smallint, exec_type smallint, tif smallint, post_only boolean, stp smallint, amount numeric, price numeric, target uuid, change smallint, expires timestamp with time zone, tick numeric, lot numeric, max_amount bigint, max_notional numeric, min_price bigint, max_price bigint, OUT message text, OUT field text) OWNER TO pgbook_owner;

CREATE FUNCTION pgbook_data.refuse_import() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pgbook_data', 'pg_temp'
    AS $$
begin
    if exists (select from cluster) then
        raise exception 'this database is a node of the cluster %, whose nodes have one history; import into another database',
            (select cluster_id from cluster) using errcode = 'PB117', column = 'security';
    end if;
    return new;
end
$$;

ALTER FUNCTION pgbook_data.refuse_import() OWNER TO pgbook_owner;

CREATE FUNCTION pgbook_data.refuse_items(origins text[], firsts bigint[], lasts bigint[], reason smallint) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pgbook_data', 'pg_temp'
    SET enable_seqscan TO 'off'
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    SET enable_bitmapscan TO 'off'
    SET plan_cache_mode TO 'force_generic_plan'
    SET jit TO 'off'
    AS $$
declare
    shared uuid[];
begin
    with ranges as materialized (
        select log_key(n.member, r.first) as first_key, log_key(n.member, r.last) as last_key
        from unnest(origins, firsts, lasts) r(origin, first, last) join members n on n.name = r.origin
    ), refused as (
        update commands c
        set code = reason, filled = 0, remaining = 0, dropped = case when c.kind = 1 then c.amount else 0 end,
            notional = 0
        from ranges r
        cross join lateral (
            select k.ctid as place, k.id from commands k
            where k.log_key between r.first_key and r.last_key and k.code is null and k.seq is null
            offset 0
        ) k
        where c.ctid = k.place and not exists (select from outcomes o where o.id = k.id)
        returning c.id, c.time, c.market
    ), unqueued as (
        delete from inbox i using refused r where i.market = r.market and i.time = r.time and i.id = r.id
    ), elsewhere as (
        update displaced d
        set code = reason, filled = 0, remaining = 0, dropped = case when d.kind = 1 then d.amount else 0 end,
            notional = 0
        from ranges r
        where d.log_key between r.first_key and r.last_key and d.code is null
        returning d.id
    )
    select array_agg(x.id) into shared
    from (select id from refused where exists (select from displaced d where d.id = refused.id)
          union all select id from elsewhere) x;
    if shared is not null then
        perform settle(shared);
    end if;
end
$$;

ALTER FUNCTION pgbook_data.refuse_items(origins text[], firsts bigint[], lasts bigint[], reason smallint) OWNER TO pgbook_owner;

CREATE FUNCTION pgbook_data.refuse_new_limits() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
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

ALTER FUNCTION pgbook_data.refuse_new_limits() OWNER TO pgbook_owner;

CREATE FUNCTION pgbook_data.refuse_strangers(called name) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    stranger regprocedure;
begin
    select p.oid into stranger from pg_proc p join pg_namespace n on n.oid = p.pronamespace
    where n.nspname = pgbook_data.timescale_schema() and p.proname = called
      and not exists (select from pg_depend d
                      where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e')
    limit 1;
    if found then
        raise exception 'not_permitted: % of role % stands beside TimescaleDB''s and could be called in its place; drop it',
            stranger, (select pg_get_userbyid(p.proowner) from pg_proc p where p.oid = stranger) using errcode = 'PB118';
    end if;
end
$$;

ALTER FUNCTION pgbook_data.refuse_strangers(called name) OWNER TO pgbook_owner;

CREATE FUNCTION pgbook_data.reopen_candles(market smallint, since timestamp with time zone) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    hour timestamptz := date_bin('1 hour', since, timestamptz '2000-01-03 00:00:00+00');
    day timestamptz := date_bin('1 day', since, timestamptz '2000-01-03 00:00:00+00');
begin
    perform from pgbook_data.candle_levels l where l.market = reopen_candles.market for update;
    delete from pgbook_data.candles_1h h where h.market = reopen_candles.market and h.time >= hour;
    delete from pgbook_data.candles_1d d where d.market = reopen_candles.market and d.time >= day;
    update pgbook_data.candle_levels l set closed_1h = least(l.closed_1h, hour), closed_1d = least(l.closed_1d, day)
    where l.market = reopen_candles.market;
end
$$;

ALTER FUNCTION pgbook_data.reopen_candles(market smallint, since timestamp with time zone) OWNER TO pgbook_owner;

CREATE FUNCTION pgbook_data.set_trade_chunk(span interval) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
declare
    seconds numeric := extract(epoch from span);
begin
    if seconds is null or seconds < 3600 or extract(month from span) <> 0 or extract(year from span) <> 0
       or (seconds < 86400 and 86400 % seconds <> 0) or (seconds < 86400 and seconds % 3600 <> 0)
       or (seconds >= 86400 and seconds % 86400 <> 0) or seconds > 366 * 86400 then
        raise exception 'bad_value: a chunk covers 1h, 2h, 3h, 4h, 6h, 8h, 12h or 1 to 366 whole days, not %', span
            using errcode = 'PB117', column = 'chunk';
    end if;
    perform pgbook_data.refuse_strangers('set_chunk_time_interval');
    execute format('select %I.set_chunk_time_interval(''pgbook_data.trades'', $1)', pgbook_data.timescale_schema())
        using seconds::bigint * interval '1 second';
end
$_$;

ALTER FUNCTION pgbook_data.set_trade_chunk(span interval) OWNER TO pgbook_owner;

CREATE FUNCTION pgbook_data.settle(ids uuid[]) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pgbook_data', 'pg_temp'
    AS $$
declare
    holder commands;
    first commands;
    asked uuid;
begin
    for asked in select distinct u.id from unnest(ids) u(id) loop
        select * into holder from commands c where c.id = asked;
        select d.* into first from displaced d where d.id = asked
        order by log_rank(row(d.*)::commands) collate "C" limit 1;
        if not found or log_rank(holder) collate "C" <= log_rank(first) collate "C" and holder.id is not null then
            continue;
        end if;
        delete from displaced d where d.id = asked and d.log_key is not distinct from first.log_key;
        delete from commands c where c.id = asked;
        delete from inbox i where (i.market, i.time, i.id) = (holder.market, holder.time, holder.id);
        if holder.id is not null then
            insert into displaced select holder.*;
        end if;
        -- Here its user's own id of it may be another's already; what has no stamp yet entered here, and is unique.
        first.is_remote := case when first.log_key is not null then true end;
        insert into commands select first.*;
        if first.code is null and first.log_key is not null then
            insert into inbox (time, id, market) values (first.time, first.id, first.market);
        end if;
    end loop;
end
$$;

ALTER FUNCTION pgbook_data.settle(ids uuid[]) OWNER TO pgbook_owner;

CREATE FUNCTION pgbook_data.shown(value numeric) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    SET search_path TO 'pg_catalog', 'pg_temp'
    RETURN CASE WHEN (length((value)::text) <= 40) THEN (value)::text ELSE ("left"((value)::text, 37) || '...'::text) END;

ALTER FUNCTION pgbook_data.shown(value numeric) OWNER TO pgbook_owner;

CREATE FUNCTION pgbook_data.single_candles(market smallint, starts timestamp with time zone, ends timestamp with time zone) RETURNS TABLE("time" timestamp with time zone, open bigint, high bigint, low bigint, close bigint, trades bigint, first_trade_id bigint, last_trade_id bigint, volume numeric, notional numeric, taker_buy_volume numeric, taker_buy_notional numeric)
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
begin
    return query execute
        'select t.time, t.price, t.price, t.price, t.price, 1::bigint, t.trade_id, t.trade_id, t.amount::numeric,
                t.price * t.amount::numeric, case t.taker_side when 0 then t.amount else 0 end::numeric,
                case t.taker_side when 0 then t.price * t.amount::numeric else 0 end
         from pgbook_data.trades t
         where t.market = $1 and t.time >= $2 and t.time < $3 and t.busted_at is null'
        using market, starts, ends;
end
$_$;

ALTER FUNCTION pgbook_data.single_candles(market smallint, starts timestamp with time zone, ends timestamp with time zone) OWNER TO pgbook_owner;

CREATE FUNCTION pgbook_data.stamp(n integer) RETURNS bigint
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    clock bigint := (extract(epoch from clock_timestamp()) * 1000000)::bigint;
    given bigint := nextval('pgbook_data.stamps');
begin
    if given < clock then
        given := clock;
        perform setval('pgbook_data.stamps', given + n - 1);
    elsif n > 1 then
        perform setval('pgbook_data.stamps', given + n - 1);
    end if;
    return given;
end
$$;

ALTER FUNCTION pgbook_data.stamp(n integer) OWNER TO pgbook_owner;

CREATE FUNCTION pgbook_data.state_head() RETURNS jsonb
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pgbook_data', 'pg_temp'
    AS $$
    select jsonb_build_object(
        'cluster', c.cluster_id, 'node', (select n.name from members n where n.is_self),
        'closed_through', c.closed_through, 'chain', encode(c.chain, 'hex'), 'agreed', c.agreed,
        'dropped_before', (select h.dropped_before from trade_horizon h),
        'members', (select jsonb_agg(jsonb_build_object('member', n.member, 'name', n.name,
                                                        'stored_through', n.stored_through)) from members n),
        'markets', (select jsonb_agg(jsonb_build_object(
                        'market', m.market, 'symbol', m.symbol, 'tick_size', m.tick_size, 'lot_size', m.lot_size,
                        'max_amount', m.max_amount, 'max_notional', m.max_notional, 'min_price', m.min_price,
                        'max_price', m.max_price, 'seq', s.seq, 'trade_id', s.trade_id, 'last_price', s.last_price,
                        'clock', s.clock, 'closed_through', s.closed_through, 'is_halted', s.is_halted,
                        'digest', encode(s.digest, 'hex'), 'closed_1h', l.closed_1h, 'closed_1d', l.closed_1d)
                        order by m.market)
                    from markets m join newest_state s using (market) left join candle_levels l using (market)
                    where not m.is_imported))
    from cluster c
$$;

ALTER FUNCTION pgbook_data.state_head() OWNER TO pgbook_owner;

CREATE FUNCTION pgbook_data.store_displaced(items pgbook_data.log_row[], keys bigint[]) RETURNS TABLE(origin text, number bigint)
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pgbook_data', 'pg_temp'
    AS $$
#variable_conflict use_column
declare
    stored uuid[];
    duplicates bigint[];
begin
    with kept as (
        insert into displaced (id, time, target, amount, price, expires, market, kind, side, exec_type, tif, stp,
                               change, post_only, user_id, owner, client_order_id, origin, log_key, is_remote,
                               is_unconfirmed, code, filled, remaining, dropped, notional)
        select r.id, r.time, r.target, r.amount, r.price, r.expires, m.market, r.kind, r.side, r.exec_type, r.tif,
               r.stp, r.change, r.post_only, r.user_id, r.owner, r.client_order_id, r.origin, k.log_key, true,
               nullif(r.is_unconfirmed, false), j.code, v.nothing, v.nothing,
               case when r.kind = 1 then r.amount else 0 end + v.nothing, v.nothing
        from unnest(items) r join members n on n.name = r.origin join markets m on m.symbol = r.symbol
        cross join lateral (select log_key(n.member, r.number) as log_key) k
        cross join lateral (select coalesce(r.code, case when is_settled(r.id) then 116 end)::smallint as code) j
        cross join lateral (select case when j.code is not null then 0 end as nothing) v
        where k.log_key = any (keys) and not exists (select from commands c where c.log_key = k.log_key)
        on conflict do nothing
        returning id, log_key, code
    )
    select array_agg(id), array_agg(log_key) filter (where code = 116) into stored, duplicates from kept;
    perform settle(stored);
    return query
        select r.origin, r.number from unnest(items) r join members n on n.name = r.origin
        where r.code is null and log_key(n.member, r.number) = any (duplicates);
end
$$;

ALTER FUNCTION pgbook_data.store_displaced(items pgbook_data.log_row[], keys bigint[]) OWNER TO pgbook_owner;

CREATE FUNCTION pgbook_data.store_items(items pgbook_data.log_row[]) RETURNS TABLE(origin text, number bigint)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pgbook_data', 'pg_temp'
    SET enable_seqscan TO 'off'
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    SET enable_bitmapscan TO 'off'
    SET plan_cache_mode TO 'force_generic_plan'
    SET jit TO 'off'
    AS $$
#variable_conflict use_column
declare
    known bigint;
    missed bigint[];
begin
    with given as materialized (
        select r.*, m.market, log_key(n.member, r.number) as log_key
        from unnest(items) r join members n on n.name = r.origin join markets m on m.symbol = r.symbol
    ), logged as (
        insert into commands (id, time, target, amount, price, expires, market, kind, side, exec_type, tif, stp,
                              change, post_only, user_id, owner, client_order_id, origin, log_key, is_remote,
                              is_unconfirmed, code, filled, remaining, dropped, notional)
        select g.id, g.time, g.target, g.amount, g.price, g.expires, g.market, g.kind, g.side, g.exec_type, g.tif,
               g.stp, g.change, g.post_only, g.user_id, g.owner, g.client_order_id, g.origin, g.log_key, true,
               nullif(g.is_unconfirmed, false), g.code, v.nothing, v.nothing,
               case when g.kind = 1 then g.amount else 0 end + v.nothing, v.nothing
        from given g cross join lateral (select case when g.code is not null then 0 end as nothing) v
        on conflict do nothing
        returning id, log_key, time, market, code
    ), queued as (
        insert into inbox (time, id, market) select time, id, market from logged where code is null
    )
    select (select count(*) from given),
           case when (select count(*) from given) > (select count(*) from logged)
                then array(select log_key from given except select log_key from logged) end
    into known, missed;
    if known <> cardinality(items) then
        raise exception 'of % commands % are of a node or a market that is unknown here', cardinality(items),
            cardinality(items) - known using errcode = 'PB901';
    end if;
    if missed is not null then
        return query select * from store_displaced(items, missed);
    end if;
end
$$;

ALTER FUNCTION pgbook_data.store_items(items pgbook_data.log_row[]) OWNER TO pgbook_owner;

CREATE FUNCTION pgbook_data.stored_ranges() RETURNS TABLE(origin text, first bigint, last bigint, last_stamp timestamp with time zone)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pgbook_data', 'pg_temp'
    SET enable_seqscan TO 'off'
    SET enable_bitmapscan TO 'off'
    SET jit TO 'off'
    AS $$
#variable_conflict use_column
begin
    update members n set stored_through = f.last
    from (
        select i.member, max(i.number) as last
        from (
            select n.member, l.number, l.number - row_number() over (partition by n.member order by l.number) as island
            from members n cross join lateral (
                select c.log_key - log_key(n.member, 0) as number from commands c
                where c.log_key > log_key(n.member, n.stored_through) and c.log_key < log_key((n.member + 1)::smallint, 0)
                union all
                select d.log_key - log_key(n.member, 0) from displaced d
                where d.log_key > log_key(n.member, n.stored_through) and d.log_key < log_key((n.member + 1)::smallint, 0)
            ) l
        ) i join members n on n.member = i.member
        where i.island = n.stored_through
        group by i.member
    ) f
    where n.member = f.member;
    return query
        select n.name, r.first, r.last, s.time
        from members n
        cross join lateral (
            select 1::bigint as first, n.stored_through as last where n.stored_through > 0
            union all
            select min(i.number), max(i.number)
            from (
                select l.number, l.number - row_number() over (order by l.number) as island
                from (
                    select c.log_key - log_key(n.member, 0) as number from commands c
                    where c.log_key > log_key(n.member, n.stored_through) and c.log_key < log_key((n.member + 1)::smallint, 0)
                    union all
                    select d.log_key - log_key(n.member, 0) from displaced d
                    where d.log_key > log_key(n.member, n.stored_through) and d.log_key < log_key((n.member + 1)::smallint, 0)
                ) l
            ) i group by i.island
        ) r
        cross join lateral (
            select max(x.time) as time from (
                select c.time from commands c where c.log_key = log_key(n.member, r.last)
                union all
                select d.time from displaced d where d.log_key = log_key(n.member, r.last)
            ) x
        ) s
        order by n.member, r.first;
end
$$;

ALTER FUNCTION pgbook_data.stored_ranges() OWNER TO pgbook_owner;

CREATE FUNCTION pgbook_data.take_seat(seat uuid) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pgbook_data', 'pg_temp'
    AS $$
begin
    lock table pgbook_data.sidecar in exclusive mode;
    update pgbook_data.sidecar s set seat = take_seat.seat;
end
$$;

ALTER FUNCTION pgbook_data.take_seat(seat uuid) OWNER TO pgbook_owner;

CREATE FUNCTION pgbook_data.time_first() RETURNS timestamp with time zone
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN '0001-01-01 00:00:00+00'::timestamp with time zone;

ALTER FUNCTION pgbook_data.time_first() OWNER TO pgbook_owner;

CREATE FUNCTION pgbook_data.time_last() RETURNS timestamp with time zone
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN '9999-12-31 23:59:59.999999+00'::timestamp with time zone;

ALTER FUNCTION pgbook_data.time_last() OWNER TO pgbook_owner;

CREATE FUNCTION pgbook_data.timescale_schema() RETURNS name
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    BEGIN ATOMIC
 SELECT n.nspname
    FROM (pg_extension e
      JOIN pg_namespace n ON ((n.oid = e.extnamespace)))
   WHERE (e.extname = 'timescaledb'::name);
END;

ALTER FUNCTION pgbook_data.timescale_schema() OWNER TO pgbook_owner;

CREATE FUNCTION pgbook_data.timestamp_of(stamp bigint) RETURNS timestamp with time zone
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    SET search_path TO 'pg_catalog', 'pg_temp'
    RETURN (('1970-01-01 00:00:00+00'::timestamp with time zone + (((stamp / 1000000))::double precision * '00:00:01'::interval)) + (((stamp % (1000000)::bigint))::double precision * '00:00:00.000001'::interval));

ALTER FUNCTION pgbook_data.timestamp_of(stamp bigint) OWNER TO pgbook_owner;

CREATE FUNCTION pgbook_data.trade_chunks(before timestamp with time zone) RETURNS TABLE(chunk text, begins timestamp with time zone, ends timestamp with time zone, trades bigint)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
begin
    for chunk, begins, ends in
        select c.chunk_name::text, c.range_start, c.range_end
        from timescaledb_information.chunks c
        where c.hypertable_schema = 'pgbook_data' and c.hypertable_name = 'trades' and c.range_end <= before
        order by c.range_start
    loop
        execute 'select count(*) from pgbook_data.trades where time >= $1 and time < $2' into trades using begins, ends;
        return next;
    end loop;
end
$_$;

ALTER FUNCTION pgbook_data.trade_chunks(before timestamp with time zone) OWNER TO pgbook_owner;

CREATE FUNCTION pgbook_data.traded_candles(market smallint, bucket text, range_from timestamp with time zone, range_to timestamp with time zone) RETURNS TABLE("time" timestamp with time zone, open bigint, high bigint, low bigint, close bigint, trades bigint, first_trade_id bigint, last_trade_id bigint, volume numeric, notional numeric, taker_buy_volume numeric, taker_buy_notional numeric)
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
begin
    return query execute
        'select date_bin($4, t.time, timestamptz ''2000-01-03 00:00:00+00''), (min(array[t.trade_id, t.price]))[2],
                max(t.price), min(t.price), (max(array[t.trade_id, t.price]))[2], count(*), min(t.trade_id),
                max(t.trade_id), sum(t.amount::numeric), sum(t.amount::numeric * t.price),
                coalesce(sum(t.amount::numeric) filter (where t.taker_side = 0), 0),
                coalesce(sum(t.amount::numeric * t.price) filter (where t.taker_side = 0), 0)
         from pgbook_data.trades t
         where t.market = $1 and t.time >= $2 and t.time < $3 and t.busted_at is null
         group by 1 order by 1'
        using market, range_from, range_to, bucket::interval;
end
$_$;

ALTER FUNCTION pgbook_data.traded_candles(market smallint, bucket text, range_from timestamp with time zone, range_to timestamp with time zone) OWNER TO pgbook_owner;

CREATE FUNCTION pgbook_data.unit_digits_max() RETURNS integer
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN 18;

ALTER FUNCTION pgbook_data.unit_digits_max() OWNER TO pgbook_owner;

CREATE FUNCTION pgbook_data.unit_fault(size numeric) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN (size IS NULL) THEN 'is missing; give one above zero'::text WHEN ((size = 'NaN'::numeric) OR (size <= (0)::numeric)) THEN format('%s is not above zero'::text, "left"((size)::text, 40)) WHEN ((size >= ('1000000000000000000'::bigint)::numeric) OR (scale(trim_scale(size)) > 18) OR ((trim_scale(size) * ((10)::numeric ^ (scale(trim_scale(size)))::numeric)) >= ('1000000000000000000'::bigint)::numeric)) THEN format('%s has more than 18 digits, or more than 18 after the point'::text, pgbook_data.shown(size)) ELSE NULL::text END;

ALTER FUNCTION pgbook_data.unit_fault(size numeric) OWNER TO pgbook_owner;

CREATE FUNCTION pgbook_data.user_fault(name text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN (name IS NULL) THEN 'a user id is needed'::text WHEN (NOT pgbook_data.is_name(name)) THEN ('a user id has 1 to 64 bytes of UTF-8, not '::text || octet_length(name)) WHEN (pgbook_data.hidden_character(name) IS NOT NULL) THEN (('a user id holds no U+'::text || lpad(upper(to_hex(ascii(pgbook_data.hidden_character(name)))), GREATEST(4, length(to_hex(ascii(pgbook_data.hidden_character(name))))), '0'::text)) || ': it cannot be seen, or changes the direction of what follows'::text) ELSE NULL::text END;

ALTER FUNCTION pgbook_data.user_fault(name text) OWNER TO pgbook_owner;

CREATE FUNCTION pgbook_data.uuid_v7(stamp bigint) RETURNS uuid
    LANGUAGE sql PARALLEL SAFE
    SET search_path TO 'pg_catalog', 'pg_temp'
    RETURN (encode(set_bit(set_bit(OVERLAY(uuid_send(gen_random_uuid()) PLACING SUBSTRING(int8send((stamp / 1000)) FROM 3) FROM 1 FOR 6), (52)::bigint, 1), (53)::bigint, 1), 'hex'::text))::uuid;

ALTER FUNCTION pgbook_data.uuid_v7(stamp bigint) OWNER TO pgbook_owner;

CREATE FUNCTION pgbook_data.value_max() RETURNS numeric
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN '1000000000000000000000000000000'::numeric;

ALTER FUNCTION pgbook_data.value_max() OWNER TO pgbook_owner;

CREATE FUNCTION pgbook_data.wake(sleeper regclass, channel text) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
    if pg_sequence_last_value(sleeper) > 0 then
        perform pgbook_data.hint(channel, '');
    end if;
end
$$;

ALTER FUNCTION pgbook_data.wake(sleeper regclass, channel text) OWNER TO pgbook_owner;

CREATE VIEW pgbook.book AS
 SELECT b.id,
    m.symbol AS security,
        CASE b.side
            WHEN 0 THEN 'bid'::text
            ELSE 'ask'::text
        END AS side,
    trim_scale(((b.price)::numeric * m.tick_size)) AS price,
    trim_scale(((((b.amount - b.filled) - b.dropped))::numeric * m.lot_size)) AS open,
    b.user_id,
    trim_scale(((b.amount)::numeric * m.lot_size)) AS amount,
    trim_scale(((b.filled)::numeric * m.lot_size)) AS filled,
    b.priority,
    b.expires
   FROM (pgbook_data.book b
     JOIN pgbook_data.markets m USING (market));

ALTER VIEW pgbook.book OWNER TO pgbook_owner;

CREATE VIEW pgbook.cluster AS
 SELECT c.cluster_id,
    n.name AS node,
    ARRAY( SELECT members.name
           FROM pgbook_data.members
          ORDER BY members.member) AS members,
    ((c."window")::double precision * '00:00:00.000001'::interval) AS "window",
    c.closed_through,
    encode(c.chain, 'hex'::text) AS chain,
    c.agreed,
    (pgbook_data.not_ready() IS NULL) AS is_ready,
    pgbook_data.not_ready() AS reason,
    c.heard_at
   FROM (pgbook_data.cluster c
     CROSS JOIN pgbook_data.members n)
  WHERE n.is_self;

ALTER VIEW pgbook.cluster OWNER TO pgbook_owner;

CREATE VIEW pgbook.cluster_status AS
 SELECT heard_at,
    status
   FROM pgbook_data.cluster;

ALTER VIEW pgbook.cluster_status OWNER TO pgbook_owner;

CREATE TABLE pgbook_data.displaced (
    id uuid NOT NULL,
    "time" timestamp with time zone NOT NULL,
    accepted_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    target uuid,
    amount bigint,
    price bigint,
    expires timestamp with time zone,
    market smallint NOT NULL,
    kind smallint NOT NULL,
    side smallint,
    exec_type smallint,
    tif smallint,
    stp smallint,
    change smallint,
    post_only boolean,
    user_id text NOT NULL,
    owner text,
    client_order_id text,
    origin text NOT NULL,
    seq bigint,
    filled bigint,
    remaining bigint,
    dropped bigint,
    digest_head bigint,
    code smallint,
    notional numeric,
    log_key bigint,
    is_remote boolean,
    is_unconfirmed boolean,
    CONSTRAINT displaced_names CHECK ((((octet_length(user_id) >= 1) AND (octet_length(user_id) <= 64)) AND ((octet_length(client_order_id) >= 1) AND (octet_length(client_order_id) <= 64)) AND ((octet_length(owner) >= 1) AND (octet_length(owner) <= 64)))),
    CONSTRAINT displaced_numbers CHECK ((((amount >= 1) AND (amount <= '1000000000000000000'::bigint)) AND ((price >= 1) AND (price <= '1000000000000000000'::bigint)))),
    CONSTRAINT displaced_times CHECK (((("time" >= '0001-01-01 00:00:00+00'::timestamp with time zone) AND ("time" <= '9999-12-31 23:59:59.999999+00'::timestamp with time zone)) AND ((expires >= '0001-01-01 00:00:00+00'::timestamp with time zone) AND (expires <= '9999-12-31 23:59:59.999999+00'::timestamp with time zone)))),
    CONSTRAINT displaced_words CHECK ((((kind >= 1) AND (kind <= 7)) AND ((side >= 0) AND (side <= 1)) AND ((exec_type >= 0) AND (exec_type <= 1)) AND ((tif >= 0) AND (tif <= 3)) AND ((stp >= 1) AND (stp <= 4)) AND ((change >= 1) AND (change <= 3))))
);

ALTER TABLE pgbook_data.displaced OWNER TO pgbook_owner;

CREATE TABLE pgbook_data.set_aside (
    market smallint NOT NULL,
    id uuid,
    code smallint NOT NULL,
    reason text NOT NULL,
    noticed_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);

ALTER TABLE pgbook_data.set_aside OWNER TO pgbook_owner;

CREATE VIEW pgbook.commands AS
 SELECT c.id,
    c."time",
    m.symbol AS security,
    c.user_id,
    (ARRAY['place'::text, 'amend'::text, 'cancel'::text, 'cancel_all'::text, 'halt'::text, 'resume'::text, 'expire'::text])[c.kind] AS kind,
    c.target,
    COALESCE(c.seq, w.seq) AS seq,
    pgbook_data.code_name(COALESCE(c.code, w.code, a.code)) AS code,
    trim_scale(((c.amount)::numeric * m.lot_size)) AS amount,
    trim_scale(((c.price)::numeric * m.tick_size)) AS price,
    trim_scale(((COALESCE(c.filled, w.filled))::numeric * m.lot_size)) AS filled,
    trim_scale(((COALESCE(c.remaining, w.remaining))::numeric * m.lot_size)) AS remaining,
    trim_scale(((COALESCE(c.dropped, w.dropped))::numeric * m.lot_size)) AS dropped,
    trim_scale(round(((COALESCE(c.notional, w.notional) / (NULLIF(COALESCE(c.filled, w.filled), 0))::numeric) * m.tick_size), 12)) AS avg_price,
    c.client_order_id,
    c.origin,
    c.accepted_at,
    COALESCE(w.executed_at,
        CASE
            WHEN (c.seq IS NOT NULL) THEN c.accepted_at
            ELSE NULL::timestamp with time zone
        END) AS executed_at
   FROM (((pgbook_data.commands c
     JOIN pgbook_data.markets m USING (market))
     LEFT JOIN pgbook_data.outcomes w ON ((w.id = c.id)))
     LEFT JOIN pgbook_data.set_aside a ON ((a.id = c.id)))
UNION ALL
 SELECT d.id,
    d."time",
    m.symbol AS security,
    d.user_id,
    (ARRAY['place'::text, 'amend'::text, 'cancel'::text, 'cancel_all'::text, 'halt'::text, 'resume'::text, 'expire'::text])[d.kind] AS kind,
    d.target,
    NULL::bigint AS seq,
    pgbook_data.code_name(d.code) AS code,
    trim_scale(((d.amount)::numeric * m.lot_size)) AS amount,
    trim_scale(((d.price)::numeric * m.tick_size)) AS price,
    trim_scale(((d.filled)::numeric * m.lot_size)) AS filled,
    trim_scale(((d.remaining)::numeric * m.lot_size)) AS remaining,
    trim_scale(((d.dropped)::numeric * m.lot_size)) AS dropped,
    NULL::numeric AS avg_price,
    d.client_order_id,
    d.origin,
    d.accepted_at,
    NULL::timestamp with time zone AS executed_at
   FROM (pgbook_data.displaced d
     JOIN pgbook_data.markets m USING (market));

ALTER VIEW pgbook.commands OWNER TO pgbook_owner;

CREATE TABLE pgbook_data.divergence (
    id uuid NOT NULL,
    market smallint NOT NULL,
    code_before smallint,
    filled_before bigint,
    remaining_before bigint,
    code_after smallint,
    filled_after bigint,
    remaining_after bigint,
    rebuilt_from text NOT NULL,
    noticed_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);

ALTER TABLE pgbook_data.divergence OWNER TO pgbook_owner;

CREATE VIEW pgbook.divergence AS
 SELECT d.id,
    m.symbol AS security,
    c.user_id,
    c.client_order_id,
    COALESCE(pgbook_data.code_name(d.code_before), 'pending'::text) AS code_before,
    trim_scale(((d.filled_before)::numeric * m.lot_size)) AS filled_before,
    trim_scale(((d.remaining_before)::numeric * m.lot_size)) AS remaining_before,
    COALESCE(pgbook_data.code_name(COALESCE(d.code_after, w.code, c.code)), 'pending'::text) AS code_after,
    trim_scale(((COALESCE(d.filled_after, w.filled, c.filled))::numeric * m.lot_size)) AS filled_after,
    trim_scale(((COALESCE(d.remaining_after, w.remaining, c.remaining))::numeric * m.lot_size)) AS remaining_after,
    d.rebuilt_from,
    d.noticed_at
   FROM (((pgbook_data.divergence d
     JOIN pgbook_data.markets m USING (market))
     LEFT JOIN pgbook_data.commands c ON ((c.id = d.id)))
     LEFT JOIN pgbook_data.outcomes w ON ((w.id = d.id)));

ALTER VIEW pgbook.divergence OWNER TO pgbook_owner;

CREATE TABLE pgbook_data.market_state (
    market smallint NOT NULL,
    seq bigint DEFAULT 0 NOT NULL,
    trade_id bigint DEFAULT 0 NOT NULL,
    last_price bigint,
    clock timestamp with time zone DEFAULT '-infinity'::timestamp with time zone NOT NULL,
    closed_through timestamp with time zone DEFAULT '-infinity'::timestamp with time zone NOT NULL,
    is_halted boolean DEFAULT false NOT NULL,
    digest bytea DEFAULT decode(repeat('00'::text, 32), 'hex'::text) NOT NULL,
    CONSTRAINT market_state_digest_check CHECK ((length(digest) = 32))
)
WITH (fillfactor='90', autovacuum_vacuum_scale_factor='0', autovacuum_vacuum_threshold='5000', autovacuum_vacuum_cost_delay='0');

ALTER TABLE pgbook_data.market_state OWNER TO pgbook_owner;

CREATE VIEW pgbook_data.newest_state AS
 SELECT s.market,
    s.seq,
    s.trade_id,
    s.last_price,
    s.clock,
    s.closed_through,
    s.is_halted,
    s.digest
   FROM (pgbook_data.markets m
     CROSS JOIN LATERAL ( SELECT market_state.market,
            market_state.seq,
            market_state.trade_id,
            market_state.last_price,
            market_state.clock,
            market_state.closed_through,
            market_state.is_halted,
            market_state.digest
           FROM pgbook_data.market_state
          WHERE (market_state.market = m.market)
          ORDER BY market_state.seq DESC
         LIMIT 1) s);

ALTER VIEW pgbook_data.newest_state OWNER TO pgbook_owner;

CREATE VIEW pgbook.market_units AS
 SELECT m.market,
    m.symbol AS security,
    trim_scale(m.tick_size) AS tick_size,
    trim_scale(m.lot_size) AS lot_size,
    m.is_imported,
    s.clock,
    ( SELECT c."time"
           FROM pgbook_data.candles_1m c
          WHERE (c.market = m.market)
          ORDER BY c."time"
         LIMIT 1) AS first_minute,
    ( SELECT c."time"
           FROM pgbook_data.candles_1m c
          WHERE (c.market = m.market)
          ORDER BY c."time" DESC
         LIMIT 1) AS last_minute
   FROM (pgbook_data.markets m
     JOIN pgbook_data.newest_state s USING (market));

ALTER VIEW pgbook.market_units OWNER TO pgbook_owner;

CREATE VIEW pgbook.markets AS
 SELECT m.symbol AS security,
    trim_scale(m.tick_size) AS tick_size,
    trim_scale(m.lot_size) AS lot_size,
    trim_scale(((m.max_amount)::numeric * m.lot_size)) AS max_amount,
    trim_scale(((m.max_notional * m.tick_size) * m.lot_size)) AS max_notional,
    trim_scale(((m.min_price)::numeric * m.tick_size)) AS min_price,
    trim_scale(((m.max_price)::numeric * m.tick_size)) AS max_price,
        CASE
            WHEN s.is_halted THEN 'halted'::text
            ELSE 'open'::text
        END AS state,
    s.seq,
    s.trade_id AS trades,
    trim_scale(((s.last_price)::numeric * m.tick_size)) AS last_price,
    encode(s.digest, 'hex'::text) AS digest
   FROM (pgbook_data.markets m
     JOIN pgbook_data.newest_state s USING (market));

ALTER VIEW pgbook.markets OWNER TO pgbook_owner;

CREATE TABLE pgbook_data.closed (
    id uuid NOT NULL,
    seq bigint NOT NULL,
    price bigint NOT NULL,
    amount bigint NOT NULL,
    filled bigint NOT NULL,
    dropped bigint NOT NULL,
    market smallint NOT NULL,
    reason smallint NOT NULL,
    notional numeric NOT NULL
);

ALTER TABLE pgbook_data.closed OWNER TO pgbook_owner;

CREATE VIEW pgbook.orders AS
 SELECT c.id,
    c."time",
    c.user_id,
        CASE c.side
            WHEN 0 THEN 'bid'::text
            ELSE 'ask'::text
        END AS type,
        CASE c.exec_type
            WHEN 0 THEN 'market'::text
            ELSE 'limit'::text
        END AS exec_type,
    trim_scale(((COALESCE(b.amount, x.amount, c.amount))::numeric * m.lot_size)) AS amount,
    trim_scale(((COALESCE(b.price, x.price, c.price))::numeric * m.tick_size)) AS price,
    m.symbol AS security,
        CASE
            WHEN (b.id IS NOT NULL) THEN 'open'::text
            WHEN (x.id IS NOT NULL) THEN (ARRAY['filled'::text, 'cancelled'::text, 'expired'::text, 'cancelled'::text])[x.reason]
            WHEN (o.code IS NULL) THEN 'pending'::text
            WHEN (o.code = 1) THEN 'open'::text
            WHEN (o.code = 2) THEN 'filled'::text
            WHEN (o.code = 3) THEN 'cancelled'::text
            ELSE 'refused'::text
        END AS status,
    trim_scale(((COALESCE(b.filled, x.filled, o.filled, (0)::bigint))::numeric * m.lot_size)) AS filled,
    trim_scale(((
        CASE
            WHEN (b.id IS NOT NULL) THEN ((b.amount - b.filled) - b.dropped)
            WHEN (o.code IS NULL) THEN c.amount
            ELSE (0)::bigint
        END)::numeric * m.lot_size)) AS remaining,
    trim_scale(round(((COALESCE(b.notional, x.notional, o.notional) / (NULLIF(COALESCE(b.filled, x.filled, o.filled), 0))::numeric) * m.tick_size), 12)) AS avg_price,
        CASE
            WHEN (o.code > 2) THEN pgbook_data.code_name(o.code)
            WHEN (x.reason = 4) THEN 'self_trade_prevention'::text
            ELSE NULL::text
        END AS reason,
    (ARRAY['gtc'::text, 'ioc'::text, 'fok'::text, 'gtd'::text])[(c.tif + 1)] AS time_in_force,
    c.post_only,
    (ARRAY['dc'::text, 'co'::text, 'cn'::text, 'cb'::text])[c.stp] AS self_trade_prevention,
    c.expires,
    c.client_order_id,
    c.origin,
    o.seq,
    c.accepted_at,
    o.executed_at
   FROM ((((((pgbook_data.commands c
     JOIN pgbook_data.markets m USING (market))
     LEFT JOIN pgbook_data.outcomes w ON ((w.id = c.id)))
     LEFT JOIN pgbook_data.book b ON ((b.id = c.id)))
     LEFT JOIN pgbook_data.closed x ON ((x.id = c.id)))
     LEFT JOIN pgbook_data.set_aside a ON ((a.id = c.id)))
     CROSS JOIN LATERAL ( SELECT COALESCE(c.seq, w.seq) AS seq,
            COALESCE(c.code, w.code, a.code) AS code,
            COALESCE(c.filled, w.filled) AS filled,
            COALESCE(c.notional, w.notional) AS notional,
            COALESCE(w.executed_at,
                CASE
                    WHEN (c.seq IS NOT NULL) THEN c.accepted_at
                    ELSE NULL::timestamp with time zone
                END) AS executed_at) o)
  WHERE (c.kind = 1);

ALTER VIEW pgbook.orders OWNER TO pgbook_owner;

CREATE VIEW pgbook.set_aside AS
 SELECT COALESCE(m.symbol, (a.market)::text) AS security,
    a.id,
    c.user_id,
    pgbook_data.code_name(a.code) AS code,
    a.reason,
    a.noticed_at
   FROM ((pgbook_data.set_aside a
     LEFT JOIN pgbook_data.markets m USING (market))
     LEFT JOIN LATERAL ( SELECT commands.user_id
           FROM pgbook_data.commands
          WHERE (commands.id = a.id)
         LIMIT 1) c ON (true));

ALTER VIEW pgbook.set_aside OWNER TO pgbook_owner;

CREATE VIEW pgbook.taker_trades AS
SELECT
    NULL::uuid AS id,
    NULL::timestamp with time zone AS "time",
    NULL::text AS user_id,
    NULL::numeric AS amount,
    NULL::numeric AS avg_price,
    NULL::text AS security,
    NULL::text AS side,
    NULL::bigint AS trades;

ALTER VIEW pgbook.taker_trades OWNER TO pgbook_owner;

CREATE VIEW pgbook.trade_units AS
 SELECT market,
    "time",
    trade_id,
    price,
    amount,
    taker_side,
    maker_order,
    taker_order
   FROM pgbook_data.trades
  WHERE (busted_at IS NULL);

ALTER VIEW pgbook.trade_units OWNER TO pgbook_owner;

CREATE VIEW pgbook.waiting AS
 SELECT m.symbol AS security,
    count(*) AS commands,
    min(i."time") AS oldest
   FROM (pgbook_data.inbox i
     JOIN pgbook_data.markets m USING (market))
  GROUP BY m.symbol;

ALTER VIEW pgbook.waiting OWNER TO pgbook_owner;

CREATE TABLE pgbook_data.candle_levels (
    market smallint NOT NULL,
    closed_1h timestamp with time zone DEFAULT '-infinity'::timestamp with time zone NOT NULL,
    closed_1d timestamp with time zone DEFAULT '-infinity'::timestamp with time zone NOT NULL,
    rebuilt_before timestamp with time zone,
    CONSTRAINT candle_levels_times CHECK ((((closed_1h = '-infinity'::timestamp with time zone) OR ((closed_1h >= '0001-01-01 00:00:00+00'::timestamp with time zone) AND (closed_1h <= '9999-12-31 23:59:59.999999+00'::timestamp with time zone))) AND ((closed_1d = '-infinity'::timestamp with time zone) OR ((closed_1d >= '0001-01-01 00:00:00+00'::timestamp with time zone) AND (closed_1d <= '9999-12-31 23:59:59.999999+00'::timestamp with time zone)))))
);

ALTER TABLE pgbook_data.candle_levels OWNER TO pgbook_owner;

CREATE VIEW pgbook_data.executions AS
 SELECT commands.id,
    commands.seq,
    commands.filled,
    commands.remaining,
    commands.dropped,
    commands.accepted_at AS executed_at,
    commands.market,
    commands.code,
    commands.notional,
    commands.digest_head
   FROM pgbook_data.commands
  WHERE (commands.seq IS NOT NULL)
UNION ALL
 SELECT outcomes.id,
    outcomes.seq,
    outcomes.filled,
    outcomes.remaining,
    outcomes.dropped,
    outcomes.executed_at,
    outcomes.market,
    outcomes.code,
    outcomes.notional,
    outcomes.digest_head
   FROM pgbook_data.outcomes;

ALTER VIEW pgbook_data.executions OWNER TO pgbook_owner;

CREATE TABLE pgbook_data.home (
    is_only boolean DEFAULT true NOT NULL,
    system bigint NOT NULL,
    database oid NOT NULL,
    noted_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT home_is_only_check CHECK (is_only)
);

ALTER TABLE pgbook_data.home OWNER TO pgbook_owner;

ALTER TABLE pgbook_data.imports ALTER COLUMN import ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME pgbook_data.imports_import_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE UNLOGGED SEQUENCE pgbook_data.inbox_sleeper
    START WITH 0
    INCREMENT BY 1
    MINVALUE 0
    NO MAXVALUE
    CACHE 1;

ALTER SEQUENCE pgbook_data.inbox_sleeper OWNER TO pgbook_owner;

ALTER TABLE pgbook_data.markets ALTER COLUMN market ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME pgbook_data.markets_market_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE pgbook_data.node (
    is_only boolean DEFAULT true NOT NULL,
    name text NOT NULL,
    CONSTRAINT node_is_only_check CHECK (is_only),
    CONSTRAINT node_name_check CHECK ((name ~ '^[a-z0-9][a-z0-9-]{0,31}$'::text))
);

ALTER TABLE pgbook_data.node OWNER TO pgbook_owner;

CREATE VIEW pgbook_data.node_log AS
 SELECT n.name AS origin,
    (l.log_key & (((1)::bigint << 48) - 1)) AS number,
    l.id,
    l."time",
    (
        CASE
            WHEN (l.seq IS NOT NULL) THEN 0
            ELSE
            CASE l.code
                WHEN 115 THEN 1
                WHEN 119 THEN 2
                WHEN 116 THEN 3
                ELSE 0
            END
        END)::smallint AS verdict,
    (l.is_unconfirmed IS TRUE) AS is_unconfirmed,
    l.market,
    l.log_key,
    l.is_displaced
   FROM (( SELECT c.log_key,
            c.id,
            c."time",
            c.seq,
            c.code,
            c.is_unconfirmed,
            c.market,
            false AS is_displaced
           FROM pgbook_data.commands c
          WHERE (c.log_key IS NOT NULL)
        UNION ALL
         SELECT d.log_key,
            d.id,
            d."time",
            d.seq,
            d.code,
            d.is_unconfirmed,
            d.market,
            true
           FROM pgbook_data.displaced d
          WHERE (d.log_key IS NOT NULL)) l
     JOIN pgbook_data.members n ON ((n.member = (l.log_key >> 48))));

ALTER VIEW pgbook_data.node_log OWNER TO pgbook_owner;

ALTER TABLE pgbook_data.outbox ALTER COLUMN entered ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME pgbook_data.outbox_entered_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE UNLOGGED SEQUENCE pgbook_data.outbox_sleeper
    START WITH 0
    INCREMENT BY 1
    MINVALUE 0
    NO MAXVALUE
    CACHE 1;

ALTER SEQUENCE pgbook_data.outbox_sleeper OWNER TO pgbook_owner;

CREATE TABLE pgbook_data.proposals (
    arrived bigint NOT NULL,
    member smallint NOT NULL,
    id uuid NOT NULL,
    target uuid,
    amount bigint,
    price bigint,
    expires timestamp with time zone,
    market smallint NOT NULL,
    kind smallint NOT NULL,
    side smallint,
    exec_type smallint,
    tif smallint,
    stp smallint,
    change smallint,
    post_only boolean,
    user_id text NOT NULL,
    owner text,
    client_order_id text,
    CONSTRAINT proposals_names CHECK ((((octet_length(user_id) >= 1) AND (octet_length(user_id) <= 64)) AND ((octet_length(client_order_id) >= 1) AND (octet_length(client_order_id) <= 64)) AND ((octet_length(owner) >= 1) AND (octet_length(owner) <= 64)))),
    CONSTRAINT proposals_numbers CHECK ((((amount >= 1) AND (amount <= '1000000000000000000'::bigint)) AND ((price >= 1) AND (price <= '1000000000000000000'::bigint)))),
    CONSTRAINT proposals_times CHECK (((expires >= '0001-01-01 00:00:00+00'::timestamp with time zone) AND (expires <= '9999-12-31 23:59:59.999999+00'::timestamp with time zone))),
    CONSTRAINT proposals_words CHECK ((((kind >= 1) AND (kind <= 7)) AND ((side >= 0) AND (side <= 1)) AND ((exec_type >= 0) AND (exec_type <= 1)) AND ((tif >= 0) AND (tif <= 3)) AND ((stp >= 1) AND (stp <= 4)) AND ((change >= 1) AND (change <= 3))))
)
WITH (autovacuum_vacuum_scale_factor='0', autovacuum_vacuum_threshold='20000', autovacuum_vacuum_cost_delay='0');

ALTER TABLE pgbook_data.proposals OWNER TO pgbook_owner;

ALTER TABLE pgbook_data.proposals ALTER COLUMN arrived ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME pgbook_data.proposals_arrived_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE pgbook_data.sidecar (
    is_only boolean DEFAULT true NOT NULL,
    seat uuid,
    CONSTRAINT sidecar_is_only_check CHECK (is_only)
);

ALTER TABLE pgbook_data.sidecar OWNER TO pgbook_owner;

CREATE VIEW pgbook_data.sidecar_seat AS
 SELECT true AS is_taken_by_a_lock;

ALTER VIEW pgbook_data.sidecar_seat OWNER TO pgbook_owner;

CREATE SEQUENCE pgbook_data.stamps
    START WITH 0
    INCREMENT BY 1
    MINVALUE 0
    MAXVALUE 253402300799999999
    CACHE 1;

ALTER SEQUENCE pgbook_data.stamps OWNER TO pgbook_owner;

CREATE TABLE pgbook_data.trade_horizon (
    is_only boolean DEFAULT true NOT NULL,
    dropped_before timestamp with time zone DEFAULT '-infinity'::timestamp with time zone NOT NULL,
    CONSTRAINT trade_horizon_is_only_check CHECK (is_only)
);

ALTER TABLE pgbook_data.trade_horizon OWNER TO pgbook_owner;

CREATE TABLE pgbook_schema.functions (
    is_only boolean DEFAULT true NOT NULL,
    checksum text NOT NULL,
    applied_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT functions_is_only_check CHECK (is_only)
);

ALTER TABLE pgbook_schema.functions OWNER TO pgbook_owner;

CREATE TABLE pgbook_schema.migrations (
    name text NOT NULL,
    checksum bytea NOT NULL,
    applied_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);

ALTER TABLE pgbook_schema.migrations OWNER TO pgbook_owner;

ALTER TABLE ONLY pgbook_data.book
    ADD CONSTRAINT book_id PRIMARY KEY (id);

ALTER TABLE ONLY pgbook_data.busts
    ADD CONSTRAINT busts_trade PRIMARY KEY (market, trade_id);

ALTER TABLE ONLY pgbook_data.candle_levels
    ADD CONSTRAINT candle_levels_pkey PRIMARY KEY (market);

ALTER TABLE ONLY pgbook_data.candles_1d
    ADD CONSTRAINT candles_1d_bucket PRIMARY KEY (market, "time");

ALTER TABLE ONLY pgbook_data.candles_1h
    ADD CONSTRAINT candles_1h_bucket PRIMARY KEY (market, "time");

ALTER TABLE ONLY pgbook_data.candles_1m
    ADD CONSTRAINT candles_1m_bucket PRIMARY KEY (market, "time");

ALTER TABLE ONLY pgbook_data.closed
    ADD CONSTRAINT closed_id PRIMARY KEY (id);

ALTER TABLE ONLY pgbook_data.cluster
    ADD CONSTRAINT cluster_pkey PRIMARY KEY (is_only);

ALTER TABLE ONLY pgbook_data.commands
    ADD CONSTRAINT commands_id PRIMARY KEY (id);

ALTER TABLE ONLY pgbook_data.home
    ADD CONSTRAINT home_pkey PRIMARY KEY (is_only);

ALTER TABLE ONLY pgbook_data.imports
    ADD CONSTRAINT imports_pkey PRIMARY KEY (import);

ALTER TABLE ONLY pgbook_data.inbox
    ADD CONSTRAINT inbox_pool PRIMARY KEY (market, "time", id);

ALTER TABLE ONLY pgbook_data.market_state
    ADD CONSTRAINT market_state_pkey PRIMARY KEY (market, seq);

ALTER TABLE ONLY pgbook_data.markets
    ADD CONSTRAINT markets_pkey PRIMARY KEY (market);

ALTER TABLE ONLY pgbook_data.markets
    ADD CONSTRAINT markets_symbol_key UNIQUE (symbol);

ALTER TABLE ONLY pgbook_data.matchers
    ADD CONSTRAINT matchers_pkey PRIMARY KEY (matcher);

ALTER TABLE ONLY pgbook_data.members
    ADD CONSTRAINT members_name_key UNIQUE (name);

ALTER TABLE ONLY pgbook_data.members
    ADD CONSTRAINT members_pkey PRIMARY KEY (member);

ALTER TABLE ONLY pgbook_data.node
    ADD CONSTRAINT node_pkey PRIMARY KEY (is_only);

ALTER TABLE ONLY pgbook_data.outbox
    ADD CONSTRAINT outbox_id PRIMARY KEY (id);

ALTER TABLE ONLY pgbook_data.outcomes
    ADD CONSTRAINT outcomes_id UNIQUE (id);

ALTER TABLE ONLY pgbook_data.outcomes
    ADD CONSTRAINT outcomes_seq PRIMARY KEY (market, seq);

ALTER TABLE ONLY pgbook_data.proposals
    ADD CONSTRAINT proposals_id PRIMARY KEY (id, member);

ALTER TABLE ONLY pgbook_data.sidecar
    ADD CONSTRAINT sidecar_pkey PRIMARY KEY (is_only);

ALTER TABLE ONLY pgbook_data.trade_horizon
    ADD CONSTRAINT trade_horizon_pkey PRIMARY KEY (is_only);

ALTER TABLE ONLY pgbook_schema.functions
    ADD CONSTRAINT functions_pkey PRIMARY KEY (is_only);

ALTER TABLE ONLY pgbook_schema.migrations
    ADD CONSTRAINT migrations_pkey PRIMARY KEY (name);

CREATE INDEX book_expires ON pgbook_data.book USING btree (market, expires) WHERE (expires IS NOT NULL);

CREATE UNIQUE INDEX book_queue ON pgbook_data.book USING btree (market, side, (
CASE side
    WHEN 0 THEN (- price)
    ELSE price
END), priority);

CREATE UNIQUE INDEX commands_client_order_id ON pgbook_data.commands USING btree (user_id, client_order_id, (
CASE
    WHEN is_remote THEN log_key
    ELSE (0)::bigint
END)) WHERE (client_order_id IS NOT NULL);

CREATE UNIQUE INDEX commands_log ON pgbook_data.commands USING btree (log_key) WHERE (log_key IS NOT NULL);

CREATE UNIQUE INDEX commands_seq ON pgbook_data.commands USING btree (market, seq) WHERE (seq IS NOT NULL);

CREATE INDEX commands_time ON pgbook_data.commands USING brin ("time");

CREATE INDEX displaced_id ON pgbook_data.displaced USING btree (id);

CREATE UNIQUE INDEX displaced_log ON pgbook_data.displaced USING btree (log_key) WHERE (log_key IS NOT NULL);

CREATE INDEX divergence_id ON pgbook_data.divergence USING btree (id);

CREATE INDEX imports_market ON pgbook_data.imports USING btree (market, import) WHERE (undone_at IS NULL);

CREATE INDEX outbox_order ON pgbook_data.outbox USING btree (xact, entered);

CREATE UNIQUE INDEX set_aside_command ON pgbook_data.set_aside USING btree (id) WHERE (id IS NOT NULL);

CREATE UNIQUE INDEX set_aside_market ON pgbook_data.set_aside USING btree (market) WHERE (id IS NULL);

CREATE UNIQUE INDEX trades_id ON pgbook_data.trades USING btree (market, "time", trade_id);

CREATE OR REPLACE VIEW pgbook.taker_trades AS
 SELECT t.taker_order AS id,
    t."time",
    t.taker_user AS user_id,
    trim_scale((sum(t.amount) * m.lot_size)) AS amount,
    trim_scale(round(((sum(((t.amount)::numeric * (t.price)::numeric)) / sum(t.amount)) * m.tick_size), 12)) AS avg_price,
    m.symbol AS security,
        CASE t.taker_side
            WHEN 0 THEN 'bid'::text
            ELSE 'ask'::text
        END AS side,
    count(*) AS trades
   FROM (pgbook_data.trades t
     JOIN pgbook_data.markets m USING (market))
  GROUP BY m.market, t.seq, t."time", t.taker_order, t.taker_user, t.taker_side;

CREATE TRIGGER no_import_into_a_cluster BEFORE UPDATE OF is_imported ON pgbook_data.markets FOR EACH ROW WHEN (new.is_imported) EXECUTE FUNCTION pgbook_data.refuse_import();

CREATE TRIGGER no_new_limits BEFORE UPDATE OF tick_size, lot_size, max_amount, max_notional ON pgbook_data.markets FOR EACH ROW EXECUTE FUNCTION pgbook_data.refuse_new_limits();

CREATE TRIGGER ts_insert_blocker BEFORE INSERT ON pgbook_data.trades FOR EACH ROW EXECUTE FUNCTION _timescaledb_functions.insert_blocker();

ALTER TABLE ONLY pgbook_data.candle_levels
    ADD CONSTRAINT candle_levels_market_fkey FOREIGN KEY (market) REFERENCES pgbook_data.markets(market);

ALTER TABLE ONLY pgbook_data.imports
    ADD CONSTRAINT imports_market_fkey FOREIGN KEY (market) REFERENCES pgbook_data.markets(market);

ALTER TABLE ONLY pgbook_data.market_state
    ADD CONSTRAINT market_state_market_fkey FOREIGN KEY (market) REFERENCES pgbook_data.markets(market);

GRANT USAGE ON SCHEMA pgbook TO pgbook_reader;
GRANT USAGE ON SCHEMA pgbook TO pgbook_node;

GRANT USAGE ON SCHEMA pgbook_data TO pgbook_node;

GRANT USAGE ON SCHEMA pgbook_schema TO PUBLIC;

REVOKE ALL ON FUNCTION pgbook.add_market(security text, tick_size numeric, lot_size numeric, max_amount numeric, max_notional numeric, min_price numeric, max_price numeric) FROM PUBLIC;
GRANT ALL ON FUNCTION pgbook.add_market(security text, tick_size numeric, lot_size numeric, max_amount numeric, max_notional numeric, min_price numeric, max_price numeric) TO pgbook_node;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE pgbook_data.book TO pgbook_node;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE pgbook_data.markets TO pgbook_node;

REVOKE ALL ON FUNCTION pgbook.agg_book(security text, depth integer) FROM PUBLIC;
GRANT ALL ON FUNCTION pgbook.agg_book(security text, depth integer) TO pgbook_node;
GRANT ALL ON FUNCTION pgbook.agg_book(security text, depth integer) TO pgbook_reader;

REVOKE ALL ON FUNCTION pgbook_data.acting_user(user_id text) FROM PUBLIC;
GRANT ALL ON FUNCTION pgbook_data.acting_user(user_id text) TO pgbook_node;

REVOKE ALL ON FUNCTION pgbook_data.enter_one(kind smallint, id uuid, user_id text, symbol text, side smallint, exec_type smallint, tif smallint, post_only boolean, stp smallint, amount numeric, price numeric, target uuid, change smallint, expires timestamp with time zone, owner text, client_order_id text) FROM PUBLIC;
GRANT ALL ON FUNCTION pgbook_data.enter_one(kind smallint, id uuid, user_id text, symbol text, side smallint, exec_type smallint, tif smallint, post_only boolean, stp smallint, amount numeric, price numeric, target uuid, change smallint, expires timestamp with time zone, owner text, client_order_id text) TO pgbook_node;

REVOKE ALL ON FUNCTION pgbook.amend_order(id uuid, amount numeric, price numeric, client_order_id text, user_id text) FROM PUBLIC;
GRANT ALL ON FUNCTION pgbook.amend_order(id uuid, amount numeric, price numeric, client_order_id text, user_id text) TO pgbook_node;
GRANT ALL ON FUNCTION pgbook.amend_order(id uuid, amount numeric, price numeric, client_order_id text, user_id text) TO pgbook_trader;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE pgbook_data.busts TO pgbook_node;

GRANT SELECT ON TABLE pgbook.busts TO pgbook_reader;

REVOKE ALL ON FUNCTION pgbook.bust_trade(security text, trade_id bigint, reason text) FROM PUBLIC;
GRANT ALL ON FUNCTION pgbook.bust_trade(security text, trade_id bigint, reason text) TO pgbook_node;

REVOKE ALL ON FUNCTION pgbook.cancel_all(security text, side text, user_id text, everybody boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION pgbook.cancel_all(security text, side text, user_id text, everybody boolean) TO pgbook_node;
GRANT ALL ON FUNCTION pgbook.cancel_all(security text, side text, user_id text, everybody boolean) TO pgbook_trader;

REVOKE ALL ON FUNCTION pgbook.cancel_order(id uuid, client_order_id text, user_id text) FROM PUBLIC;
GRANT ALL ON FUNCTION pgbook.cancel_order(id uuid, client_order_id text, user_id text) TO pgbook_node;
GRANT ALL ON FUNCTION pgbook.cancel_order(id uuid, client_order_id text, user_id text) TO pgbook_trader;

REVOKE ALL ON FUNCTION pgbook_data.composed_candles(market smallint, bucket text, range_from timestamp with time zone, range_to timestamp with time zone, tz text) FROM PUBLIC;
GRANT ALL ON FUNCTION pgbook_data.composed_candles(market smallint, bucket text, range_from timestamp with time zone, range_to timestamp with time zone, tz text) TO pgbook_node;

REVOKE ALL ON FUNCTION pgbook_data.open_candles(market smallint, bucket text, range_from timestamp with time zone, range_to timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION pgbook_data.open_candles(market smallint, bucket text, range_from timestamp with time zone, range_to timestamp with time zone) TO pgbook_node;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE pgbook_data.candles_1d TO pgbook_node;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE pgbook_data.candles_1h TO pgbook_node;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE pgbook_data.candles_1m TO pgbook_node;

REVOKE ALL ON FUNCTION pgbook_data.candle_rows(market smallint, bucket text, range_from timestamp with time zone, range_to timestamp with time zone, tz text) FROM PUBLIC;
GRANT ALL ON FUNCTION pgbook_data.candle_rows(market smallint, bucket text, range_from timestamp with time zone, range_to timestamp with time zone, tz text) TO pgbook_node;

REVOKE ALL ON FUNCTION pgbook.candle_trade_ids(security text, "interval" text, "from" timestamp with time zone, "to" timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION pgbook.candle_trade_ids(security text, "interval" text, "from" timestamp with time zone, "to" timestamp with time zone) TO pgbook_node;
GRANT ALL ON FUNCTION pgbook.candle_trade_ids(security text, "interval" text, "from" timestamp with time zone, "to" timestamp with time zone) TO pgbook_reader;

REVOKE ALL ON FUNCTION pgbook_data.quotient(dividend numeric, divisor numeric, digits integer) FROM PUBLIC;
GRANT ALL ON FUNCTION pgbook_data.quotient(dividend numeric, divisor numeric, digits integer) TO pgbook_node;
GRANT ALL ON FUNCTION pgbook_data.quotient(dividend numeric, divisor numeric, digits integer) TO pgbook_reader;

GRANT SELECT ON TABLE pgbook.candles_1m TO pgbook_reader;

REVOKE ALL ON FUNCTION pgbook.candles(security text, "interval" text, "from" timestamp with time zone, "to" timestamp with time zone, fill text, tz text) FROM PUBLIC;
GRANT ALL ON FUNCTION pgbook.candles(security text, "interval" text, "from" timestamp with time zone, "to" timestamp with time zone, fill text, tz text) TO pgbook_node;
GRANT ALL ON FUNCTION pgbook.candles(security text, "interval" text, "from" timestamp with time zone, "to" timestamp with time zone, fill text, tz text) TO pgbook_reader;

REVOKE ALL ON FUNCTION pgbook.candles_closed_until(security text, "interval" text) FROM PUBLIC;
GRANT ALL ON FUNCTION pgbook.candles_closed_until(security text, "interval" text) TO pgbook_node;
GRANT ALL ON FUNCTION pgbook.candles_closed_until(security text, "interval" text) TO pgbook_reader;

REVOKE ALL ON FUNCTION pgbook.fills(security text, "from" timestamp with time zone, "to" timestamp with time zone, by text, tz text) FROM PUBLIC;
GRANT ALL ON FUNCTION pgbook.fills(security text, "from" timestamp with time zone, "to" timestamp with time zone, by text, tz text) TO pgbook_node;
GRANT ALL ON FUNCTION pgbook.fills(security text, "from" timestamp with time zone, "to" timestamp with time zone, by text, tz text) TO pgbook_reader;

REVOKE ALL ON FUNCTION pgbook.flow(security text, "from" timestamp with time zone, "to" timestamp with time zone, by text, tz text) FROM PUBLIC;
GRANT ALL ON FUNCTION pgbook.flow(security text, "from" timestamp with time zone, "to" timestamp with time zone, by text, tz text) TO pgbook_node;
GRANT ALL ON FUNCTION pgbook.flow(security text, "from" timestamp with time zone, "to" timestamp with time zone, by text, tz text) TO pgbook_reader;

REVOKE ALL ON FUNCTION pgbook.halt_market(security text) FROM PUBLIC;
GRANT ALL ON FUNCTION pgbook.halt_market(security text) TO pgbook_node;

REVOKE ALL ON FUNCTION pgbook.last_candles(security text, "interval" text, n integer, fill text, tz text) FROM PUBLIC;
GRANT ALL ON FUNCTION pgbook.last_candles(security text, "interval" text, n integer, fill text, tz text) TO pgbook_node;
GRANT ALL ON FUNCTION pgbook.last_candles(security text, "interval" text, n integer, fill text, tz text) TO pgbook_reader;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE pgbook_data.trades TO pgbook_node;

GRANT SELECT ON TABLE pgbook.trades TO pgbook_reader;

REVOKE ALL ON FUNCTION pgbook.last_trades(security text, n integer) FROM PUBLIC;
GRANT ALL ON FUNCTION pgbook.last_trades(security text, n integer) TO pgbook_node;
GRANT ALL ON FUNCTION pgbook.last_trades(security text, n integer) TO pgbook_reader;

REVOKE ALL ON FUNCTION pgbook.latency(security text, "from" timestamp with time zone, "to" timestamp with time zone, by text, tz text) FROM PUBLIC;
GRANT ALL ON FUNCTION pgbook.latency(security text, "from" timestamp with time zone, "to" timestamp with time zone, by text, tz text) TO pgbook_node;
GRANT ALL ON FUNCTION pgbook.latency(security text, "from" timestamp with time zone, "to" timestamp with time zone, by text, tz text) TO pgbook_reader;

REVOKE ALL ON FUNCTION pgbook.markout(security text, "from" timestamp with time zone, "to" timestamp with time zone, horizons interval[], against text, by text, tz text) FROM PUBLIC;
GRANT ALL ON FUNCTION pgbook.markout(security text, "from" timestamp with time zone, "to" timestamp with time zone, horizons interval[], against text, by text, tz text) TO pgbook_node;
GRANT ALL ON FUNCTION pgbook.markout(security text, "from" timestamp with time zone, "to" timestamp with time zone, horizons interval[], against text, by text, tz text) TO pgbook_reader;

REVOKE ALL ON FUNCTION pgbook.ohlcv(security text, "from" timestamp with time zone, "to" timestamp with time zone, by text, tz text) FROM PUBLIC;
GRANT ALL ON FUNCTION pgbook.ohlcv(security text, "from" timestamp with time zone, "to" timestamp with time zone, by text, tz text) TO pgbook_node;
GRANT ALL ON FUNCTION pgbook.ohlcv(security text, "from" timestamp with time zone, "to" timestamp with time zone, by text, tz text) TO pgbook_reader;

REVOKE ALL ON FUNCTION pgbook_data.number_of(word text, words text[], numbers smallint[], field text) FROM PUBLIC;
GRANT ALL ON FUNCTION pgbook_data.number_of(word text, words text[], numbers smallint[], field text) TO pgbook_node;

REVOKE ALL ON FUNCTION pgbook.place_order(security text, side text, amount numeric, price numeric, exec_type text, time_in_force text, post_only boolean, self_trade_prevention text, expires timestamp with time zone, client_order_id text, user_id text, id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION pgbook.place_order(security text, side text, amount numeric, price numeric, exec_type text, time_in_force text, post_only boolean, self_trade_prevention text, expires timestamp with time zone, client_order_id text, user_id text, id uuid) TO pgbook_node;
GRANT ALL ON FUNCTION pgbook.place_order(security text, side text, amount numeric, price numeric, exec_type text, time_in_force text, post_only boolean, self_trade_prevention text, expires timestamp with time zone, client_order_id text, user_id text, id uuid) TO pgbook_trader;

REVOKE ALL ON FUNCTION pgbook.reduce_order(id uuid, amount numeric, client_order_id text, user_id text) FROM PUBLIC;
GRANT ALL ON FUNCTION pgbook.reduce_order(id uuid, amount numeric, client_order_id text, user_id text) TO pgbook_node;
GRANT ALL ON FUNCTION pgbook.reduce_order(id uuid, amount numeric, client_order_id text, user_id text) TO pgbook_trader;

REVOKE ALL ON FUNCTION pgbook.resume_market(security text) FROM PUBLIC;
GRANT ALL ON FUNCTION pgbook.resume_market(security text) TO pgbook_node;

REVOKE ALL ON FUNCTION pgbook.sizes(security text, "from" timestamp with time zone, "to" timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION pgbook.sizes(security text, "from" timestamp with time zone, "to" timestamp with time zone) TO pgbook_node;
GRANT ALL ON FUNCTION pgbook.sizes(security text, "from" timestamp with time zone, "to" timestamp with time zone) TO pgbook_reader;

REVOKE ALL ON FUNCTION pgbook.slippage(security text, "from" timestamp with time zone, "to" timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION pgbook.slippage(security text, "from" timestamp with time zone, "to" timestamp with time zone) TO pgbook_node;
GRANT ALL ON FUNCTION pgbook.slippage(security text, "from" timestamp with time zone, "to" timestamp with time zone) TO pgbook_reader;

REVOKE ALL ON FUNCTION pgbook.spread(security text, "from" timestamp with time zone, "to" timestamp with time zone, horizon interval, by text, tz text) FROM PUBLIC;
GRANT ALL ON FUNCTION pgbook.spread(security text, "from" timestamp with time zone, "to" timestamp with time zone, horizon interval, by text, tz text) TO pgbook_node;
GRANT ALL ON FUNCTION pgbook.spread(security text, "from" timestamp with time zone, "to" timestamp with time zone, horizon interval, by text, tz text) TO pgbook_reader;

REVOKE ALL ON FUNCTION pgbook.top(security text, "from" timestamp with time zone, "to" timestamp with time zone, n integer) FROM PUBLIC;
GRANT ALL ON FUNCTION pgbook.top(security text, "from" timestamp with time zone, "to" timestamp with time zone, n integer) TO pgbook_node;
GRANT ALL ON FUNCTION pgbook.top(security text, "from" timestamp with time zone, "to" timestamp with time zone, n integer) TO pgbook_reader;

REVOKE ALL ON FUNCTION pgbook.twap(security text, "from" timestamp with time zone, "to" timestamp with time zone, by text, tz text) FROM PUBLIC;
GRANT ALL ON FUNCTION pgbook.twap(security text, "from" timestamp with time zone, "to" timestamp with time zone, by text, tz text) TO pgbook_node;
GRANT ALL ON FUNCTION pgbook.twap(security text, "from" timestamp with time zone, "to" timestamp with time zone, by text, tz text) TO pgbook_reader;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE pgbook_data.imports TO pgbook_node;

GRANT SELECT ON TABLE pgbook.imports TO pgbook_reader;

REVOKE ALL ON FUNCTION pgbook.undo_import(security text) FROM PUBLIC;
GRANT ALL ON FUNCTION pgbook.undo_import(security text) TO pgbook_node;

REVOKE ALL ON FUNCTION pgbook.volatility(security text, "from" timestamp with time zone, "to" timestamp with time zone, "interval" text, by text, annualise boolean, tz text) FROM PUBLIC;
GRANT ALL ON FUNCTION pgbook.volatility(security text, "from" timestamp with time zone, "to" timestamp with time zone, "interval" text, by text, annualise boolean, tz text) TO pgbook_node;
GRANT ALL ON FUNCTION pgbook.volatility(security text, "from" timestamp with time zone, "to" timestamp with time zone, "interval" text, by text, annualise boolean, tz text) TO pgbook_reader;

REVOKE ALL ON FUNCTION pgbook.volume_profile(security text, "from" timestamp with time zone, "to" timestamp with time zone, bins integer) FROM PUBLIC;
GRANT ALL ON FUNCTION pgbook.volume_profile(security text, "from" timestamp with time zone, "to" timestamp with time zone, bins integer) TO pgbook_node;
GRANT ALL ON FUNCTION pgbook.volume_profile(security text, "from" timestamp with time zone, "to" timestamp with time zone, bins integer) TO pgbook_reader;

REVOKE ALL ON FUNCTION pgbook.vwap(security text, "from" timestamp with time zone, "to" timestamp with time zone, by text, tz text) FROM PUBLIC;
GRANT ALL ON FUNCTION pgbook.vwap(security text, "from" timestamp with time zone, "to" timestamp with time zone, by text, tz text) TO pgbook_node;
GRANT ALL ON FUNCTION pgbook.vwap(security text, "from" timestamp with time zone, "to" timestamp with time zone, by text, tz text) TO pgbook_reader;

REVOKE ALL ON FUNCTION pgbook_data.add_market_from_peer(symbol text, tick_size numeric, lot_size numeric, max_amount bigint, max_notional numeric, min_price bigint, max_price bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION pgbook_data.add_market_from_peer(symbol text, tick_size numeric, lot_size numeric, max_amount bigint, max_notional numeric, min_price bigint, max_price bigint) TO pgbook_node;

REVOKE ALL ON FUNCTION pgbook_data.add_members(names text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pgbook_data.add_members(names text[]) TO pgbook_node;

GRANT SELECT,INSERT ON TABLE pgbook_data.commands TO pgbook_node;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE pgbook_data.inbox TO pgbook_node;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE pgbook_data.outbox TO pgbook_node;

REVOKE ALL ON FUNCTION pgbook_data.adopt_waiting() FROM PUBLIC;
GRANT ALL ON FUNCTION pgbook_data.adopt_waiting() TO pgbook_node;

REVOKE ALL ON FUNCTION pgbook_data.amount_max() FROM PUBLIC;
GRANT ALL ON FUNCTION pgbook_data.amount_max() TO pgbook_node;

REVOKE ALL ON FUNCTION pgbook_data.analytics_range(security text, range_from timestamp with time zone, range_to timestamp with time zone, OUT market smallint, OUT tick numeric, OUT lot numeric, OUT starts timestamp with time zone, OUT ends timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION pgbook_data.analytics_range(security text, range_from timestamp with time zone, range_to timestamp with time zone, OUT market smallint, OUT tick numeric, OUT lot numeric, OUT starts timestamp with time zone, OUT ends timestamp with time zone) TO pgbook_node;

REVOKE ALL ON FUNCTION pgbook_data.be_durable() FROM PUBLIC;
GRANT ALL ON FUNCTION pgbook_data.be_durable() TO pgbook_node;

REVOKE ALL ON FUNCTION pgbook_data.begin_takeover(head jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION pgbook_data.begin_takeover(head jsonb) TO pgbook_node;

REVOKE ALL ON FUNCTION pgbook_data.local_start("time" timestamp with time zone, unit text, tz text) FROM PUBLIC;
GRANT ALL ON FUNCTION pgbook_data.local_start("time" timestamp with time zone, unit text, tz text) TO pgbook_node;

REVOKE ALL ON FUNCTION pgbook_data.bucket_end(start timestamp with time zone, bucket text, tz text) FROM PUBLIC;
GRANT ALL ON FUNCTION pgbook_data.bucket_end(start timestamp with time zone, bucket text, tz text) TO pgbook_node;

REVOKE ALL ON FUNCTION pgbook_data.bucket_start("time" timestamp with time zone, bucket text, tz text) FROM PUBLIC;
GRANT ALL ON FUNCTION pgbook_data.bucket_start("time" timestamp with time zone, bucket text, tz text) TO pgbook_node;

REVOKE ALL ON FUNCTION pgbook_data.bucket_ceiling("time" timestamp with time zone, bucket text, tz text) FROM PUBLIC;
GRANT ALL ON FUNCTION pgbook_data.bucket_ceiling("time" timestamp with time zone, bucket text, tz text) TO pgbook_node;

REVOKE ALL ON FUNCTION pgbook_data.bucket_starts(begins timestamp with time zone, ends timestamp with time zone, bucket text, tz text) FROM PUBLIC;
GRANT ALL ON FUNCTION pgbook_data.bucket_starts(begins timestamp with time zone, ends timestamp with time zone, bucket text, tz text) TO pgbook_node;

REVOKE ALL ON FUNCTION pgbook_data.check_bucket(bucket text, tz text) FROM PUBLIC;
GRANT ALL ON FUNCTION pgbook_data.check_bucket(bucket text, tz text) TO pgbook_node;

REVOKE ALL ON FUNCTION pgbook_data.check_horizon(horizon interval) FROM PUBLIC;
GRANT ALL ON FUNCTION pgbook_data.check_horizon(horizon interval) TO pgbook_node;

REVOKE ALL ON FUNCTION pgbook_data.close_before(market smallint, before timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION pgbook_data.close_before(market smallint, before timestamp with time zone) TO pgbook_node;

REVOKE ALL ON FUNCTION pgbook_data.close_candles(market smallint, hours_max integer) FROM PUBLIC;
GRANT ALL ON FUNCTION pgbook_data.close_candles(market smallint, hours_max integer) TO pgbook_node;

REVOKE ALL ON FUNCTION pgbook_data.close_pools(through timestamp with time zone, chain bytea) FROM PUBLIC;
GRANT ALL ON FUNCTION pgbook_data.close_pools(through timestamp with time zone, chain bytea) TO pgbook_node;

REVOKE ALL ON FUNCTION pgbook_data.code_name(code smallint) FROM PUBLIC;
GRANT ALL ON FUNCTION pgbook_data.code_name(code smallint) TO pgbook_node;
GRANT ALL ON FUNCTION pgbook_data.code_name(code smallint) TO pgbook_reader;

REVOKE ALL ON FUNCTION pgbook_data.create_cluster(cluster_id text, node text, names text[], window_microseconds bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION pgbook_data.create_cluster(cluster_id text, node text, names text[], window_microseconds bigint) TO pgbook_node;

REVOKE ALL ON FUNCTION pgbook_data.drop_trades(before timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION pgbook_data.drop_trades(before timestamp with time zone) TO pgbook_node;

REVOKE ALL ON FUNCTION pgbook_data.end_rebuild(market smallint) FROM PUBLIC;
GRANT ALL ON FUNCTION pgbook_data.end_rebuild(market smallint) TO pgbook_node;

REVOKE ALL ON FUNCTION pgbook_data.end_takeover(source text) FROM PUBLIC;
GRANT ALL ON FUNCTION pgbook_data.end_takeover(source text) TO pgbook_node;

REVOKE ALL ON FUNCTION pgbook_data.enter(kinds smallint[], ids uuid[], users text[], symbols text[], sides smallint[], exec_types smallint[], tifs smallint[], post_onlys boolean[], stps smallint[], amounts numeric[], prices numeric[], targets uuid[], changes smallint[], expireses timestamp with time zone[], owners text[], client_order_ids text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pgbook_data.enter(kinds smallint[], ids uuid[], users text[], symbols text[], sides smallint[], exec_types smallint[], tifs smallint[], post_onlys boolean[], stps smallint[], amounts numeric[], prices numeric[], targets uuid[], changes smallint[], expireses timestamp with time zone[], owners text[], client_order_ids text[]) TO pgbook_node;

REVOKE ALL ON FUNCTION pgbook_data.expect(counted bigint, expected bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION pgbook_data.expect(counted bigint, expected bigint) TO pgbook_node;

REVOKE ALL ON FUNCTION pgbook_data.fall_asleep(sleeper regclass, VARIADIC tables regclass[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pgbook_data.fall_asleep(sleeper regclass, VARIADIC tables regclass[]) TO pgbook_node;

REVOKE ALL ON FUNCTION pgbook_data.hidden_character(name text) FROM PUBLIC;
GRANT ALL ON FUNCTION pgbook_data.hidden_character(name text) TO pgbook_node;

REVOKE ALL ON FUNCTION pgbook_data.hint(channel text, payload text) FROM PUBLIC;
GRANT ALL ON FUNCTION pgbook_data.hint(channel text, payload text) TO pgbook_node;

REVOKE ALL ON FUNCTION pgbook_data.is_name(name text) FROM PUBLIC;
GRANT ALL ON FUNCTION pgbook_data.is_name(name text) TO pgbook_node;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE pgbook_data.cluster TO pgbook_node;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE pgbook_data.outcomes TO pgbook_node;

REVOKE ALL ON FUNCTION pgbook_data.is_settled(asked uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION pgbook_data.is_settled(asked uuid) TO pgbook_node;

REVOKE ALL ON FUNCTION pgbook_data.last_from(market smallint, bucket text, n integer, tz text) FROM PUBLIC;
GRANT ALL ON FUNCTION pgbook_data.last_from(market smallint, bucket text, n integer, tz text) TO pgbook_node;

REVOKE ALL ON FUNCTION pgbook_data.later_prices(market smallint, starts timestamp with time zone, ends timestamp with time zone, horizon interval, against text) FROM PUBLIC;
GRANT ALL ON FUNCTION pgbook_data.later_prices(market smallint, starts timestamp with time zone, ends timestamp with time zone, horizon interval, against text) TO pgbook_node;

REVOKE ALL ON FUNCTION pgbook_data.log_key(member smallint, number bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION pgbook_data.log_key(member smallint, number bigint) TO pgbook_node;

REVOKE ALL ON FUNCTION pgbook_data.log_rank(c pgbook_data.commands) FROM PUBLIC;
GRANT ALL ON FUNCTION pgbook_data.log_rank(c pgbook_data.commands) TO pgbook_node;

REVOKE ALL ON FUNCTION pgbook_data.microseconds(starts timestamp with time zone, ends timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION pgbook_data.microseconds(starts timestamp with time zone, ends timestamp with time zone) TO pgbook_node;

REVOKE ALL ON FUNCTION pgbook_data.name_bytes_max() FROM PUBLIC;
GRANT ALL ON FUNCTION pgbook_data.name_bytes_max() TO pgbook_node;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE pgbook_data.matchers TO pgbook_node;

GRANT SELECT ON TABLE pgbook.matchers TO pgbook_reader;

REVOKE ALL ON FUNCTION pgbook_data.no_matcher() FROM PUBLIC;
GRANT ALL ON FUNCTION pgbook_data.no_matcher() TO pgbook_node;
GRANT ALL ON FUNCTION pgbook_data.no_matcher() TO pgbook_reader;

REVOKE ALL ON FUNCTION pgbook_data.not_durable() FROM PUBLIC;
GRANT ALL ON FUNCTION pgbook_data.not_durable() TO pgbook_node;

REVOKE ALL ON FUNCTION pgbook_data.not_ready() FROM PUBLIC;
GRANT ALL ON FUNCTION pgbook_data.not_ready() TO pgbook_node;
GRANT ALL ON FUNCTION pgbook_data.not_ready() TO pgbook_reader;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE pgbook_data.members TO pgbook_node;

REVOKE ALL ON FUNCTION pgbook_data.note_stored(names text[], numbers bigint[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pgbook_data.note_stored(names text[], numbers bigint[]) TO pgbook_node;

REVOKE ALL ON FUNCTION pgbook_data.number_items(ids uuid[], numbers bigint[], times timestamp with time zone[], unconfirmed boolean[], codes smallint[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pgbook_data.number_items(ids uuid[], numbers bigint[], times timestamp with time zone[], unconfirmed boolean[], codes smallint[]) TO pgbook_node;

REVOKE ALL ON FUNCTION pgbook_data.price_max() FROM PUBLIC;
GRANT ALL ON FUNCTION pgbook_data.price_max() TO pgbook_node;

REVOKE ALL ON FUNCTION pgbook_data.prove_seat(seat uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION pgbook_data.prove_seat(seat uuid) TO pgbook_node;

REVOKE ALL ON FUNCTION pgbook_data.range_candles(market smallint, starts timestamp with time zone, ends timestamp with time zone, bucket text, tz text) FROM PUBLIC;
GRANT ALL ON FUNCTION pgbook_data.range_candles(market smallint, starts timestamp with time zone, ends timestamp with time zone, bucket text, tz text) TO pgbook_node;

REVOKE ALL ON FUNCTION pgbook_data.range_parts(market smallint, starts timestamp with time zone, minutes_from timestamp with time zone, coarse text, coarse_from timestamp with time zone, coarse_to timestamp with time zone, minutes_to timestamp with time zone, ends timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION pgbook_data.range_parts(market smallint, starts timestamp with time zone, minutes_from timestamp with time zone, coarse text, coarse_from timestamp with time zone, coarse_to timestamp with time zone, minutes_to timestamp with time zone, ends timestamp with time zone) TO pgbook_node;

REVOKE ALL ON FUNCTION pgbook_data.rebuild_day(market smallint, day timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION pgbook_data.rebuild_day(market smallint, day timestamp with time zone) TO pgbook_node;

REVOKE ALL ON FUNCTION pgbook_data.recompute_candles(market smallint, range_from timestamp with time zone, range_to timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION pgbook_data.recompute_candles(market smallint, range_from timestamp with time zone, range_to timestamp with time zone) TO pgbook_node;

REVOKE ALL ON FUNCTION pgbook_data.refusal(code smallint, kind smallint, symbol text, user_id text, client_order_id text, side smallint, exec_type smallint, tif smallint, post_only boolean, stp smallint, amount numeric, price numeric, target uuid, change smallint, expires timestamp with time zone, tick numeric, lot numeric, max_amount bigint, max_notional numeric, min_price bigint, max_price bigint, OUT message text, OUT field text) FROM PUBLIC;
GRANT ALL ON FUNCTION pgbook_data.refusal(code smallint, kind smallint, symbol text, user_id text, client_order_id text, side smallint, exec_type smallint, tif smallint, post_only boolean, stp smallint, amount numeric, price numeric, target uuid, change smallint, expires timestamp with time zone, tick numeric, lot numeric, max_amount bigint, max_notional numeric, min_price bigint, max_price bigint, OUT message text, OUT field text) TO pgbook_node;

REVOKE ALL ON FUNCTION pgbook_data.refuse_import() FROM PUBLIC;
GRANT ALL ON FUNCTION pgbook_data.refuse_import() TO pgbook_node;

REVOKE ALL ON FUNCTION pgbook_data.refuse_items(origins text[], firsts bigint[], lasts bigint[], reason smallint) FROM PUBLIC;
GRANT ALL ON FUNCTION pgbook_data.refuse_items(origins text[], firsts bigint[], lasts bigint[], reason smallint) TO pgbook_node;

REVOKE ALL ON FUNCTION pgbook_data.refuse_new_limits() FROM PUBLIC;
GRANT ALL ON FUNCTION pgbook_data.refuse_new_limits() TO pgbook_node;

REVOKE ALL ON FUNCTION pgbook_data.refuse_strangers(called name) FROM PUBLIC;
GRANT ALL ON FUNCTION pgbook_data.refuse_strangers(called name) TO pgbook_node;

REVOKE ALL ON FUNCTION pgbook_data.reopen_candles(market smallint, since timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION pgbook_data.reopen_candles(market smallint, since timestamp with time zone) TO pgbook_node;

REVOKE ALL ON FUNCTION pgbook_data.set_trade_chunk(span interval) FROM PUBLIC;
GRANT ALL ON FUNCTION pgbook_data.set_trade_chunk(span interval) TO pgbook_node;

REVOKE ALL ON FUNCTION pgbook_data.settle(ids uuid[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pgbook_data.settle(ids uuid[]) TO pgbook_node;

REVOKE ALL ON FUNCTION pgbook_data.shown(value numeric) FROM PUBLIC;
GRANT ALL ON FUNCTION pgbook_data.shown(value numeric) TO pgbook_node;

REVOKE ALL ON FUNCTION pgbook_data.single_candles(market smallint, starts timestamp with time zone, ends timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION pgbook_data.single_candles(market smallint, starts timestamp with time zone, ends timestamp with time zone) TO pgbook_node;

REVOKE ALL ON FUNCTION pgbook_data.stamp(n integer) FROM PUBLIC;
GRANT ALL ON FUNCTION pgbook_data.stamp(n integer) TO pgbook_node;

REVOKE ALL ON FUNCTION pgbook_data.state_head() FROM PUBLIC;
GRANT ALL ON FUNCTION pgbook_data.state_head() TO pgbook_node;

REVOKE ALL ON FUNCTION pgbook_data.store_displaced(items pgbook_data.log_row[], keys bigint[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pgbook_data.store_displaced(items pgbook_data.log_row[], keys bigint[]) TO pgbook_node;

REVOKE ALL ON FUNCTION pgbook_data.store_items(items pgbook_data.log_row[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pgbook_data.store_items(items pgbook_data.log_row[]) TO pgbook_node;

REVOKE ALL ON FUNCTION pgbook_data.stored_ranges() FROM PUBLIC;
GRANT ALL ON FUNCTION pgbook_data.stored_ranges() TO pgbook_node;

REVOKE ALL ON FUNCTION pgbook_data.take_seat(seat uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION pgbook_data.take_seat(seat uuid) TO pgbook_node;

REVOKE ALL ON FUNCTION pgbook_data.time_first() FROM PUBLIC;
GRANT ALL ON FUNCTION pgbook_data.time_first() TO pgbook_node;

REVOKE ALL ON FUNCTION pgbook_data.time_last() FROM PUBLIC;
GRANT ALL ON FUNCTION pgbook_data.time_last() TO pgbook_node;

REVOKE ALL ON FUNCTION pgbook_data.timescale_schema() FROM PUBLIC;
GRANT ALL ON FUNCTION pgbook_data.timescale_schema() TO pgbook_node;

REVOKE ALL ON FUNCTION pgbook_data.timestamp_of(stamp bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION pgbook_data.timestamp_of(stamp bigint) TO pgbook_node;

REVOKE ALL ON FUNCTION pgbook_data.trade_chunks(before timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION pgbook_data.trade_chunks(before timestamp with time zone) TO pgbook_node;

REVOKE ALL ON FUNCTION pgbook_data.traded_candles(market smallint, bucket text, range_from timestamp with time zone, range_to timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION pgbook_data.traded_candles(market smallint, bucket text, range_from timestamp with time zone, range_to timestamp with time zone) TO pgbook_node;

REVOKE ALL ON FUNCTION pgbook_data.unit_digits_max() FROM PUBLIC;
GRANT ALL ON FUNCTION pgbook_data.unit_digits_max() TO pgbook_node;

REVOKE ALL ON FUNCTION pgbook_data.unit_fault(size numeric) FROM PUBLIC;
GRANT ALL ON FUNCTION pgbook_data.unit_fault(size numeric) TO pgbook_node;

REVOKE ALL ON FUNCTION pgbook_data.user_fault(name text) FROM PUBLIC;
GRANT ALL ON FUNCTION pgbook_data.user_fault(name text) TO pgbook_node;

REVOKE ALL ON FUNCTION pgbook_data.uuid_v7(stamp bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION pgbook_data.uuid_v7(stamp bigint) TO pgbook_node;

REVOKE ALL ON FUNCTION pgbook_data.value_max() FROM PUBLIC;
GRANT ALL ON FUNCTION pgbook_data.value_max() TO pgbook_node;

REVOKE ALL ON FUNCTION pgbook_data.wake(sleeper regclass, channel text) FROM PUBLIC;
GRANT ALL ON FUNCTION pgbook_data.wake(sleeper regclass, channel text) TO pgbook_node;

GRANT SELECT ON TABLE pgbook.book TO pgbook_reader;

GRANT SELECT ON TABLE pgbook.cluster TO pgbook_reader;

GRANT SELECT ON TABLE pgbook.cluster_status TO pgbook_reader;

GRANT SELECT,INSERT ON TABLE pgbook_data.displaced TO pgbook_node;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE pgbook_data.set_aside TO pgbook_node;

GRANT SELECT ON TABLE pgbook.commands TO pgbook_reader;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE pgbook_data.divergence TO pgbook_node;

GRANT SELECT ON TABLE pgbook.divergence TO pgbook_reader;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE pgbook_data.market_state TO pgbook_node;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE pgbook_data.newest_state TO pgbook_node;

GRANT SELECT ON TABLE pgbook.market_units TO pgbook_reader;

GRANT SELECT ON TABLE pgbook.markets TO pgbook_reader;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE pgbook_data.closed TO pgbook_node;

GRANT SELECT ON TABLE pgbook.orders TO pgbook_reader;

GRANT SELECT ON TABLE pgbook.set_aside TO pgbook_reader;

GRANT SELECT ON TABLE pgbook.taker_trades TO pgbook_reader;

GRANT SELECT ON TABLE pgbook.trade_units TO pgbook_reader;

GRANT SELECT ON TABLE pgbook.waiting TO pgbook_reader;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE pgbook_data.candle_levels TO pgbook_node;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE pgbook_data.executions TO pgbook_node;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE pgbook_data.home TO pgbook_node;

GRANT ALL ON SEQUENCE pgbook_data.imports_import_seq TO pgbook_node;

GRANT ALL ON SEQUENCE pgbook_data.inbox_sleeper TO pgbook_node;

GRANT ALL ON SEQUENCE pgbook_data.markets_market_seq TO pgbook_node;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE pgbook_data.node TO pgbook_node;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE pgbook_data.node_log TO pgbook_node;

GRANT ALL ON SEQUENCE pgbook_data.outbox_entered_seq TO pgbook_node;

GRANT ALL ON SEQUENCE pgbook_data.outbox_sleeper TO pgbook_node;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE pgbook_data.proposals TO pgbook_node;

GRANT ALL ON SEQUENCE pgbook_data.proposals_arrived_seq TO pgbook_node;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE pgbook_data.sidecar TO pgbook_node;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE pgbook_data.sidecar_seat TO pgbook_node;

GRANT ALL ON SEQUENCE pgbook_data.stamps TO pgbook_node;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE pgbook_data.trade_horizon TO pgbook_node;

GRANT SELECT ON TABLE pgbook_schema.functions TO PUBLIC;

GRANT SELECT ON TABLE pgbook_schema.migrations TO PUBLIC;

ALTER DEFAULT PRIVILEGES FOR ROLE pgbook_owner IN SCHEMA pgbook GRANT ALL ON FUNCTIONS TO pgbook_node;

ALTER DEFAULT PRIVILEGES FOR ROLE pgbook_owner IN SCHEMA pgbook GRANT SELECT ON TABLES TO pgbook_reader;

ALTER DEFAULT PRIVILEGES FOR ROLE pgbook_owner IN SCHEMA pgbook_data GRANT ALL ON SEQUENCES TO pgbook_node;

ALTER DEFAULT PRIVILEGES FOR ROLE pgbook_owner IN SCHEMA pgbook_data GRANT ALL ON FUNCTIONS TO pgbook_node;

ALTER DEFAULT PRIVILEGES FOR ROLE pgbook_owner IN SCHEMA pgbook_data GRANT SELECT,INSERT,DELETE,UPDATE ON TABLES TO pgbook_node;
-- hypertable pgbook_data.trades by time, chunks of 1 day
