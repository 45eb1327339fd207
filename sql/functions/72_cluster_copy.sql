set local role pgbook_owner;

-- Commands whose outcome changed when this node was rebuilt. What became of one that had none then is looked up.
create or replace view pgbook.divergence as
select d.id, m.symbol as security, c.user_id, c.client_order_id,
       coalesce(pgbook_data.code_name(d.code_before), 'pending') as code_before,
       trim_scale(d.filled_before * m.lot_size) as filled_before,
       trim_scale(d.remaining_before * m.lot_size) as remaining_before,
       coalesce(pgbook_data.code_name(coalesce(d.code_after, w.code, c.code)), 'pending') as code_after,
       trim_scale(coalesce(d.filled_after, w.filled, c.filled) * m.lot_size) as filled_after,
       trim_scale(coalesce(d.remaining_after, w.remaining, c.remaining) * m.lot_size) as remaining_after,
       d.rebuilt_from, d.noticed_at
from pgbook_data.divergence d
join pgbook_data.markets m using (market)
left join pgbook_data.commands c on c.id = d.id
left join pgbook_data.outcomes w on w.id = d.id;

-- What of a state is no table's: its place in the cluster, its members, markets and how far they were executed.
create or replace function pgbook_data.state_head() returns jsonb
language sql stable security definer set search_path = pg_catalog, pgbook_data, pg_temp as $$
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

-- Makes room for the state of a peer, and keeps aside what must not be lost of this node's own. Returns the number that
-- each of the peer's markets has here.
create or replace function pgbook_data.begin_takeover(head jsonb) returns table (theirs smallint, ours smallint)
language plpgsql volatile security definer set search_path = pg_catalog, pgbook_data, pg_temp set jit = off as $$
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

-- Puts what was kept aside where it belongs now, and lists the commands whose outcome is another. Returns how many.
create or replace function pgbook_data.end_takeover(source text) returns bigint
language plpgsql volatile security definer set search_path = pg_catalog, pgbook_data, pg_temp set jit = off as $$
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
