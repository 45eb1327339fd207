# shellcheck shell=bash
# What scripts/soak needs besides PostgreSQL and pgbook: a Python with a PostgreSQL driver.

: "${repository:?}"

# need_driver: sets PGBOOK_SOAK_PYTHON. A Python named there by the caller must have the package psycopg.
need_driver() {
    local venv
    if [[ -n ${PGBOOK_SOAK_PYTHON:-} ]]; then
        has_driver "$PGBOOK_SOAK_PYTHON" ||
            die "PGBOOK_SOAK_PYTHON ($PGBOOK_SOAK_PYTHON) lacks the package psycopg; install it there, or unset the variable"
        return 0
    fi
    venv="$(state_folder)/venv"
    need_python
    with_lock "$venv.lock" install_driver_if_missing "$venv/bin/python" ||
        die "the Python package psycopg cannot be installed; install it in a Python of your own and name that in PGBOOK_SOAK_PYTHON"
    PGBOOK_SOAK_PYTHON="$venv/bin/python"
}

has_driver() { "$1" -c 'import psycopg' 2>/dev/null; }

# With its own libpq where there is a wheel for this machine, else in Python alone over the machine's libpq.
install_driver_if_missing() {
    local python=$1 package
    for package in 'psycopg[binary]' psycopg; do
        if has_driver "$python"; then return 0; fi
        "$python" -m pip install --quiet --disable-pip-version-check "$package" </dev/null >/dev/null 2>&1 || true
    done
    has_driver "$python"
}
