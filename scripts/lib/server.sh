# shellcheck shell=bash
# The node's own process, `pgbook serve`, in the background: one per node. Its log is serve.log in the node's folder.

: "${repository:?}" "${peers=}"

# The role that the node's processes log in as; empty: whatever the environment says.
serving_user=''

readonly server_port_default=8080
readonly server_port_tries=20
readonly server_ready_seconds_max=60

# start_server PROGRAM PORT PATH OPTION…: PORT may be empty; the server is up when it answers PATH with 200.
# Leaves a running server with the same options alone.
start_server() {
    local program=$1 port=$2 path=$3
    shift 3
    if process_runs server; then
        if ! process_is_outdated server "$program"; then
            reuse_server "$port" "$@"
            return 0
        fi
        say "the running server is of an older build; starting the new one"
        stop_process server
    fi
    launch_server "$program" "${port:-$(choose_port)}" "$path" "$@"
}

reuse_server() {
    local port=$1
    shift
    if [[ (-n $port && $port != "$(noted server port)") || ($# != 0 && "$*" != "$(noted server options)") ]]; then
        die "the server already runs on port $(noted server port) with other options ($(noted server options)); stop it first: scripts/node stop${peers:+ --peers $peers}"
    fi
    say "the server already runs on port $(noted server port)"
}

# choose_port: the usual one, or the next that is free.
choose_port() {
    local port
    for ((port = server_port_default; port < server_port_default + server_port_tries; port++)); do
        if ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
            echo "$port"
            return 0
        fi
    done
    die "the ports from $server_port_default to $((port - 1)) are all in use; give a free one with --port"
}

launch_server() {
    local program=$1 port=$2 path=$3
    shift 3
    launch_process server serve.log "port=$port" "options=$*" -- ${serving_user:+env "PGUSER=$serving_user"} \
        "$program" serve --port "$port" "$@"
    wait_until_up "$port" "$path"
    say "the server is up on port $port; its log is $(node_folder)/serve.log"
}

wait_until_up() {
    local port=$1 path=$2 deadline
    deadline=$(($(now_ms) + server_ready_seconds_max * 1000))
    until answers "$port" "$path"; do
        if ! process_runs server; then
            rm -f -- "$(node_folder)/server"
            die "the server ended at once: $(last_line serve.log)"
        fi
        (($(now_ms) < deadline)) ||
            die "the server is not ready after $server_ready_seconds_max s: $(last_line serve.log); see $(node_folder)/serve.log"
        sleep 0.1
    done
}

answers() {
    local line
    {
        printf 'GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' "$2" >&3 &&
            IFS= read -r -t 2 line <&3 && [[ $line == *' 200'* ]]
    } 2>/dev/null 3<>"/dev/tcp/127.0.0.1/$1"
} 2>/dev/null
