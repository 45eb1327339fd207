set local role pgbook_owner;

-- A node of a cluster: commands wait in an outbox until its sidecar has given them their stamps and numbers, commands
-- of other nodes stand in the log beside its own, and the matcher executes what is closed. Without a row in `cluster`
-- nothing of this has any effect.
create table pgbook_data.cluster (
    is_only boolean primary key default true check (is_only),
    cluster_id text not null check (length(cluster_id) between 1 and 64),
    -- Microseconds that a command waits where watermarks do not let it run earlier.
    "window" bigint not null check ("window" > 0),
    -- Pools up to this time may be executed, and nothing is added to them any more.
    closed_through timestamptz not null default '-infinity',
    -- Of all accepted commands up to there, in the order of execution.
    chain bytea not null default decode(repeat('00', 32), 'hex') check (length(chain) = 32),
    -- No stamp at or below this is given after a restart.
    bound timestamptz not null default '-infinity',
    -- All nodes agreed up to here.
    agreed timestamptz not null default '-infinity',
    admits boolean not null default false,
    -- Why not, in one line.
    reason text default 'its sidecar has not begun yet; start it: pgbook gossip',
    -- When the sidecar wrote last.
    heard_at timestamptz,
    -- What the sidecar last said of itself and its peers.
    status jsonb
) with (fillfactor = 20);

-- All nodes of the cluster, numbered in the order of their names.
create table pgbook_data.members (
    member smallint primary key check (member between 0 and 32766),
    name text not null unique check (name ~ '^[a-z0-9][a-z0-9-]{0,31}$'),
    is_self boolean not null default false,
    -- All numbers of its log up to here are stored: where the look for gaps begins.
    stored_through bigint not null default 0
);

-- Commands of the log whose id another command has.
create table pgbook_data.displaced (like pgbook_data.commands including defaults);
create unique index displaced_log on pgbook_data.displaced (log_key) where log_key is not null;
create index displaced_id on pgbook_data.displaced (id);

-- Commands that entered here and have no stamp yet, in the order in which they get it.
create table pgbook_data.outbox (
    entered bigint not null generated always as identity,
    xact xid8 not null default pg_current_xact_id(),
    id uuid not null,
    constraint outbox_id primary key (id)
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000, autovacuum_vacuum_cost_delay = 0);
create index outbox_order on pgbook_data.outbox (xact, entered);

-- Commands of other nodes that have no stamp yet and are stored here so that they cannot be lost.
create table pgbook_data.proposals (
    arrived bigint not null generated always as identity,
    -- As the peer that brought it numbers the members.
    member smallint not null,
    id uuid not null,
    target uuid,
    amount bigint,
    price bigint,
    expires timestamptz,
    market smallint not null,
    kind smallint not null,
    side smallint,
    exec_type smallint,
    tif smallint,
    stp smallint,
    change smallint,
    post_only boolean,
    user_id text not null,
    owner text,
    client_order_id text,
    constraint proposals_id primary key (id, member)
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000, autovacuum_vacuum_cost_delay = 0);

-- Commands whose outcome was another before this node was rebuilt from a peer.
create table pgbook_data.divergence (
    id uuid not null,
    market smallint not null,
    -- Null: it waited, or the log did not have it.
    code_before smallint,
    filled_before bigint,
    remaining_before bigint,
    code_after smallint,
    filled_after bigint,
    remaining_after bigint,
    rebuilt_from text not null,
    noticed_at timestamptz not null default clock_timestamp()
);
create index divergence_id on pgbook_data.divergence (id);

-- A command of a log as a sidecar sends it. `code`: why it is refused; null where it is accepted.
create type pgbook_data.log_row as (
    origin text, number bigint, is_unconfirmed boolean, code smallint, symbol text, id uuid, time timestamptz,
    target uuid, amount bigint, price bigint, expires timestamptz, kind smallint, side smallint, exec_type smallint,
    tif smallint, stp smallint, change smallint, post_only boolean, user_id text, owner text, client_order_id text);

-- Nobody changes the log but the functions of a sidecar; a copy of a peer's state adds rows to it.
revoke update, delete on pgbook_data.commands from pgbook_node;
revoke update, delete on pgbook_data.displaced from pgbook_node;
