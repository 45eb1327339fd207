# shellcheck shell=bash
# Fetches packages with apt into private lists and caches, and unpacks them into a private root.
# Nothing of the machine's own package state is read or changed, so an ordinary user may do it.
# apt itself checks the archive's signature and every package's checksum.

# apt_make_config FOLDER: apt's configuration for FOLDER. Of the machine's own configuration only what
# concerns the way to the mirror is kept (proxies, retries): none of its hooks runs.
apt_make_config() {
    local folder=$1
    mkdir -p "$folder/lists/partial" "$folder/cache/archives/partial"
    [[ -e $folder/status ]] || : >"$folder/status"
    {
        cat <<EOT
Dir::Etc::main "/dev/null";
Dir::Etc::parts "/dev/null";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
Dir::State "$folder";
Dir::State::lists "$folder/lists";
Dir::State::status "$folder/status";
Dir::Cache "$folder/cache";
Dir::Cache::pkgcache "";
Dir::Cache::srcpkgcache "";
APT::Sandbox::User "";
APT::Install-Recommends "false";
APT::Update::Error-Mode "any";
Acquire::Languages "none";
EOT
        apt-config dump Acquire 2>/dev/null | grep -E '^Acquire::(http|https|socks|Retries|Force|Check)' || true
    } >"$folder/apt.conf"
}

# apt_use_sources FOLDER LINE…: take packages from these one-line sources instead of the machine's own.
apt_use_sources() {
    local folder=$1
    shift
    printf '%s\n' "$@" >"$folder/sources.list"
    cat >>"$folder/apt.conf" <<EOT
Dir::Etc::sourcelist "$folder/sources.list";
Dir::Etc::sourceparts "/dev/null";
EOT
}

# private_apt FOLDER COMMAND…: apt with FOLDER's configuration. What it says stays in FOLDER/log.
private_apt() {
    local folder=$1
    shift
    (cd "$folder/cache/archives" && APT_CONFIG="$folder/apt.conf" LC_ALL=C "$@" </dev/null 2>>"$folder/log")
}

# apt_last_error FOLDER: the line to show when a step failed.
apt_last_error() {
    grep -E '^(E|W|Err)' "$1/log" 2>/dev/null | head -n 1 || tail -n 1 "$1/log"
}

# apt_closure FOLDER PACKAGE…: the packages an installation would fetch, one name a line.
apt_closure() {
    local folder=$1
    shift
    private_apt "$folder" apt-get -qq --print-uris --yes install "$@" | awk '{ sub(/_.*/, "", $2); print $2 }'
}

# apt_fetch FOLDER PACKAGE…: download into FOLDER/cache/archives.
apt_fetch() {
    local folder=$1
    shift
    private_apt "$folder" apt-get -qq download "$@" >>"$folder/log"
}

# apt_unpack FOLDER ROOT: unpack all that was fetched, without running any package's scripts.
apt_unpack() {
    local package
    mkdir -p "$2"
    for package in "$1"/cache/archives/*.deb; do
        dpkg-deb -x "$package" "$2" 2>>"$1/log" || die "cannot unpack $(basename -- "$package"): $(tail -n 1 "$1/log")"
    done
}

# machine_release KEY: a value of the machine's own os-release, such as ID or VERSION_CODENAME.
machine_release() {
    [[ -r /etc/os-release ]] || return 0
    sed -n "s/^$1=//p" /etc/os-release | tr -d "\"'"
}

# machine_mirror RELEASE: the address from which this machine takes RELEASE's main packages.
# apt parses its own sources, one-line and deb822 alike.
machine_mirror() {
    apt-get indextargets --no-release-info --format "\$(RELEASE) \$(COMPONENT) \$(REPO_URI)" 'Created-By: Packages' 2>/dev/null |
        awk -v release="$1" '$1 == release && $2 == "main" { print $3; exit }'
}
