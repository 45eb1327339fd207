# shellcheck shell=bash
# One cluster: a folder with the data, the socket, the log and the settings chosen when it was made.
#
#   FOLDER/settings      port, socket folder, programs: chosen once. Also the mark that the folder is ours.
#   FOLDER/data          PostgreSQL's data directory
#   FOLDER/socket        its socket, unless the path will not do for one: then a folder in /tmp
#   FOLDER/log           its log
#
# The data and the socket are closed to everyone but the server's user, so whoever can open the socket
# is trusted on it. Over TCP, which is off unless asked for, a password is needed.

: "${repository:?}" "${option_mode=fast}" "${option_owner=}" "${option_throwaway=}" "${option_tcp=}" "${cluster=}"

readonly socket_path_bytes_max=107
readonly start_seconds_max=600

cluster_folder() {
    if [[ -n $1 ]]; then
        realpath -ms -- "$1"
    elif [[ -n ${option_throwaway:-} ]]; then
        make_folder "$(state_folder)" 755
        mktemp -d -- "$(state_folder)/throwaway.XXXXXX"
    else
        echo "$(state_folder)/cluster"
    fi
}

# setting FOLDER NAME: a value of the cluster's settings, or nothing.
setting() {
    if [[ -r $1/settings ]]; then sed -n "s/^$2=//p" "$1/settings"; fi
}

need_cluster() {
    [[ -e $1/settings ]] || die "there is no cluster in $1; make it with scripts/postgres start"
}

# Starting

cluster_start() {
    local folder=$1 user
    install_postgres
    user=$(server_user)
    if [[ -n $option_throwaway ]]; then sweep_throwaways; fi
    make_folder "$folder" 700
    if is_root; then chmod 711 -- "$folder"; fi
    with_lock "$folder/lock" start_locked "$folder" "$user"
    if [[ -n $option_throwaway && -z $cluster ]]; then echo "$folder"; fi
}

start_locked() {
    local folder=$1 user=$2 bin
    [[ -e $folder/settings ]] || choose_settings "$folder"
    if [[ -n $option_tcp ]]; then
        grep -q '^tcp=yes' "$folder/settings" || echo tcp=yes >>"$folder/settings"
    fi
    as_user "$user" test -x "$folder" ||
        die "the user $user, whom the server runs as, may not pass through to $folder; choose another place with PGBOOK_STATE or --dir"
    bin=$(cluster_bin "$folder")
    if server_pid "$folder" >/dev/null; then
        say "$(cluster_line "$folder"), already running"
        return 0
    fi
    prepare_socket "$folder" "$user"
    prepare_data "$folder" "$user" "$bin"
    write_configuration "$folder"
    clear_stale_pid "$folder"
    launch "$folder" "$user" "$bin"
    finish_databases "$folder" "$bin"
    say "$(cluster_line "$folder")"
}

choose_settings() {
    local folder=$1 socket="$1/socket" port
    port=$(free_port)
    # A path that is too long for a socket, or that would need quoting in the server's list of paths.
    if ((${#folder} + ${#port} + 18 > socket_path_bytes_max)) || [[ $folder == *[^A-Za-z0-9/._-]* ]]; then
        socket="/tmp/pgbook-$(printf '%s' "$folder" | sha256sum | cut -c 1-16)"
    fi
    {
        echo "port=$port"
        echo "socket=$socket"
        echo "bin=$(postgres_bin)"
        echo "throwaway=$option_throwaway"
        echo "owner=$option_owner"
    } >"$folder/settings.new"
    mv -- "$folder/settings.new" "$folder/settings"
}

# free_port: one that nobody listens on, below those that the system hands out by itself.
free_port() {
    local port
    while :; do
        port=$((20000 + (RANDOM * 32768 + RANDOM) % 12000))
        if ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
            echo "$port"
            return 0
        fi
    done
}

# cluster_bin FOLDER: the programs the cluster was made with, or others of the same major version.
cluster_bin() {
    local bin major
    bin=$(setting "$1" bin)
    if [[ ! -x $bin/postgres ]]; then
        bin=$(postgres_bin) || die "PostgreSQL's programs are gone from $bin; run scripts/postgres install"
    fi
    if [[ -r $1/data/PG_VERSION ]]; then
        read -r major <"$1/data/PG_VERSION"
        "$bin/postgres" --version | grep -q " $major\." ||
            die "the data in $1 is PostgreSQL $major's, but the programs in $bin are not; install PostgreSQL $major with TimescaleDB, or set PGBOOK_POSTGRES_ROOT"
    fi
    echo "$bin"
}

# own_folder PATH USER: exists, and is closed to everyone but USER.
own_folder() {
    [[ -e $1 ]] || mkdir -m 700 -- "$1"
    [[ -d $1 && ! -L $1 && -O $1 ]] || [[ $(stat -c %U -- "$1") == "$2" ]] ||
        die "$1 belongs to somebody else; remove it or choose another folder with --dir"
    if is_root; then chown -- "$2" "$1"; fi
    chmod 700 -- "$1"
}

prepare_socket() {
    own_folder "$(setting "$1" socket)" "$2"
}

prepare_data() {
    local folder=$1 user=$2 bin=$3 locale=(--locale=C.UTF-8) sync=()
    if [[ -e $folder/data/PG_VERSION ]]; then return 0; fi
    own_folder "$folder/log" "$user"
    # Since 17 the server has this locale built in, the same on every machine.
    if "$bin/postgres" --version | grep -qE ' (1[7-9]|[2-9][0-9])\.'; then
        locale=(--locale=C --locale-provider=builtin --builtin-locale=C.UTF-8)
    fi
    if is_throwaway "$folder"; then sync=(--no-sync); fi
    # Made beside its place, so that a cluster cut off while it is made is made again.
    rm -rf -- "$folder/data.new"
    own_folder "$folder/data.new" "$user"
    as_user "$user" "$bin/initdb" --pgdata="$folder/data.new" --username=pgbook --encoding=UTF8 "${locale[@]}" "${sync[@]}" \
        --data-checksums --auth-local=trust --auth-host=scram-sha-256 </dev/null >"$folder/initdb.log" 2>&1 ||
        die "cannot make a cluster in $folder: $(grep -iE 'error|fatal' "$folder/initdb.log" | tail -n 1)"
    echo "include_if_exists = '../pgbook.conf'" >>"$folder/data.new/postgresql.conf"
    mv -T -- "$folder/data.new" "$folder/data"
}

# launch FOLDER USER BIN: returns once the server answers, after crash recovery if it needs one.
launch() {
    local folder=$1 user=$2 bin=$3 log="$1/log/start.log"
    as_user "$user" rm -f -- "$log"
    # Descriptor 9 is the lock, which the server must not keep.
    as_user "$user" "$bin/pg_ctl" start --silent --wait --timeout="$start_seconds_max" \
        --pgdata="$folder/data" --log="$log" </dev/null >/dev/null 2>&1 9>&- ||
        die "PostgreSQL does not start in $folder: $(last_log_line "$folder")"
}

# finish_databases FOLDER BIN: the database of a node, and the password of TCP.
finish_databases() {
    local folder=$1 bin=$2 database
    database=$(cluster_database "$folder")
    if [[ $database != postgres ]]; then
        query "$folder" "$bin" postgres "SELECT 1 FROM pg_database WHERE datname = '$database'" | grep -q 1 ||
            query "$folder" "$bin" postgres "CREATE DATABASE $database"
    fi
    if [[ $(setting "$folder" tcp) == yes ]]; then
        if [[ ! -s $folder/password ]]; then
            (umask 077 && od -An -N 16 -t x1 /dev/urandom | tr -d ' \n' >"$folder/password")
        fi
        query "$folder" "$bin" postgres "ALTER ROLE pgbook PASSWORD '$(cat -- "$folder/password")'"
    fi
}

# query FOLDER BIN DATABASE SQL: the SQL goes by standard input, where no process list shows it.
query() {
    (
        forget_connection
        printf '%s;\n' "$4" | "$2/psql" -XAtq -v ON_ERROR_STOP=1 -h "$(setting "$1" socket)" -p "$(setting "$1" port)" -U pgbook -d "$3"
    )
}

# last_log_line FOLDER: what the server complained of last, for a one-line error. Of a setting it cannot read
# it speaks first of the setting, and last only of the file.
last_log_line() {
    local log line
    log=$(find "$1/log" -type f -newer "$1/pgbook.conf" -exec cat {} + 2>/dev/null)
    line=$(grep -m 1 -E 'invalid value|unrecognized|outside the valid range|syntax error' <<<"$log") ||
        line=$(grep -E 'FATAL|PANIC|ERROR|could not' <<<"$log" | tail -n 1) || line="see the log in $1/log"
    sed -E 's/^.*(FATAL|PANIC|ERROR|LOG): +//' <<<"$line"
}

# Stopping

cluster_stop() {
    need_cluster "$1"
    with_lock "$1/lock" stop_locked "$1" "$option_mode"
    if is_throwaway "$1"; then delete_folder "$1"; fi
}

stop_locked() {
    local folder=$1 mode=$2 user
    if ! server_pid "$folder" >/dev/null; then
        is_throwaway "$folder" || say "the cluster in $folder is not running"
        return 0
    fi
    if is_throwaway "$folder"; then mode=immediate; fi
    user=$(stat -c %U -- "$folder/data")
    as_user "$user" "$(cluster_bin "$folder")/pg_ctl" stop --silent --wait --timeout=120 --mode="$mode" \
        --pgdata="$folder/data" >/dev/null 2>&1 9>&- ||
        die "the cluster in $folder does not stop in 120 s; clients may be connected: try scripts/postgres stop -m immediate"
    is_throwaway "$folder" || say "stopped the cluster in $folder"
}

cluster_restart() {
    need_cluster "$1"
    with_lock "$1/lock" stop_locked "$1" "$option_mode"
    with_lock "$1/lock" start_locked "$1" "$(server_user)"
}

cluster_remove() {
    need_cluster "$1"
    if server_pid "$1" >/dev/null; then with_lock "$1/lock" stop_locked "$1" immediate; fi
    delete_folder "$1"
    say "removed the cluster in $1"
}

# delete_folder FOLDER: only one that bears our mark.
delete_folder() {
    local socket
    need_cluster "$1"
    socket=$(setting "$1" socket)
    if [[ $socket == /tmp/pgbook-* ]]; then rm -rf -- "$socket"; fi
    rm -rf -- "$1"
}

# Throwaway clusters whose owner was killed before it could stop them.
sweep_throwaways() {
    local settings folder owner
    for settings in "$(state_folder)"/throwaway.*/settings; do
        folder=$(dirname -- "$settings")
        owner=$(setting "$folder" owner)
        if [[ -n $owner && ! -e /proc/${owner%%:*} ]]; then
            "$repository/scripts/postgres" stop --dir "$folder" 2>/dev/null || true
        fi
    done
}

# Asking

is_throwaway() { [[ $(setting "$1" throwaway) == yes ]]; }

cluster_database() { if is_throwaway "$1"; then echo postgres; else echo pgbook; fi; }

# server_pid FOLDER: the postmaster of this cluster, if it runs. After a crash the number in its file may be
# another process's; the postmaster is the one that works inside the data directory.
server_pid() {
    local pid
    [[ -e $1/data/postmaster.pid ]] && pid=$(head -n 1 -- "$1/data/postmaster.pid" 2>/dev/null) || return 1
    [[ $pid =~ ^[0-9]+$ && $(readlink -- "/proc/$pid/cwd") == "$(realpath -- "$1/data")" ]] || return 1
    echo "$pid"
}

# clear_stale_pid FOLDER: after a crash, so that a number that went to another process does not stop the start.
# Backends that outlive a killed postmaster end by themselves; they are waited for.
clear_stale_pid() {
    local folder=$1 data tries=0
    if [[ ! -e $folder/data/postmaster.pid ]]; then return 0; fi
    data=$(realpath -- "$folder/data")
    while find /proc -mindepth 2 -maxdepth 2 -name cwd -lname "$data" 2>/dev/null | grep -q .; do
        ((++tries <= 100)) || die "processes of the old server still run in $data; end them first"
        sleep 0.1
    done
    rm -f -- "$folder/data/postmaster.pid" "$(setting "$folder" socket)"/.s.PGSQL.*
}

cluster_line() {
    printf '%s at %s port %s' "$("$(cluster_bin "$1")/postgres" --version | sed 's/postgres (PostgreSQL)/PostgreSQL/; s/ (.*//')" \
        "$(setting "$1" socket)" "$(setting "$1" port)"
}

cluster_status() {
    need_cluster "$1"
    if server_pid "$1" >/dev/null; then
        echo "running: $(cluster_line "$1")"
    else
        echo "stopped: the cluster in $1"
        exit 3
    fi
}

cluster_env() {
    need_cluster "$1"
    local host password=''
    host=$(setting "$1" socket)
    if [[ -n $option_tcp ]]; then
        [[ $(setting "$1" tcp) == yes ]] || die "the cluster in $1 does not listen on TCP; start it with --tcp"
        host=127.0.0.1
        password=$(cat -- "$1/password")
    fi
    printf 'export PGHOST=%q PGPORT=%q PGUSER=pgbook PGDATABASE=%q' "$host" "$(setting "$1" port)" "$(cluster_database "$1")"
    if [[ -n $password ]]; then printf ' PGPASSWORD=%q' "$password"; fi
    printf '\n'
}

# cluster_run FOLDER PROGRAM ARGUMENT…: instead of this script.
cluster_run() {
    local folder=$1 program=${2:?which program?} bin
    need_cluster "$folder"
    bin=$(cluster_bin "$folder")
    [[ -x $bin/$program ]] || die "PostgreSQL has no program \"$program\" in $bin"
    server_pid "$folder" >/dev/null || die "the cluster in $folder is not running; start it with scripts/postgres start"
    forget_connection
    eval "$(cluster_env "$folder")"
    exec "$bin/$program" "${@:3}"
}
