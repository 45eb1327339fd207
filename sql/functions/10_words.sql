set local role pgbook_owner;

-- A number a person can read, however long it was sent.
create or replace function pgbook_data.shown(value numeric) returns text
language sql immutable parallel safe set search_path = pg_catalog, pg_temp
return case when length(value::text) <= 40 then value::text else left(value::text, 37) || '...' end;

-- The number of a word, or an exception that lists the words.
create or replace function pgbook_data.number_of(word text, words text[], numbers smallint[], field text) returns smallint
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
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

-- The stable name of a code (OutcomeCode).
create or replace function pgbook_data.code_name(code smallint) returns text
language sql immutable parallel safe set search_path = pg_catalog, pg_temp
return case code
    when 1 then 'open' when 2 then 'filled' when 3 then 'dropped' when 4 then 'amended' when 5 then 'cancelled'
    when 6 then 'done' when 101 then 'unknown_market' when 102 then 'halted' when 103 then 'off_tick'
    when 104 then 'off_lot' when 105 then 'not_positive' when 106 then 'too_large' when 107 then 'outside_band'
    when 108 then 'no_liquidity' when 109 then 'would_cross' when 110 then 'cannot_fill' when 111 then 'unknown_order'
    when 112 then 'not_yours' when 113 then 'already_closed' when 114 then 'expired' when 115 then 'late'
    when 116 then 'duplicate' when 117 then 'bad_value' when 118 then 'not_permitted' when 119 then 'unconfirmed'
    when 120 then 'not_ready' when 121 then 'busy' when 122 then 'unreadable' when 123 then 'unexecutable' end;

-- dividend ÷ divisor, rounded half away from zero to so many digits after the point, at most 12; null where the divisor
-- is zero.
-- The division keeps 100 digits after the point. The quotient of a dividend of `a` such digits and a whole divisor below
-- 10^b is in the middle between two results, or 10^-(13 + a + b) away from it at least, so rounding twice is rounding
-- once while 13 + a + b < 100: prices have at most 38 digits, and volumes in lots are far below 10^48.
create or replace function pgbook_data.quotient(dividend numeric, divisor numeric, digits integer) returns numeric
language sql immutable parallel safe
return trim_scale(round(
    dividend * 1.0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000
        / nullif(divisor, 0), digits));

-- A row count that a transaction relies on: anything else undoes it.
-- Without a search path of its own, which would cost more than the rest of it: it calls nothing but one operator.
create or replace function pgbook_data.expect(counted bigint, expected bigint) returns void
language plpgsql volatile as $$
begin
    if counted operator(pg_catalog.<>) expected then
        raise exception 'changed by somebody else: % rows where % were expected', counted, expected
            using errcode = 'PB900';
    end if;
end
$$;

-- Where a command stands in the log of the node it entered at: the member's number, then 48 bits of the command's.
create or replace function pgbook_data.log_key(member smallint, number bigint) returns bigint
language sql immutable parallel safe
return (member::bigint << 48) | number;

create or replace function pgbook_data.timestamp_of(stamp bigint) returns timestamptz
language sql immutable parallel safe set search_path = pg_catalog, pg_temp
return timestamptz 'epoch' + (stamp / 1000000) * interval '1 second'
    + (stamp % 1000000) * interval '1 microsecond';

-- Every command enters through pgbook_data.enter, whoever brings it: the functions of the public interface below,
-- the gateway and the CLI alike. It refuses without a trace, or stamps the command and puts it into log and inbox.

-- Gives n stamps in a row and returns the first, in microseconds since the Unix epoch. Later calls of one session
-- always get larger stamps, also when the clock is set back: then the sequence alone counts on.
create or replace function pgbook_data.stamp(n integer) returns bigint
language plpgsql volatile set search_path = pg_catalog, pg_temp as $$
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

-- A UUIDv7 for a stamp: 48 bits of Unix milliseconds, the version, and 74 random bits.
create or replace function pgbook_data.uuid_v7(stamp bigint) returns uuid
language sql volatile parallel safe set search_path = pg_catalog, pg_temp
return encode(
    set_bit(set_bit(
        overlay(uuid_send(gen_random_uuid()) placing substring(int8send(stamp / 1000) from 3) from 1 for 6),
        52, 1), 53, 1), 'hex')::uuid;

-- Whole microseconds between two times.
create or replace function pgbook_data.microseconds(starts timestamptz, ends timestamptz) returns numeric
language sql immutable parallel safe
return trim_scale(extract(epoch from ends - starts) * 1000000);
