set local role pgbook_owner;

-- The table of bounds, Sources/OrderBook/Bounds.swift, for functions and their messages; sql/schema/0020_bounds.sql holds
-- it in the tables.

create or replace function pgbook_data.time_first() returns timestamptz
language sql immutable parallel safe return timestamptz '0001-01-01 00:00:00+00';

create or replace function pgbook_data.time_last() returns timestamptz
language sql immutable parallel safe return timestamptz '9999-12-31 23:59:59.999999+00';

-- Lots of one order.
create or replace function pgbook_data.amount_max() returns bigint
language sql immutable parallel safe return 1000000000000000000;

-- Ticks.
create or replace function pgbook_data.price_max() returns bigint
language sql immutable parallel safe return 1000000000000000000;

-- The value of one order, in the last decimal that it can have.
create or replace function pgbook_data.value_max() returns numeric
language sql immutable parallel safe return 1000000000000000000000000000000;

-- Digits of a tick or a lot size, and digits after its point.
create or replace function pgbook_data.unit_digits_max() returns integer
language sql immutable parallel safe return 18;

-- Bytes of a user id, and of a client order id.
create or replace function pgbook_data.name_bytes_max() returns integer
language sql immutable parallel safe return 64;

-- Whether a text may be a user id or a client order id.
create or replace function pgbook_data.is_name(name text) returns boolean
language sql immutable parallel safe return octet_length(name) between 1 and 64;

-- The first character of a text that nobody can see, or that changes how others are drawn; null where there is none. As
-- Bounds.invisible in Swift.
create or replace function pgbook_data.hidden_character(name text) returns text
language sql immutable parallel safe
return substring(name from '[\u0001-\u001F\u007F-\u009F\u00AD\u034F\u061C\u115F-\u1160\u17B4-\u17B5\u180B-\u180F\u200B-\u200F\u2028-\u202E\u2060-\u206F\u3164\uFE00-\uFE0F\uFEFF\uFFA0\uFFF0-\uFFFB\U0001D173-\U0001D17A\U000E0000-\U000E0FFF]');

-- Why a text is no user id, for a person; null where it is one.
create or replace function pgbook_data.user_fault(name text) returns text
language sql immutable parallel safe
return case
    when name is null then 'a user id is needed'
    when not pgbook_data.is_name(name) then 'a user id has 1 to 64 bytes of UTF-8, not ' || octet_length(name)
    when pgbook_data.hidden_character(name) is not null
    then 'a user id holds no U+' || lpad(upper(to_hex(ascii(pgbook_data.hidden_character(name)))),
                greatest(4, length(to_hex(ascii(pgbook_data.hidden_character(name))))), '0')
        || ': it cannot be seen, or changes the direction of what follows' end;

-- Why a number is no tick or lot size, for a person; null where it is one.
create or replace function pgbook_data.unit_fault(size numeric) returns text
language sql immutable parallel safe
return case
    when size is null then 'is missing; give one above zero'
    when size = 'NaN' or size <= 0 then format('%s is not above zero', left(size::text, 40))
    when size >= 1000000000000000000 or scale(trim_scale(size)) > 18
        or trim_scale(size) * 10::numeric ^ scale(trim_scale(size)) >= 1000000000000000000
    then format('%s has more than 18 digits, or more than 18 after the point', pgbook_data.shown(size)) end;
