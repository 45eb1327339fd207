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
    SET search_path TO 'pg_catalog'
    AS $$
declare
    added smallint;
    broken_constraint text;
begin
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
    CONSTRAINT markets_lot_size_check CHECK (((lot_size > (0)::numeric) AND (lot_size < 'Infinity'::numeric))),
    CONSTRAINT markets_max_amount_check CHECK ((max_amount > 0)),
    CONSTRAINT markets_max_notional_check CHECK ((max_notional > (0)::numeric)),
    CONSTRAINT markets_min_price_check CHECK ((min_price > 0)),
    CONSTRAINT markets_symbol_check CHECK ((symbol ~ '^[A-Za-z0-9][A-Za-z0-9._/:-]{0,31}$'::text)),
    CONSTRAINT markets_tick_size_check CHECK (((tick_size > (0)::numeric) AND (tick_size < 'Infinity'::numeric)))
);

ALTER TABLE pgbook_data.markets OWNER TO pgbook_owner;

CREATE FUNCTION pgbook.agg_book(security text, depth integer DEFAULT 10) RETURNS TABLE(side text, price numeric, amount numeric, total numeric, orders bigint)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog'
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
    SET search_path TO 'pg_catalog'
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
    SET search_path TO 'pg_catalog'
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
            using errcode = 'PB' || entered.code, column = entered.field;
    end if;
    return entered.id;
end
$$;

ALTER FUNCTION pgbook_data.enter_one(kind smallint, id uuid, user_id text, symbol text, side smallint, exec_type smallint, tif smallint, post_only boolean, stp smallint, amount numeric, price numeric, target uuid, change smallint, expires timestamp with time zone, owner text, client_order_id text) OWNER TO pgbook_owner;

CREATE FUNCTION pgbook.amend_order(id uuid, amount numeric DEFAULT NULL::numeric, price numeric DEFAULT NULL::numeric, client_order_id text DEFAULT NULL::text, user_id text DEFAULT SESSION_USER) RETURNS uuid
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog'
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
    SET search_path TO 'pg_catalog'
    AS $_$
declare
    number smallint;
    minute timestamptz;
    traded_at timestamptz;
    chunk regclass;
    bust pgbook_data.busts;
    horizon timestamptz;
begin
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
    SET search_path TO 'pg_catalog'
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
        select m.symbol from pgbook_data.markets m where security is null or m.symbol = security order by m.symbol
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
    SET search_path TO 'pg_catalog'
    BEGIN ATOMIC
 SELECT pgbook_data.enter_one((3)::smallint, NULL::uuid, pgbook_data.acting_user(user_id), NULL::text, NULL::smallint, NULL::smallint, NULL::smallint, NULL::boolean, NULL::smallint, NULL::numeric, NULL::numeric, id, NULL::smallint, NULL::timestamp with time zone, NULL::text, client_order_id) AS enter_one;
END;

ALTER FUNCTION pgbook.cancel_order(id uuid, client_order_id text, user_id text) OWNER TO pgbook_owner;

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
    trim_scale(round(((c.notional / c.volume) * m.tick_size), 12)) AS vwap,
    trim_scale((c.taker_buy_volume * m.lot_size)) AS taker_buy_volume,
    trim_scale(((c.taker_buy_notional * m.tick_size) * m.lot_size)) AS taker_buy_quote_volume
   FROM (pgbook_data.candles_1m c
     JOIN pgbook_data.markets m USING (market));

ALTER VIEW pgbook.candles_1m OWNER TO pgbook_owner;

CREATE FUNCTION pgbook.candles(security text, "interval" text, "from" timestamp with time zone, "to" timestamp with time zone, fill text DEFAULT 'none'::text, tz text DEFAULT 'UTC'::text) RETURNS SETOF pgbook.candles_1m
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog'
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
                   trim_scale(round(c.notional / c.volume * m.tick_size, 12)),
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
               trim_scale(round(c.notional / c.volume * m.tick_size, 12)),
               trim_scale(coalesce(c.taker_buy_volume, 0) * m.lot_size),
               trim_scale(coalesce(c.taker_buy_notional, 0) * m.tick_size * m.lot_size)
        from carried c
        -- A first bucket whose only trades were busted has nothing to carry.
        where fill = 'zero' or c.open is not null or c.previous is not null
        order by c.time;
end
$$;

ALTER FUNCTION pgbook.candles(security text, "interval" text, "from" timestamp with time zone, "to" timestamp with time zone, fill text, tz text) OWNER TO pgbook_owner;

CREATE FUNCTION pgbook.halt_market(security text) RETURNS uuid
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog'
    BEGIN ATOMIC
 SELECT pgbook_data.enter_one((5)::smallint, NULL::uuid, (SESSION_USER)::text, COALESCE(security, ''::text), NULL::smallint, NULL::smallint, NULL::smallint, NULL::boolean, NULL::smallint, NULL::numeric, NULL::numeric, NULL::uuid, NULL::smallint, NULL::timestamp with time zone, NULL::text, NULL::text) AS enter_one;
END;

ALTER FUNCTION pgbook.halt_market(security text) OWNER TO pgbook_owner;

CREATE FUNCTION pgbook.last_candles(security text, "interval" text DEFAULT '1m'::text, n integer DEFAULT 500, fill text DEFAULT 'none'::text, tz text DEFAULT 'UTC'::text) RETURNS SETOF pgbook.candles_1m
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog'
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
    SET search_path TO 'pg_catalog'
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

CREATE FUNCTION pgbook_data.number_of(word text, words text[], numbers smallint[], field text) RETURNS smallint
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog'
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
    SET search_path TO 'pg_catalog'
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
    SET search_path TO 'pg_catalog'
    BEGIN ATOMIC
 SELECT pgbook_data.enter_one((2)::smallint, NULL::uuid, pgbook_data.acting_user(user_id), NULL::text, NULL::smallint, NULL::smallint, NULL::smallint, NULL::boolean, NULL::smallint, amount, NULL::numeric, id, (2)::smallint, NULL::timestamp with time zone, NULL::text, client_order_id) AS enter_one;
END;

ALTER FUNCTION pgbook.reduce_order(id uuid, amount numeric, client_order_id text, user_id text) OWNER TO pgbook_owner;

CREATE FUNCTION pgbook.resume_market(security text) RETURNS uuid
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog'
    BEGIN ATOMIC
 SELECT pgbook_data.enter_one((6)::smallint, NULL::uuid, (SESSION_USER)::text, COALESCE(security, ''::text), NULL::smallint, NULL::smallint, NULL::smallint, NULL::boolean, NULL::smallint, NULL::numeric, NULL::numeric, NULL::uuid, NULL::smallint, NULL::timestamp with time zone, NULL::text, NULL::text) AS enter_one;
END;

ALTER FUNCTION pgbook.resume_market(security text) OWNER TO pgbook_owner;

CREATE FUNCTION pgbook_data.local_start("time" timestamp with time zone, unit text, tz text) RETURNS timestamp with time zone
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path TO 'pg_catalog'
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
    SET search_path TO 'pg_catalog'
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

CREATE FUNCTION pgbook_data.composed_candles(market smallint, bucket text, range_from timestamp with time zone, range_to timestamp with time zone, tz text DEFAULT 'UTC'::text) RETURNS TABLE("time" timestamp with time zone, open bigint, high bigint, low bigint, close bigint, trades bigint, first_trade_id bigint, last_trade_id bigint, volume numeric, notional numeric, taker_buy_volume numeric, taker_buy_notional numeric)
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog'
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
                    else starts[width_bucket(f.time, starts)] end, public.first(f.open, f.first_trade_id), max(f.high),
               min(f.low), public.last(f.close, f.last_trade_id), sum(f.trades)::bigint, min(f.first_trade_id),
               max(f.last_trade_id), sum(f.volume), sum(f.notional), sum(f.taker_buy_volume),
               sum(f.taker_buy_notional)
        from finer f
        group by 1 order by 1;
end
$_$;

ALTER FUNCTION pgbook_data.composed_candles(market smallint, bucket text, range_from timestamp with time zone, range_to timestamp with time zone, tz text) OWNER TO pgbook_owner;

CREATE FUNCTION pgbook_data.open_candles(market smallint, bucket text, range_from timestamp with time zone, range_to timestamp with time zone) RETURNS TABLE("time" timestamp with time zone, open bigint, high bigint, low bigint, close bigint, trades bigint, first_trade_id bigint, last_trade_id bigint, volume numeric, notional numeric, taker_buy_volume numeric, taker_buy_notional numeric)
    LANGUAGE plpgsql STABLE ROWS 10
    SET search_path TO 'pg_catalog'
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
    taker_buy_notional numeric NOT NULL
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
    taker_buy_notional numeric NOT NULL
);

ALTER TABLE pgbook_data.candles_1h OWNER TO pgbook_owner;

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

CREATE FUNCTION pgbook_data.check_bucket(bucket text, tz text DEFAULT 'UTC'::text) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog'
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

CREATE FUNCTION pgbook_data.close_before(market smallint, before timestamp with time zone) RETURNS bigint
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog'
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
    SET search_path TO 'pg_catalog'
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
    from pgbook_data.market_state s where s.market = close_candles.market;
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
        select date_bin('1 hour', m.time, timestamptz '2000-01-03 00:00:00+00'), public.first(m.open, m.first_trade_id),
               max(m.high), min(m.low), public.last(m.close, m.last_trade_id), sum(m.trades), min(m.first_trade_id),
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
        select date_bin('1 day', h.time, timestamptz '2000-01-03 00:00:00+00'), public.first(h.open, h.first_trade_id),
               max(h.high), min(h.low), public.last(h.close, h.last_trade_id), sum(h.trades), min(h.first_trade_id),
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

CREATE FUNCTION pgbook_data.code_name(code smallint) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    SET search_path TO 'pg_catalog'
    RETURN CASE code WHEN 1 THEN 'open'::text WHEN 2 THEN 'filled'::text WHEN 3 THEN 'dropped'::text WHEN 4 THEN 'amended'::text WHEN 5 THEN 'cancelled'::text WHEN 6 THEN 'done'::text WHEN 101 THEN 'unknown_market'::text WHEN 102 THEN 'halted'::text WHEN 103 THEN 'off_tick'::text WHEN 104 THEN 'off_lot'::text WHEN 105 THEN 'not_positive'::text WHEN 106 THEN 'too_large'::text WHEN 107 THEN 'outside_band'::text WHEN 108 THEN 'no_liquidity'::text WHEN 109 THEN 'would_cross'::text WHEN 110 THEN 'cannot_fill'::text WHEN 111 THEN 'unknown_order'::text WHEN 112 THEN 'not_yours'::text WHEN 113 THEN 'already_closed'::text WHEN 114 THEN 'expired'::text WHEN 115 THEN 'late'::text WHEN 116 THEN 'duplicate'::text WHEN 117 THEN 'bad_value'::text WHEN 118 THEN 'not_permitted'::text ELSE NULL::text END;

ALTER FUNCTION pgbook_data.code_name(code smallint) OWNER TO pgbook_owner;

CREATE FUNCTION pgbook_data.drop_trades(before timestamp with time zone) RETURNS TABLE(chunk text, begins timestamp with time zone, ends timestamp with time zone, trades bigint)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog'
    AS $$
declare
    last_end timestamptz;
begin
    -- Waits for whoever reads trades to compare or rebuild candles.
    perform pg_advisory_xact_lock(5131870462);
    perform from pgbook_data.trade_horizon h for update;
    for chunk, begins, ends, trades in select * from pgbook_data.trade_chunks(before) loop
        last_end := ends;
        return next;
    end loop;
    if last_end is not null then
        perform public.drop_chunks('pgbook_data.trades', older_than => last_end);
        update pgbook_data.trade_horizon h set dropped_before = greatest(h.dropped_before, last_end);
    end if;
end
$$;

ALTER FUNCTION pgbook_data.drop_trades(before timestamp with time zone) OWNER TO pgbook_owner;

CREATE FUNCTION pgbook_data.enter(kinds smallint[], ids uuid[], users text[], symbols text[], sides smallint[], exec_types smallint[], tifs smallint[], post_onlys boolean[], stps smallint[], amounts numeric[], prices numeric[], targets uuid[], changes smallint[], expireses timestamp with time zone[], owners text[], client_order_ids text[]) RETURNS TABLE(ordinal integer, id uuid, code smallint, message text, field text, is_retry boolean)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pgbook_data'
    SET enable_nestloop TO 'off'
    SET enable_hashjoin TO 'on'
    SET jit TO 'off'
    AS $$
#variable_conflict use_column
declare
    size constant integer := cardinality(kinds);
    first_stamp bigint;
    row record;
    earlier record;
begin
    perform pg_current_xact_id();  -- before the stamp: whoever waits for all earlier stamps waits for this transaction
    first_stamp := stamp(size);
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
                   m.min_price, m.max_price, s.is_halted,
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
            left join market_state s on s.market = m.market
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
                when p.user_id is null or p.user_id = '' or length(p.user_id) > 64 then 117
                when length(p.client_order_id) not between 1 and 64 then 117
                when p.kind in (2, 3) and (p.target_kind is distinct from 1 or p.market is null) then 111
                when p.market is null then 101
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
                    or p.expires = 'infinity') then 117
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
                end::smallint as code) c
        ), logged as (
            insert into commands (id, time, target, amount, price, expires, market, kind, side, exec_type, tif, stp,
                                  change, post_only, user_id, owner, client_order_id, origin)
            select c.id, c.time, c.target, c.lots, c.ticks, c.expires, c.market, c.kind, c.side,
                   c.exec_type, c.tif, c.stp, c.change, c.post_only, c.user_id, c.owner, c.client_order_id,
                   (select name from node)
            from checked c where c.code is null
            order by c.n
            on conflict do nothing
            returning id, time, market
        ), queued as (
            insert into inbox (time, id, market) select time, id, market from logged
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
        -- Whoever asks again gets what it got the first time, though the market is halted or the time has passed since.
        if row.may_be_retry and (row.code is null and not row.is_logged or row.code in (102, 106, 107, 114)) then
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
        end if;
        return next;
    end loop;
    -- NOTIFY makes commits wait for each other, so it is for matchers that sleep: one of them holds this lock then.
    if not pg_try_advisory_xact_lock_shared('pgbook_data.inbox'::regclass::oid::bigint) then
        perform pg_notify('pgbook_orders', '');
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

CREATE FUNCTION pgbook_data.last_from(market smallint, bucket text, n integer, tz text) RETURNS timestamp with time zone
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog'
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

CREATE FUNCTION pgbook_data.rebuild_day(market smallint, day timestamp with time zone) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog'
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
    SET search_path TO 'pg_catalog'
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
                   public.first(m.open, m.first_trade_id) as open, max(m.high) as high, min(m.low) as low,
                   public.last(m.close, m.last_trade_id) as close, sum(m.trades)::bigint as trades,
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
                   public.first(h.open, h.first_trade_id) as open, max(h.high) as high, min(h.low) as low,
                   public.last(h.close, h.last_trade_id) as close, sum(h.trades)::bigint as trades,
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
    SET search_path TO 'pg_catalog'
    AS $$
declare
    shown_amount constant text := pgbook_data.shown(amount);
    shown_price constant text := pgbook_data.shown(price);
begin
    case code
    when 101 then
        field := 'security';
        message := format('there is no market %s; pgbook.markets lists them', coalesce(quote_literal(symbol), 'without a name'));
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
            when user_id is null or user_id = '' or length(user_id) > 64 then 'user_id'
            when length(client_order_id) not between 1 and 64 then 'client_order_id'
            when kind = 1 and side is null then 'side'
            when kind = 1 and amount is null then 'amount'
            when kind = 1 and (exec_type = 0) <> (price is null) then 'price'
            when kind = 1 and post_only and (exec_type = 0 or tif in (1, 2)) then 'post_only'
            when kind = 1 and exec_type = 0 and tif = 3 then 'time_in_force'
            when kind = 1 and ((tif = 3) <> (expires is not null) or expires = 'infinity') then 'expires'
            when kind = 2 and price is not null and change = 2 then 'price'
            when kind = 2 then 'amount'
            else 'kind' end;
        message := case field
            when 'user_id' then 'a user id has 1 to 64 characters'
            when 'client_order_id' then 'a client order id has 1 to 64 characters'
            when 'side' then 'a side is needed: bid or ask'
            when 'amount' then case kind when 1 then 'an amount is needed' else 'an amend needs a new amount or price' end
            when 'price' then case when price is null then 'a limit order needs a price'
                else format('price %s: a market order and a reduction take no price; leave it out', shown_price) end
            when 'post_only' then 'post-only goes with limit orders that may rest: gtc or gtd'
            when 'time_in_force' then 'a market order cannot wait: use gtc, ioc or fok'
            when 'expires' then case when expires is null then 'gtd needs an expiry time'
                else 'an expiry time goes with gtd only, and must be finite' end
            else 'the kind of command is unknown' end;
    end case;
end
$$;

ALTER FUNCTION pgbook_data.refusal(code smallint, kind smallint, symbol text, user_id text, client_order_id text, side smallint, exec_type smallint, tif smallint, post_only boolean, stp smallint, amount numeric, price numeric, target uuid, change smallint, expires timestamp with time zone, tick numeric, lot numeric, max_amount bigint, max_notional numeric, min_price bigint, max_price bigint, OUT message text, OUT field text) OWNER TO pgbook_owner;

CREATE FUNCTION pgbook_data.reopen_candles(market smallint, since timestamp with time zone) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog'
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
    SET search_path TO 'pg_catalog'
    AS $$
declare
    seconds numeric := extract(epoch from span);
begin
    if seconds is null or seconds < 3600 or extract(month from span) <> 0 or extract(year from span) <> 0
       or (seconds < 86400 and 86400 % seconds <> 0) or (seconds < 86400 and seconds % 3600 <> 0)
       or (seconds >= 86400 and seconds % 86400 <> 0) or seconds > 366 * 86400 then
        raise exception 'bad_value: a chunk covers 1h, 2h, 3h, 4h, 6h, 8h, 12h or 1 to 366 whole days, not %', span
            using errcode = 'PB117', column = 'chunk';
    end if;
    perform public.set_chunk_time_interval('pgbook_data.trades', seconds::bigint * interval '1 second');
end
$$;

ALTER FUNCTION pgbook_data.set_trade_chunk(span interval) OWNER TO pgbook_owner;

CREATE FUNCTION pgbook_data.shown(value numeric) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    SET search_path TO 'pg_catalog'
    RETURN CASE WHEN (length((value)::text) <= 40) THEN (value)::text ELSE ("left"((value)::text, 37) || '...'::text) END;

ALTER FUNCTION pgbook_data.shown(value numeric) OWNER TO pgbook_owner;

CREATE FUNCTION pgbook_data.stamp(n integer) RETURNS bigint
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog'
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

CREATE FUNCTION pgbook_data.timestamp_of(stamp bigint) RETURNS timestamp with time zone
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    SET search_path TO 'pg_catalog'
    RETURN (('1970-01-01 00:00:00+00'::timestamp with time zone + (((stamp / 1000000))::double precision * '00:00:01'::interval)) + (((stamp % (1000000)::bigint))::double precision * '00:00:00.000001'::interval));

ALTER FUNCTION pgbook_data.timestamp_of(stamp bigint) OWNER TO pgbook_owner;

CREATE FUNCTION pgbook_data.trade_chunks(before timestamp with time zone) RETURNS TABLE(chunk text, begins timestamp with time zone, ends timestamp with time zone, trades bigint)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog'
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
    SET search_path TO 'pg_catalog'
    AS $_$
begin
    return query execute
        'select date_bin($4, t.time, timestamptz ''2000-01-03 00:00:00+00''), public.first(t.price, t.trade_id),
                max(t.price), min(t.price), public.last(t.price, t.trade_id), count(*), min(t.trade_id),
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

CREATE FUNCTION pgbook_data.uuid_v7(stamp bigint) RETURNS uuid
    LANGUAGE sql PARALLEL SAFE
    SET search_path TO 'pg_catalog'
    RETURN (encode(set_bit(set_bit(OVERLAY(uuid_send(gen_random_uuid()) PLACING SUBSTRING(int8send((stamp / 1000)) FROM 3) FROM 1 FOR 6), (52)::bigint, 1), (53)::bigint, 1), 'hex'::text))::uuid;

ALTER FUNCTION pgbook_data.uuid_v7(stamp bigint) OWNER TO pgbook_owner;

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
    notional numeric
);

ALTER TABLE pgbook_data.commands OWNER TO pgbook_owner;

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

CREATE VIEW pgbook.commands AS
 SELECT c.id,
    c."time",
    m.symbol AS security,
    c.user_id,
    (ARRAY['place'::text, 'amend'::text, 'cancel'::text, 'cancel_all'::text, 'halt'::text, 'resume'::text, 'expire'::text])[c.kind] AS kind,
    c.target,
    COALESCE(c.seq, w.seq) AS seq,
    pgbook_data.code_name(COALESCE(c.code, w.code)) AS code,
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
   FROM ((pgbook_data.commands c
     JOIN pgbook_data.markets m USING (market))
     LEFT JOIN pgbook_data.outcomes w ON ((w.id = c.id)));

ALTER VIEW pgbook.commands OWNER TO pgbook_owner;

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
WITH (fillfactor='20');

ALTER TABLE pgbook_data.market_state OWNER TO pgbook_owner;

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
     JOIN pgbook_data.market_state s USING (market));

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
     JOIN pgbook_data.market_state s USING (market));

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
   FROM (((((pgbook_data.commands c
     JOIN pgbook_data.markets m USING (market))
     LEFT JOIN pgbook_data.outcomes w ON ((w.id = c.id)))
     LEFT JOIN pgbook_data.book b ON ((b.id = c.id)))
     LEFT JOIN pgbook_data.closed x ON ((x.id = c.id)))
     CROSS JOIN LATERAL ( SELECT COALESCE(c.seq, w.seq) AS seq,
            COALESCE(c.code, w.code) AS code,
            COALESCE(c.filled, w.filled) AS filled,
            COALESCE(c.notional, w.notional) AS notional,
            COALESCE(w.executed_at,
                CASE
                    WHEN (c.seq IS NOT NULL) THEN c.accepted_at
                    ELSE NULL::timestamp with time zone
                END) AS executed_at) o)
  WHERE (c.kind = 1);

ALTER VIEW pgbook.orders OWNER TO pgbook_owner;

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

CREATE TABLE pgbook_data.inbox (
    "time" timestamp with time zone NOT NULL,
    id uuid NOT NULL,
    market smallint NOT NULL
)
WITH (autovacuum_vacuum_scale_factor='0', autovacuum_vacuum_threshold='20000', autovacuum_vacuum_cost_delay='0');

ALTER TABLE pgbook_data.inbox OWNER TO pgbook_owner;

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
    rebuilt_before timestamp with time zone
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

CREATE SEQUENCE pgbook_data.stamps
    START WITH 0
    INCREMENT BY 1
    MINVALUE 0
    NO MAXVALUE
    CACHE 1;

ALTER SEQUENCE pgbook_data.stamps OWNER TO pgbook_owner;

CREATE TABLE pgbook_data.trade_horizon (
    is_only boolean DEFAULT true NOT NULL,
    dropped_before timestamp with time zone DEFAULT '-infinity'::timestamp with time zone NOT NULL,
    CONSTRAINT trade_horizon_is_only_check CHECK (is_only)
);

ALTER TABLE pgbook_data.trade_horizon OWNER TO pgbook_owner;

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

ALTER TABLE ONLY pgbook_data.commands
    ADD CONSTRAINT commands_id PRIMARY KEY (id);

ALTER TABLE ONLY pgbook_data.inbox
    ADD CONSTRAINT inbox_pool PRIMARY KEY (market, "time", id);

ALTER TABLE ONLY pgbook_data.market_state
    ADD CONSTRAINT market_state_pkey PRIMARY KEY (market);

ALTER TABLE ONLY pgbook_data.markets
    ADD CONSTRAINT markets_pkey PRIMARY KEY (market);

ALTER TABLE ONLY pgbook_data.markets
    ADD CONSTRAINT markets_symbol_key UNIQUE (symbol);

ALTER TABLE ONLY pgbook_data.node
    ADD CONSTRAINT node_pkey PRIMARY KEY (is_only);

ALTER TABLE ONLY pgbook_data.outcomes
    ADD CONSTRAINT outcomes_id UNIQUE (id);

ALTER TABLE ONLY pgbook_data.outcomes
    ADD CONSTRAINT outcomes_seq PRIMARY KEY (market, seq);

ALTER TABLE ONLY pgbook_data.trade_horizon
    ADD CONSTRAINT trade_horizon_pkey PRIMARY KEY (is_only);

ALTER TABLE ONLY pgbook_schema.migrations
    ADD CONSTRAINT migrations_pkey PRIMARY KEY (name);

CREATE INDEX book_expires ON pgbook_data.book USING btree (market, expires) WHERE (expires IS NOT NULL);

CREATE UNIQUE INDEX book_queue ON pgbook_data.book USING btree (market, side, (
CASE side
    WHEN 0 THEN (- price)
    ELSE price
END), priority);

CREATE UNIQUE INDEX commands_client_order_id ON pgbook_data.commands USING btree (user_id, client_order_id) WHERE (client_order_id IS NOT NULL);

CREATE UNIQUE INDEX commands_seq ON pgbook_data.commands USING btree (market, seq) WHERE (seq IS NOT NULL);

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

CREATE TRIGGER ts_insert_blocker BEFORE INSERT ON pgbook_data.trades FOR EACH ROW EXECUTE FUNCTION _timescaledb_functions.insert_blocker();

ALTER TABLE ONLY pgbook_data.candle_levels
    ADD CONSTRAINT candle_levels_market_fkey FOREIGN KEY (market) REFERENCES pgbook_data.markets(market);

ALTER TABLE ONLY pgbook_data.market_state
    ADD CONSTRAINT market_state_market_fkey FOREIGN KEY (market) REFERENCES pgbook_data.markets(market);

GRANT USAGE ON SCHEMA pgbook TO pgbook_reader;
GRANT USAGE ON SCHEMA pgbook TO pgbook_node;

GRANT ALL ON SCHEMA pgbook_data TO pgbook_node;

GRANT USAGE ON SCHEMA pgbook_schema TO PUBLIC;

REVOKE ALL ON FUNCTION pgbook.add_market(security text, tick_size numeric, lot_size numeric, max_amount numeric, max_notional numeric, min_price numeric, max_price numeric) FROM PUBLIC;
GRANT ALL ON FUNCTION pgbook.add_market(security text, tick_size numeric, lot_size numeric, max_amount numeric, max_notional numeric, min_price numeric, max_price numeric) TO pgbook_node;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE pgbook_data.book TO pgbook_node;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE pgbook_data.markets TO pgbook_node;

REVOKE ALL ON FUNCTION pgbook.agg_book(security text, depth integer) FROM PUBLIC;
GRANT ALL ON FUNCTION pgbook.agg_book(security text, depth integer) TO pgbook_reader;
GRANT ALL ON FUNCTION pgbook.agg_book(security text, depth integer) TO pgbook_node;

REVOKE ALL ON FUNCTION pgbook_data.acting_user(user_id text) FROM PUBLIC;
GRANT ALL ON FUNCTION pgbook_data.acting_user(user_id text) TO pgbook_node;

REVOKE ALL ON FUNCTION pgbook_data.enter_one(kind smallint, id uuid, user_id text, symbol text, side smallint, exec_type smallint, tif smallint, post_only boolean, stp smallint, amount numeric, price numeric, target uuid, change smallint, expires timestamp with time zone, owner text, client_order_id text) FROM PUBLIC;
GRANT ALL ON FUNCTION pgbook_data.enter_one(kind smallint, id uuid, user_id text, symbol text, side smallint, exec_type smallint, tif smallint, post_only boolean, stp smallint, amount numeric, price numeric, target uuid, change smallint, expires timestamp with time zone, owner text, client_order_id text) TO pgbook_node;

REVOKE ALL ON FUNCTION pgbook.amend_order(id uuid, amount numeric, price numeric, client_order_id text, user_id text) FROM PUBLIC;
GRANT ALL ON FUNCTION pgbook.amend_order(id uuid, amount numeric, price numeric, client_order_id text, user_id text) TO pgbook_trader;
GRANT ALL ON FUNCTION pgbook.amend_order(id uuid, amount numeric, price numeric, client_order_id text, user_id text) TO pgbook_node;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE pgbook_data.busts TO pgbook_node;

GRANT SELECT ON TABLE pgbook.busts TO pgbook_reader;

REVOKE ALL ON FUNCTION pgbook.bust_trade(security text, trade_id bigint, reason text) FROM PUBLIC;
GRANT ALL ON FUNCTION pgbook.bust_trade(security text, trade_id bigint, reason text) TO pgbook_node;

REVOKE ALL ON FUNCTION pgbook.cancel_all(security text, side text, user_id text, everybody boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION pgbook.cancel_all(security text, side text, user_id text, everybody boolean) TO pgbook_trader;
GRANT ALL ON FUNCTION pgbook.cancel_all(security text, side text, user_id text, everybody boolean) TO pgbook_node;

REVOKE ALL ON FUNCTION pgbook.cancel_order(id uuid, client_order_id text, user_id text) FROM PUBLIC;
GRANT ALL ON FUNCTION pgbook.cancel_order(id uuid, client_order_id text, user_id text) TO pgbook_trader;
GRANT ALL ON FUNCTION pgbook.cancel_order(id uuid, client_order_id text, user_id text) TO pgbook_node;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE pgbook_data.candles_1m TO pgbook_node;

GRANT SELECT ON TABLE pgbook.candles_1m TO pgbook_reader;

REVOKE ALL ON FUNCTION pgbook.candles(security text, "interval" text, "from" timestamp with time zone, "to" timestamp with time zone, fill text, tz text) FROM PUBLIC;
GRANT ALL ON FUNCTION pgbook.candles(security text, "interval" text, "from" timestamp with time zone, "to" timestamp with time zone, fill text, tz text) TO pgbook_node;
GRANT ALL ON FUNCTION pgbook.candles(security text, "interval" text, "from" timestamp with time zone, "to" timestamp with time zone, fill text, tz text) TO pgbook_reader;

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

REVOKE ALL ON FUNCTION pgbook_data.number_of(word text, words text[], numbers smallint[], field text) FROM PUBLIC;
GRANT ALL ON FUNCTION pgbook_data.number_of(word text, words text[], numbers smallint[], field text) TO pgbook_node;

REVOKE ALL ON FUNCTION pgbook.place_order(security text, side text, amount numeric, price numeric, exec_type text, time_in_force text, post_only boolean, self_trade_prevention text, expires timestamp with time zone, client_order_id text, user_id text, id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION pgbook.place_order(security text, side text, amount numeric, price numeric, exec_type text, time_in_force text, post_only boolean, self_trade_prevention text, expires timestamp with time zone, client_order_id text, user_id text, id uuid) TO pgbook_trader;
GRANT ALL ON FUNCTION pgbook.place_order(security text, side text, amount numeric, price numeric, exec_type text, time_in_force text, post_only boolean, self_trade_prevention text, expires timestamp with time zone, client_order_id text, user_id text, id uuid) TO pgbook_node;

REVOKE ALL ON FUNCTION pgbook.reduce_order(id uuid, amount numeric, client_order_id text, user_id text) FROM PUBLIC;
GRANT ALL ON FUNCTION pgbook.reduce_order(id uuid, amount numeric, client_order_id text, user_id text) TO pgbook_trader;
GRANT ALL ON FUNCTION pgbook.reduce_order(id uuid, amount numeric, client_order_id text, user_id text) TO pgbook_node;

REVOKE ALL ON FUNCTION pgbook.resume_market(security text) FROM PUBLIC;
GRANT ALL ON FUNCTION pgbook.resume_market(security text) TO pgbook_node;

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

REVOKE ALL ON FUNCTION pgbook_data.composed_candles(market smallint, bucket text, range_from timestamp with time zone, range_to timestamp with time zone, tz text) FROM PUBLIC;
GRANT ALL ON FUNCTION pgbook_data.composed_candles(market smallint, bucket text, range_from timestamp with time zone, range_to timestamp with time zone, tz text) TO pgbook_node;

REVOKE ALL ON FUNCTION pgbook_data.open_candles(market smallint, bucket text, range_from timestamp with time zone, range_to timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION pgbook_data.open_candles(market smallint, bucket text, range_from timestamp with time zone, range_to timestamp with time zone) TO pgbook_node;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE pgbook_data.candles_1d TO pgbook_node;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE pgbook_data.candles_1h TO pgbook_node;

REVOKE ALL ON FUNCTION pgbook_data.candle_rows(market smallint, bucket text, range_from timestamp with time zone, range_to timestamp with time zone, tz text) FROM PUBLIC;
GRANT ALL ON FUNCTION pgbook_data.candle_rows(market smallint, bucket text, range_from timestamp with time zone, range_to timestamp with time zone, tz text) TO pgbook_node;

REVOKE ALL ON FUNCTION pgbook_data.check_bucket(bucket text, tz text) FROM PUBLIC;
GRANT ALL ON FUNCTION pgbook_data.check_bucket(bucket text, tz text) TO pgbook_node;

REVOKE ALL ON FUNCTION pgbook_data.close_before(market smallint, before timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION pgbook_data.close_before(market smallint, before timestamp with time zone) TO pgbook_node;

REVOKE ALL ON FUNCTION pgbook_data.close_candles(market smallint, hours_max integer) FROM PUBLIC;
GRANT ALL ON FUNCTION pgbook_data.close_candles(market smallint, hours_max integer) TO pgbook_node;

REVOKE ALL ON FUNCTION pgbook_data.code_name(code smallint) FROM PUBLIC;
GRANT ALL ON FUNCTION pgbook_data.code_name(code smallint) TO pgbook_reader;
GRANT ALL ON FUNCTION pgbook_data.code_name(code smallint) TO pgbook_node;

REVOKE ALL ON FUNCTION pgbook_data.drop_trades(before timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION pgbook_data.drop_trades(before timestamp with time zone) TO pgbook_node;

REVOKE ALL ON FUNCTION pgbook_data.enter(kinds smallint[], ids uuid[], users text[], symbols text[], sides smallint[], exec_types smallint[], tifs smallint[], post_onlys boolean[], stps smallint[], amounts numeric[], prices numeric[], targets uuid[], changes smallint[], expireses timestamp with time zone[], owners text[], client_order_ids text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pgbook_data.enter(kinds smallint[], ids uuid[], users text[], symbols text[], sides smallint[], exec_types smallint[], tifs smallint[], post_onlys boolean[], stps smallint[], amounts numeric[], prices numeric[], targets uuid[], changes smallint[], expireses timestamp with time zone[], owners text[], client_order_ids text[]) TO pgbook_node;

REVOKE ALL ON FUNCTION pgbook_data.expect(counted bigint, expected bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION pgbook_data.expect(counted bigint, expected bigint) TO pgbook_node;

REVOKE ALL ON FUNCTION pgbook_data.last_from(market smallint, bucket text, n integer, tz text) FROM PUBLIC;
GRANT ALL ON FUNCTION pgbook_data.last_from(market smallint, bucket text, n integer, tz text) TO pgbook_node;

REVOKE ALL ON FUNCTION pgbook_data.rebuild_day(market smallint, day timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION pgbook_data.rebuild_day(market smallint, day timestamp with time zone) TO pgbook_node;

REVOKE ALL ON FUNCTION pgbook_data.recompute_candles(market smallint, range_from timestamp with time zone, range_to timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION pgbook_data.recompute_candles(market smallint, range_from timestamp with time zone, range_to timestamp with time zone) TO pgbook_node;

REVOKE ALL ON FUNCTION pgbook_data.refusal(code smallint, kind smallint, symbol text, user_id text, client_order_id text, side smallint, exec_type smallint, tif smallint, post_only boolean, stp smallint, amount numeric, price numeric, target uuid, change smallint, expires timestamp with time zone, tick numeric, lot numeric, max_amount bigint, max_notional numeric, min_price bigint, max_price bigint, OUT message text, OUT field text) FROM PUBLIC;
GRANT ALL ON FUNCTION pgbook_data.refusal(code smallint, kind smallint, symbol text, user_id text, client_order_id text, side smallint, exec_type smallint, tif smallint, post_only boolean, stp smallint, amount numeric, price numeric, target uuid, change smallint, expires timestamp with time zone, tick numeric, lot numeric, max_amount bigint, max_notional numeric, min_price bigint, max_price bigint, OUT message text, OUT field text) TO pgbook_node;

REVOKE ALL ON FUNCTION pgbook_data.reopen_candles(market smallint, since timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION pgbook_data.reopen_candles(market smallint, since timestamp with time zone) TO pgbook_node;

REVOKE ALL ON FUNCTION pgbook_data.set_trade_chunk(span interval) FROM PUBLIC;
GRANT ALL ON FUNCTION pgbook_data.set_trade_chunk(span interval) TO pgbook_node;

REVOKE ALL ON FUNCTION pgbook_data.shown(value numeric) FROM PUBLIC;
GRANT ALL ON FUNCTION pgbook_data.shown(value numeric) TO pgbook_node;

REVOKE ALL ON FUNCTION pgbook_data.stamp(n integer) FROM PUBLIC;
GRANT ALL ON FUNCTION pgbook_data.stamp(n integer) TO pgbook_node;

REVOKE ALL ON FUNCTION pgbook_data.timestamp_of(stamp bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION pgbook_data.timestamp_of(stamp bigint) TO pgbook_node;

REVOKE ALL ON FUNCTION pgbook_data.trade_chunks(before timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION pgbook_data.trade_chunks(before timestamp with time zone) TO pgbook_node;

REVOKE ALL ON FUNCTION pgbook_data.traded_candles(market smallint, bucket text, range_from timestamp with time zone, range_to timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION pgbook_data.traded_candles(market smallint, bucket text, range_from timestamp with time zone, range_to timestamp with time zone) TO pgbook_node;

REVOKE ALL ON FUNCTION pgbook_data.uuid_v7(stamp bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION pgbook_data.uuid_v7(stamp bigint) TO pgbook_node;

GRANT SELECT ON TABLE pgbook.book TO pgbook_reader;

GRANT SELECT,INSERT ON TABLE pgbook_data.commands TO pgbook_node;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE pgbook_data.outcomes TO pgbook_node;

GRANT SELECT ON TABLE pgbook.commands TO pgbook_reader;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE pgbook_data.market_state TO pgbook_node;

GRANT SELECT ON TABLE pgbook.market_units TO pgbook_reader;

GRANT SELECT ON TABLE pgbook.markets TO pgbook_reader;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE pgbook_data.closed TO pgbook_node;

GRANT SELECT ON TABLE pgbook.orders TO pgbook_reader;

GRANT SELECT ON TABLE pgbook.taker_trades TO pgbook_reader;

GRANT SELECT ON TABLE pgbook.trade_units TO pgbook_reader;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE pgbook_data.inbox TO pgbook_node;

GRANT SELECT ON TABLE pgbook.waiting TO pgbook_reader;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE pgbook_data.candle_levels TO pgbook_node;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE pgbook_data.executions TO pgbook_node;

GRANT ALL ON SEQUENCE pgbook_data.markets_market_seq TO pgbook_node;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE pgbook_data.node TO pgbook_node;

GRANT ALL ON SEQUENCE pgbook_data.stamps TO pgbook_node;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE pgbook_data.trade_horizon TO pgbook_node;

GRANT SELECT ON TABLE pgbook_schema.migrations TO PUBLIC;

ALTER DEFAULT PRIVILEGES FOR ROLE pgbook_owner IN SCHEMA pgbook GRANT ALL ON FUNCTIONS TO pgbook_node;

ALTER DEFAULT PRIVILEGES FOR ROLE pgbook_owner IN SCHEMA pgbook GRANT SELECT ON TABLES TO pgbook_reader;

ALTER DEFAULT PRIVILEGES FOR ROLE pgbook_owner IN SCHEMA pgbook_data GRANT ALL ON SEQUENCES TO pgbook_node;

ALTER DEFAULT PRIVILEGES FOR ROLE pgbook_owner IN SCHEMA pgbook_data GRANT ALL ON FUNCTIONS TO pgbook_node;

ALTER DEFAULT PRIVILEGES FOR ROLE pgbook_owner IN SCHEMA pgbook_data GRANT SELECT,INSERT,DELETE,UPDATE ON TABLES TO pgbook_node;
-- hypertable pgbook_data.trades by time, chunks of 1 day
