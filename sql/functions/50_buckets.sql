set local role pgbook_owner;

-- Refuses what is no interval, and a time zone where it has no meaning.
create or replace function pgbook_data.check_bucket(bucket text, tz text default 'UTC') returns void
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
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

-- The first moment of the local day, week (Monday) or month that a time lies in. Where clocks are set back over
-- midnight, local midnight comes twice: date_trunc gives the second, the day begins with the first.
create or replace function pgbook_data.local_start("time" timestamptz, unit text, tz text) returns timestamptz
language sql stable parallel safe set search_path = pg_catalog, pg_temp as $$
    select case when ((s - interval '1 hour') at time zone tz)::date = (s at time zone tz)::date
                then s - interval '1 hour' else s end
    from date_trunc(unit, "time", tz) s
$$;

-- When the bucket begins that a time lies in. Weeks begin on Monday.
create or replace function pgbook_data.bucket_start("time" timestamptz, bucket text, tz text default 'UTC') returns timestamptz
language sql stable parallel safe
return case
    when bucket = '1M' or tz <> 'UTC' then pgbook_data.local_start(
        "time", case bucket when '1M' then 'month' when '1w' then 'week' else 'day' end, tz)
    else date_bin(bucket::interval, "time", timestamptz '2000-01-03 00:00:00+00') end;

-- When the bucket ends that begins at a time: half a day into the next local bucket lies in it, however clocks are set.
create or replace function pgbook_data.bucket_end(start timestamptz, bucket text, tz text default 'UTC') returns timestamptz
language sql stable parallel safe
return case
    when bucket = '1M' then pgbook_data.local_start(start + interval '768 hours', 'month', tz)
    when tz = 'UTC' then start + extract(epoch from bucket::interval) * interval '1 second'
    when bucket = '1w' then pgbook_data.local_start(start + interval '180 hours', 'week', tz)
    else pgbook_data.local_start(start + interval '36 hours', 'day', tz) end;

-- The first bucket that begins at a time or later.
create or replace function pgbook_data.bucket_ceiling("time" timestamptz, bucket text, tz text default 'UTC') returns timestamptz
language sql stable parallel safe
return case when pgbook_data.bucket_start("time", bucket, tz) = "time" then "time"
    else pgbook_data.bucket_end(pgbook_data.bucket_start("time", bucket, tz), bucket, tz) end;

-- Every bucket that begins in [begins, ends), where both are such beginnings.
create or replace function pgbook_data.bucket_starts(begins timestamptz, ends timestamptz, bucket text, tz text)
returns table ("time" timestamptz)
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
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
