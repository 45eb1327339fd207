set local role pgbook_owner;

-- What cannot be read or executed, and why. Such a command is executed nowhere and takes no seq; a row without an id is
-- a whole market, whose own row cannot be read.
create table pgbook_data.set_aside (
    market smallint not null,
    id uuid,
    -- OutcomeCode: 122 unreadable, 123 unexecutable.
    code smallint not null,
    reason text not null,
    noticed_at timestamptz not null default clock_timestamp()
);
create unique index set_aside_command on pgbook_data.set_aside (id) where id is not null;
create unique index set_aside_market on pgbook_data.set_aside (market) where id is null;

-- What each matcher says of itself, at most once a second unless it has something new to say.
create table pgbook_data.matchers (
    matcher uuid primary key,
    -- The server's process of the session that writes this row: while it is there, so is the matcher.
    pid integer not null,
    -- The server's process of the session that executes; null while there is none.
    executes integer,
    started_at timestamptz not null default clock_timestamp(),
    seen_at timestamptz not null default clock_timestamp(),
    -- Why it executes nothing, in one line; null where it does.
    reason text
) with (fillfactor = 20);
