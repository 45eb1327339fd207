# shellcheck shell=bash
# The release build of pgbook, for scripts that run it.

: "${repository:?}"

# need_program: builds pgbook and sets the variable program; PGBOOK_PROGRAM names one that is built already.
need_program() {
    local began quiet=()
    need_libpq
    if [[ -n ${PGBOOK_PROGRAM:-} ]]; then
        [[ -x $PGBOOK_PROGRAM ]] || die "PGBOOK_PROGRAM names no program: $PGBOOK_PROGRAM; give the path of a built pgbook, or unset it"
        program=$(realpath -- "$PGBOOK_PROGRAM")
        return 0
    fi
    need_swift
    began=$(now_ms)
    program="$(swift build --package-path "$repository" -c release --show-bin-path)/pgbook"
    [[ -x $program ]] || say "building pgbook; the first build takes some minutes"
    if [[ ! -t 2 ]]; then quiet=(--quiet); fi
    swift build --package-path "$repository" -c release --product pgbook "${quiet[@]}" </dev/null >&2 ||
        die "pgbook does not build; the compiler's first error is above"
    say "pgbook is built ($(seconds_since "$began"))"
}

# Not local to anything: traps read it after everything has returned.
own_cluster_folder=''

# own_cluster NAME: makes and starts a durable cluster of this script's own, points libpq's variables at it, and sets
# the variable own_cluster_folder. What the caller's environment says of a database is dropped.
own_cluster() {
    forget_connection
    make_folder "$(state_folder)" 755
    own_cluster_folder=$(mktemp -d -- "$(state_folder)/$1.XXXXXX")
    "$repository/scripts/postgres" start --dir "$own_cluster_folder"
    eval "$("$repository/scripts/postgres" env --dir "$own_cluster_folder")"
}

# nodes_folder NAME: makes a folder for the databases of several nodes, and prints it. PostgreSQL's user must get into it.
nodes_folder() {
    local folder
    make_folder "$(state_folder)" 755
    folder=$(mktemp -d -- "$(state_folder)/$1.XXXXXX")
    chmod 755 "$folder"
    echo "$folder"
}

# drop_own_cluster STATUS: removes it after success; else stops it, and says where it is and how to look at it.
drop_own_cluster() {
    if [[ -z $own_cluster_folder ]]; then return 0; fi
    if [[ ! -e $own_cluster_folder/settings ]]; then
        rm -rf -- "$own_cluster_folder"
    elif (($1 == 1)); then
        "$repository/scripts/postgres" stop --dir "$own_cluster_folder" || true
        say "the database is kept in $own_cluster_folder: look at it with scripts/postgres start --dir, remove it with scripts/postgres remove --dir"
    else
        "$repository/scripts/postgres" remove --dir "$own_cluster_folder" || true
    fi
}
