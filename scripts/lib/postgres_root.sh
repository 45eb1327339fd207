# shellcheck shell=bash
# Where PostgreSQL's programs come from: the machine's own server if it has TimescaleDB, else a private
# root made of Debian 13's packages, whose programs run on their own C library on any Debian or Ubuntu.

readonly postgres_major=17
readonly postgres_major_min=15
readonly donor_release=trixie
readonly donor_packages=("postgresql-$postgres_major" "postgresql-$postgres_major-timescaledb" "postgresql-client-$postgres_major" patchelf)
# Raised whenever the recipe below changes, so that an older root is rebuilt.
readonly root_recipe=1

# The machine's own server

# server_has_timescaledb BIN: is BIN a whole server, new enough, with TimescaleDB and pg_stat_statements?
server_has_timescaledb() {
    local bin=$1 version share library
    [[ -x $bin/postgres && -x $bin/initdb && -x $bin/pg_ctl && -x $bin/psql && -x $bin/pg_config ]] || return 1
    version=$("$bin/postgres" --version 2>/dev/null | grep -oE '[0-9]+' | head -n 1) || return 1
    ((version >= postgres_major_min)) || return 1
    share=$("$bin/pg_config" --sharedir) && library=$("$bin/pg_config" --pkglibdir) || return 1
    [[ -e $share/extension/timescaledb.control && -e $library/timescaledb.so ]] || return 1
    [[ -e $share/extension/pg_stat_statements.control ]]
}

# system_postgres: the folder of the machine's own suitable server, the preferred major version first.
system_postgres() {
    local bin candidates=("/usr/lib/postgresql/$postgres_major/bin")
    mapfile -t -O 1 candidates < <(printf '%s\n' /usr/lib/postgresql/*/bin /usr/pgsql-*/bin | sort -rV)
    if command -v pg_config >/dev/null 2>&1; then
        candidates+=("$(pg_config --bindir)")
    fi
    for bin in "${candidates[@]}"; do
        if server_has_timescaledb "$bin"; then
            echo "$bin"
            return 0
        fi
    done
    return 1
}

# The private root

private_root() { echo "${PGBOOK_POSTGRES_ROOT:-$(state_folder)/postgres-$postgres_major}"; }

root_bin() { echo "$1/usr/lib/postgresql/$postgres_major/bin"; }

# The programs carry the root's path as their loader's, hence the path in the stamp.
root_stamp() { echo "recipe $root_recipe at $1"; }

# root_is_whole ROOT: cheap enough for every start.
root_is_whole() {
    local stamp
    [[ -r $1/.pgbook-root ]] && read -r stamp <"$1/.pgbook-root" || return 1
    [[ $stamp == "$(root_stamp "$1")" ]] && "$(root_bin "$1")/postgres" --version >/dev/null 2>&1
}

# postgres_bin: the folder of the programs to use; installs nothing.
postgres_bin() {
    local root
    root=$(private_root)
    if [[ -n ${PGBOOK_POSTGRES_ROOT:-} ]]; then
        root_is_whole "$root" && root_bin "$root"
    else
        system_postgres || { root_is_whole "$root" && root_bin "$root"; }
    fi
}

# install_postgres: after it, postgres_bin answers.
install_postgres() {
    local root
    if postgres_bin >/dev/null; then return 0; fi
    root=$(private_root)
    make_folder "$(dirname -- "$root")" 755
    with_lock "$root.lock" build_root_if_missing "$root"
}

build_root_if_missing() {
    local root=$1 began work
    if root_is_whole "$root"; then return 0; fi
    check_can_build_root
    began=$(now_ms)
    # Beside the root, so that the last step is a rename; left-overs of a build that was cut off go first.
    rm -rf -- "$root".building.*
    work="$root.building.$$"
    mkdir -m 755 "$work"
    # shellcheck disable=SC2064 # the folder of now is meant
    trap "rm -rf -- '$work'" EXIT
    fetch_donor_packages "$work/apt"
    apt_unpack "$work/apt" "$work/root"
    retarget_programs "$work/root" "$root"
    prune_root "$work/root"
    verify_root "$work/root"
    root_stamp "$root" >"$work/root/.pgbook-root"
    chmod -R u+rwX,go+rX,go-w "$work/root"
    put_in_place "$work" "$root"
    rm -rf -- "$work"
    trap - EXIT
    root_is_whole "$root" || die "the programs in $root do not run on this machine; install PostgreSQL $postgres_major_min or newer with TimescaleDB"
    say "installed $("$(root_bin "$root")/postgres" --version) in $root ($(du -sh -- "$root" | cut -f 1), $(seconds_since "$began"))"
}

check_can_build_root() {
    local program
    for program in apt-get apt-cache dpkg-deb dpkg; do
        command -v "$program" >/dev/null 2>&1 ||
            die "no PostgreSQL with TimescaleDB found, and without $program none can be fetched; install PostgreSQL $postgres_major_min or newer with TimescaleDB, or set DATABASE_URL to a server that has it"
    done
    case $(dpkg --print-architecture) in
    amd64 | arm64) ;;
    *) die "no private PostgreSQL for the architecture $(dpkg --print-architecture); install PostgreSQL $postgres_major_min or newer with TimescaleDB" ;;
    esac
}

# donor_mirror: where Debian's packages come from. Only a Debian machine's own mirror holds them.
donor_mirror() {
    local release mirror
    if [[ -n ${PGBOOK_DEBIAN_MIRROR:-} ]]; then
        echo "$PGBOOK_DEBIAN_MIRROR"
        return 0
    fi
    if [[ $(machine_release ID) == debian ]]; then
        for release in "$(machine_release VERSION_CODENAME)" "$donor_release" stable oldstable testing unstable sid; do
            mirror=$(machine_mirror "$release")
            if [[ -n $mirror ]]; then
                echo "$mirror"
                return 0
            fi
        done
        die "this machine's apt sources name no Debian mirror; set PGBOOK_DEBIAN_MIRROR to one"
    fi
    die "this machine ($(machine_release PRETTY_NAME)) has no PostgreSQL with TimescaleDB, and its own mirror is not Debian's; set PGBOOK_DEBIAN_MIRROR to a Debian mirror's address, or install postgresql-$postgres_major and its TimescaleDB package"
}

donor_keyring() {
    local keyring=${PGBOOK_DEBIAN_KEYRING:-/usr/share/keyrings/debian-archive-keyring.gpg}
    [[ -r $keyring ]] ||
        die "the keys that Debian's packages are checked with are missing ($keyring); install the package debian-archive-keyring"
    echo "$keyring"
}

# donor_sources: the release itself, and its security updates where this machine has a mirror for those.
donor_sources() {
    local mirror keyring security
    mirror=$(donor_mirror)
    keyring=$(donor_keyring)
    echo "deb [signed-by=$keyring] $mirror $donor_release main"
    [[ -z ${PGBOOK_DEBIAN_MIRROR:-} ]] || return 0
    security=$(machine_mirror "$(machine_release VERSION_CODENAME)-security")
    [[ -z $security ]] || echo "deb [signed-by=$keyring] $security $donor_release-security main"
}

fetch_donor_packages() {
    local folder=$1 list sources packages
    list=$(donor_sources)
    mapfile -t sources <<<"$list"
    say "fetching PostgreSQL $postgres_major with TimescaleDB for a private root"
    mkdir -p "$folder"
    apt_make_config "$folder"
    apt_use_sources "$folder" "${sources[@]}"
    private_apt "$folder" apt-get -qq update >>"$folder/log" || explain_unread_lists "$folder"
    list=$(apt_closure "$folder" "${donor_packages[@]}" | grep -E "$(kept_packages)")
    mapfile -t packages <<<"$list"
    apt_fetch "$folder" "${packages[@]}" || die "cannot fetch PostgreSQL's packages: $(apt_last_error "$folder")"
}

explain_unread_lists() {
    ! grep -q NO_PUBKEY "$1/log" ||
        die "the keys to check Debian $donor_release with are not in $(donor_keyring); bring the package debian-archive-keyring up to date"
    die "cannot read the package lists of Debian $donor_release: $(apt_last_error "$1"); set PGBOOK_DEBIAN_MIRROR to a mirror that has them"
}

# Of all that the packages depend on, a private root needs the programs and the libraries they load:
# not the helpers that set up a machine, nor Perl, nor the compiler behind the JIT, which stays off.
kept_packages() {
    local libraries='c6|gcc-s1|stdc|crypt1|ssl3|gssapi|k5crypto|krb5|com-err|keyutils|ldap|sasl2|pq5|icu|xml2|xslt|lzma|bz2'
    libraries+='|lz4|zstd|xxhash|uuid|pam0g|audit1|cap|selinux|pcre2|systemd|gcrypt|gpg-error|readline|tinfo'
    printf '^(postgresql-(client-)?%s(-timescaledb)?$|patchelf$|zlib1g|lib(%s))' "$postgres_major" "$libraries"
}

# root_libraries ROOT: the folder of the shared libraries, such as …/usr/lib/x86_64-linux-gnu.
root_libraries() { dirname -- "$(find "$1/usr/lib" -mindepth 2 -maxdepth 2 -name libc.so.6)"; }

root_loader() {
    find "$1/usr/lib64" "$1/usr/lib" -maxdepth 1 -name 'ld-linux-*.so.*' 2>/dev/null | head -n 1
}

# is_program FILE: an ELF file, that is, not a script.
is_program() { [[ -f $1 && $(head -c 4 -- "$1" | tr -d '\0') == $'\x7fELF' ]]; }

# retarget_programs WORK ROOT: the programs unpacked in WORK shall run in ROOT, on the root's own loader
# and libraries. An rpath of the old kind in a program also serves the modules that it loads.
retarget_programs() {
    local work=$1 root=$2 loader libraries program
    loader=$(root_loader "$work")
    libraries=$(root_libraries "$work")
    [[ -n $loader && -n $libraries ]] || die "the fetched packages hold no C library; Debian may have moved it since these scripts were written"
    for program in "$(root_bin "$work")"/*; do
        if ! is_program "$program"; then continue; fi
        "$loader" --library-path "$libraries" "$work/usr/bin/patchelf" \
            --set-interpreter "$root${loader#"$work"}" --force-rpath \
            --set-rpath "\$ORIGIN/$(realpath --relative-to="$(root_bin "$work")" -- "$libraries")" "$program"
    done
}

# prune_root WORK: leave out what a server without JIT never opens.
prune_root() {
    local library="$1/usr/lib/postgresql/$postgres_major/lib"
    rm -rf -- "$library/bitcode" "$library"/llvmjit* "${1:?}"/{usr/bin,usr/sbin,etc,var}
    find "$1/usr/share" -mindepth 1 -maxdepth 1 ! -name postgresql -exec rm -rf -- {} +
    find "$1/usr/lib" -mindepth 2 -maxdepth 2 \( -name gconv -o -name perl -o -name perl-base \) -exec rm -rf -- {} +
}

# verify_root WORK: every program and module finds all its libraries, and finds them inside the root.
verify_root() {
    local work=$1 loader libraries file outside
    loader=$(root_loader "$work")
    libraries=$(root_libraries "$work")
    for file in "$(root_bin "$work")"/* "$work/usr/lib/postgresql/$postgres_major/lib"/*.so; do
        if ! is_program "$file"; then continue; fi
        outside=$("$loader" --library-path "$libraries" --list "$file" 2>&1 |
            grep -vE "linux-vdso|statically linked|^[[:space:]]*$work/|=> $work/" | head -n 1) || true
        [[ -z $outside ]] || die "$(basename -- "$file") lacks a library in the private root (${outside//[[:space:]]/ }); Debian may have changed its packages since these scripts were written"
    done
}

# put_in_place WORK ROOT: a damaged or outdated root makes way; servers that run from it keep their files.
put_in_place() {
    local work=$1 root=$2
    if [[ -e $root ]]; then mv -T -- "$root" "$work/old"; fi
    mv -T -- "$work/root" "$root"
}
