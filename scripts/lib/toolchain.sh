# shellcheck shell=bash
# What building and testing need besides PostgreSQL: Swift, the headers of libpq, and for one test Python.
# What is missing is installed: by apt for root and with passwordless sudo, else privately in the state folder.

: "${repository:?}"

readonly swift_min=6.2

# need_swift: finds Swift in the usual places too. It is the one thing that cannot be fetched from a mirror.
need_swift() {
    local said version folder
    if ! command -v swift >/dev/null 2>&1; then
        for folder in /opt/swift/usr/bin /usr/libexec/swift/bin "${HOME:-/}/.local/share/swiftly/bin" "${HOME:-/}/.swiftly/bin"; do
            if [[ -x $folder/swift ]]; then PATH="$folder:$PATH"; fi
        done
    fi
    command -v swift >/dev/null 2>&1 ||
        die "Swift is missing; install Swift $swift_min or newer for this system from swift.org and put its usr/bin on the PATH"
    said=$(swift --version 2>&1) || die "Swift does not run: $(tail -n 1 <<<"$said"); install what it says is missing"
    version=$(grep -oE 'Swift version [0-9]+\.[0-9]+' <<<"$said" | grep -oE '[0-9.]+')
    [[ $(printf '%s\n' "$swift_min" "$version" | sort -V | head -n 1) == "$swift_min" ]] ||
        die "Swift is $version, but pgbook needs $swift_min or newer; install one from swift.org and put it first on the PATH"
}

# apt_as_root: how to run apt-get with the rights to install, or nothing.
apt_as_root() {
    command -v apt-get >/dev/null 2>&1 || return 0
    if is_root; then
        echo "env DEBIAN_FRONTEND=noninteractive apt-get"
    elif sudo -n true 2>/dev/null; then
        echo "sudo -n env DEBIAN_FRONTEND=noninteractive apt-get"
    fi
}

# apt_install PACKAGE…: on the machine itself; fails where this user may not. The lists are only read anew
# where they do not know the packages, as on a fresh machine.
apt_install() {
    local apt
    read -ra apt <<<"$(apt_as_root)"
    ((${#apt[@]})) || return 1
    say "installing $*"
    "${apt[@]}" install -qq --yes --no-install-recommends "$@" </dev/null >/dev/null 2>&1 && return 0
    "${apt[@]}" update -qq </dev/null >/dev/null 2>&1 || true
    "${apt[@]}" install -qq --yes --no-install-recommends "$@" </dev/null >/dev/null 2>&1
}

# libpq

libpq_is_there() {
    local found
    if command -v pkg-config >/dev/null 2>&1; then
        pkg-config --exists libpq 2>/dev/null
    else
        found=("/usr/lib/$(gnu_triplet)/pkgconfig/libpq.pc" /usr/lib64/pkgconfig/libpq.pc)
        [[ -e ${found[0]} || -e ${found[1]} ]]
    fi
}

gnu_triplet() { echo "$(uname -m)-linux-gnu"; }

# need_libpq: headers and library for the build; exports what the build and the programs find them by.
need_libpq() {
    local root
    root=$(state_folder)/libpq
    if libpq_is_there || apt_install libpq-dev pkg-config; then
        # For a machine that has the headers, but no pkg-config to say where.
        command -v pkg-config >/dev/null 2>&1 || export PKG_CONFIG_PATH="/usr/lib/$(gnu_triplet)/pkgconfig${PKG_CONFIG_PATH:+:$PKG_CONFIG_PATH}"
        return 0
    fi
    make_folder "$(state_folder)" 755
    with_lock "$root.lock" build_libpq_if_missing "$root"
    export PKG_CONFIG_PATH="$root/usr/lib/$(gnu_triplet)/pkgconfig${PKG_CONFIG_PATH:+:$PKG_CONFIG_PATH}"
    export LD_LIBRARY_PATH="$root/usr/lib/$(gnu_triplet)${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
}

# The machine's own libpq, for a user who may not install it. Its .pc files are pointed at the private root.
build_libpq_if_missing() {
    local root=$1 work
    if [[ -e $root/.pgbook-root ]]; then return 0; fi
    command -v apt-get >/dev/null 2>&1 ||
        die "the headers of libpq are missing; install them (libpq-dev, libpq-devel or postgresql-libs) and pkg-config"
    say "fetching libpq-dev for a private root, because this user may not install it"
    work="$root.building.$$"
    rm -rf -- "$root".building.*
    # shellcheck disable=SC2064 # the folder of now is meant
    trap "rm -rf -- '$work'" EXIT
    fetch_own_packages "$work/apt" libpq-dev libpq5
    apt_unpack "$work/apt" "$work/root"
    sed -i "s#=/usr#=$root/usr#" "$work/root/usr/lib/$(gnu_triplet)/pkgconfig"/*.pc
    touch "$work/root/.pgbook-root"
    rm -rf -- "$root"
    mv -T -- "$work/root" "$root"
    rm -rf -- "$work"
    trap - EXIT
}

# fetch_own_packages FOLDER PACKAGE…: of the machine's own distribution, with what they lack on this machine.
fetch_own_packages() {
    local folder=$1 missing packages
    shift
    mkdir -p "$folder"
    cp /var/lib/dpkg/status "$folder/status"
    apt_make_config "$folder"
    private_apt "$folder" apt-get -qq update >>"$folder/log" || die "cannot read this machine's package lists: $(apt_last_error "$folder")"
    missing=$(apt_closure "$folder" "$@")
    mapfile -t packages < <(printf '%s\n' "$@" "$missing" | grep . | sort -u)
    apt_fetch "$folder" "${packages[@]}" || die "cannot fetch $*: $(apt_last_error "$folder")"
}

# Python

# need_pgbouncer: the pooler that some tests put before the server. Without one they say that they were left out.
need_pgbouncer() {
    local program
    for program in /usr/sbin/pgbouncer /usr/bin/pgbouncer /usr/local/bin/pgbouncer; do
        if [[ -x $program ]]; then return 0; fi
    done
    if ! apt_install pgbouncer || [[ ! -x /usr/sbin/pgbouncer ]]; then
        say "pgbouncer could not be installed; the tests that need it are left out"
        return 0
    fi
    # The package starts one as a service; nobody asked for that.
    if [[ -d /run/systemd/system ]] && is_root; then systemctl disable --now pgbouncer >/dev/null 2>&1 || true; fi
}

# need_python: a Python that has the WebSocket client of the tests; exports PGBOOK_TEST_PYTHON.
# Without one the tests that want it say that they were left out.
need_python() {
    local venv
    venv=$(state_folder)/venv
    make_folder "$(state_folder)" 755
    if with_lock "$venv.lock" build_venv_if_missing "$venv"; then
        export PGBOOK_TEST_PYTHON="$venv/bin/python"
        if ! with_lock "$venv.lock" install_readers_if_missing "$venv"; then
            say "pandas and backtrader could not be installed; the tests that load exports with them are left out"
        fi
    else
        say "no Python with the package websockets could be set up; the tests that need it are left out"
    fi
}

# Runs where errors do not end the script: every step says for itself whether it worked.
build_venv_if_missing() {
    local venv=$1
    if "$venv/bin/python" -c 'import websockets' 2>/dev/null; then return 0; fi
    command -v python3 >/dev/null 2>&1 || apt_install python3 python3-venv || return 1
    rm -rf -- "$venv"
    if ! python3 -m venv "$venv" >/dev/null 2>&1; then
        apt_install python3-venv && rm -rf -- "$venv" && python3 -m venv "$venv" >/dev/null 2>&1 ||
            venv_without_ensurepip "$venv" || return 1
    fi
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check websockets </dev/null >/dev/null 2>&1 &&
        "$venv/bin/python" -c 'import websockets' 2>/dev/null
}

# The programs that exported candles are for, as far as PyPI has them. Without a network it gives up at once.
install_readers_if_missing() {
    local venv=$1
    if [[ -d $(echo "$venv"/lib/python3*/site-packages/pandas) && -d $(echo "$venv"/lib/python3*/site-packages/backtrader) ]]; then
        return 0
    fi
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --retries 0 --timeout 15 pandas backtrader \
        </dev/null >/dev/null 2>&1
}

# Debian keeps pip's wheel in a package of its own; a user who may not install it can still run it from a file.
venv_without_ensurepip() {
    local venv=$1 wheels="$1.wheels"
    rm -rf -- "$venv" "$wheels"
    python3 -m venv --without-pip "$venv" >/dev/null 2>&1 || return 1
    (fetch_own_packages "$wheels/apt" python3-pip-whl && apt_unpack "$wheels/apt" "$wheels/root") || return 1
    "$venv/bin/python" "$(find "$wheels/root" -name 'pip-*.whl' | head -n 1)/pip" install --quiet --disable-pip-version-check \
        --no-index --find-links "$wheels/root/usr/share/python-wheels" pip </dev/null >/dev/null 2>&1 || return 1
    rm -rf -- "$wheels"
}
