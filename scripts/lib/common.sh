# shellcheck shell=bash
# What every script shares: messages, the state folder, locks, and running as the server's user.
#
# Messages go to standard error, one line per step, so that standard output carries only answers.

# The script that includes this file says where the clone is.
: "${repository:?}"

say() { printf 'pgbook: %s\n' "$*" >&2; }

# die MESSAGE: says what happened, what it means and what to do, and ends the script.
die() {
    printf 'pgbook: %s\n' "$*" >&2
    exit 1
}

# need COMMAND PACKAGE: a program that every Debian and Ubuntu has, but other systems may not.
need() {
    command -v "$1" >/dev/null 2>&1 || die "the program \"$1\" is missing; install it (Debian, Ubuntu: the package $2)"
}

is_root() { ((EUID == 0)); }

# The folder that holds everything pgbook installs or keeps outside the clone.
# Root's own home is closed to the user the server runs as, so root has a folder of its own.
state_folder() {
    if [[ -n ${PGBOOK_STATE:-} ]]; then
        realpath -ms -- "$PGBOOK_STATE"
    elif is_root; then
        echo /var/lib/pgbook
    elif [[ -n ${XDG_STATE_HOME:-} ]]; then
        realpath -ms -- "$XDG_STATE_HOME/pgbook"
    else
        [[ -n ${HOME:-} ]] || die "neither HOME nor PGBOOK_STATE is set; set PGBOOK_STATE to a folder for pgbook's data"
        echo "$HOME/.local/state/pgbook"
    fi
}

# make_folder PATH MODE: with parents; a parent that has to be made can be passed through by all.
make_folder() {
    if [[ -d $1 ]]; then return 0; fi
    { mkdir -p -- "$1" && chmod "$2" -- "$1"; } 2>/dev/null ||
        die "cannot make the folder $1; set PGBOOK_STATE to a folder this user may write"
}

# with_lock FILE COMMAND…: one at a time. The command must not leave a child holding descriptor 9.
with_lock() {
    local file=$1
    shift
    (
        flock 9 || die "cannot lock $file"
        "$@"
    ) 9>>"$file"
}

# The user the server runs as. PostgreSQL refuses to run as root.
server_user() {
    if ! is_root; then
        id -un
    elif [[ -n ${PGBOOK_RUN_AS:-} ]]; then
        id -un -- "$PGBOOK_RUN_AS" 2>/dev/null || die "PGBOOK_RUN_AS names no user of this machine: $PGBOOK_RUN_AS"
    elif id -u postgres >/dev/null 2>&1; then
        echo postgres
    elif id -u pgbook >/dev/null 2>&1; then
        echo pgbook
    elif useradd --system --home-dir /nonexistent --no-create-home --shell /usr/sbin/nologin pgbook >/dev/null 2>&1; then
        say "made the system user pgbook, because PostgreSQL refuses to run as root"
        echo pgbook
    else
        echo nobody
    fi
}

# as_user USER COMMAND…: with a bare environment, so that no PG* variable of the caller reaches the server.
as_user() {
    local user=$1
    shift
    local run=(env -i "PATH=$PATH" LC_ALL=C HOME=/)
    if is_root && [[ $user != root ]]; then
        run=(setpriv --reuid="$user" --regid="$(id -g -- "$user")" --init-groups -- "${run[@]}")
    fi
    (cd / && exec "${run[@]}" "$@")
}

# forget_connection: drops what the caller's environment says of a database, so that it cannot lead elsewhere.
forget_connection() {
    local name
    for name in "${!PG@}" DATABASE_URL; do
        case $name in
        PGBOOK_*) ;;
        *) unset "$name" ;;
        esac
    done
}

# Milliseconds of a clock that only goes forward.
now_ms() {
    local up
    read -r up _ </proc/uptime
    echo "$((10#${up/./} * 10))"
}

# seconds_since MS: "12.3 s", for one-line timings.
seconds_since() {
    local elapsed=$(($(now_ms) - $1))
    printf '%d.%d s' $((elapsed / 1000)) $((elapsed % 1000 / 100))
}
