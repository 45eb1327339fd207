# shellcheck shell=bash
# The node's own process, `pgbook serve`, in the background: one per state folder.
#
#   <state>/node/server      process id, start time, port and options of the running server
#   <state>/node/serve.log   what it says; the one before is kept as serve.log.1
#   <state>/node/keep        there while the server shall outlive the prompts
#   <state>/node/prompts     locked, shared, by every open prompt

: "${repository:?}"

readonly server_port_default=8080
readonly server_port_tries=20
readonly server_ready_seconds_max=60
readonly server_stop_seconds_max=20

node_folder() { echo "$(state_folder)/node"; }

# server_value NAME: what was noted of the running server, or nothing.
server_value() {
    local file
    file="$(node_folder)/server"
    if [[ -r $file ]]; then sed -n "s/^$1=//p" "$file"; fi
}

# process_start PID: when it was started; tells it from a later process of the same number.
# Nothing for one that has ended, though nobody may have asked for its exit code yet.
process_start() { sed -n 's/.*) //; /^[^ZX]/p' "/proc/$1/stat" 2>/dev/null | cut -d ' ' -f 20; }

server_runs() {
    local pid
    pid=$(server_value pid)
    [[ -n $pid && $(process_start "$pid") == "$(server_value start)" ]]
}

# server_is_outdated PROGRAM: has the program been built anew since the server was started?
server_is_outdated() { [[ $(readlink -- "/proc/$(server_value pid)/exe") != "$(realpath -- "$1")" ]]; }

# start_server PROGRAM PORT OPTION…: PORT may be empty. Leaves a running server with the same options alone.
start_server() {
    local program=$1 port=$2
    shift 2
    if server_runs; then
        if ! server_is_outdated "$program"; then
            reuse_server "$port" "$@"
            return 0
        fi
        say "the running server is of an older build; starting the new one"
        stop_server
    fi
    launch_server "$program" "${port:-$(choose_port)}" "$@"
}

reuse_server() {
    local port=$1
    shift
    if [[ (-n $port && $port != "$(server_value port)") || ($# != 0 && "$*" != "$(server_value options)") ]]; then
        die "the server already runs on port $(server_value port) with other options ($(server_value options)); stop it first: scripts/node stop"
    fi
    say "the server already runs on port $(server_value port)"
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
    local program=$1 port=$2 folder pid
    shift 2
    folder=$(node_folder)
    if [[ -e $folder/serve.log ]]; then mv -f -- "$folder/serve.log" "$folder/serve.log.1"; fi
    # In a session of its own, so that Ctrl-C at the prompt does not reach it; 7 and 8 are locks.
    setsid "$program" serve --port "$port" "$@" </dev/null >"$folder/serve.log" 2>&1 7>&- 8>&- &
    pid=$!
    printf '%s\n' "pid=$pid" "start=$(process_start "$pid")" "port=$port" "options=$*" >"$folder/server"
    wait_until_ready "$port" "$pid"
    say "the server is up on port $port; its log is $folder/serve.log"
}

wait_until_ready() {
    local port=$1 pid=$2 deadline
    deadline=$(($(now_ms) + server_ready_seconds_max * 1000))
    until answers_ready "$port"; do
        if ! kill -0 "$pid" 2>/dev/null; then
            rm -f -- "$(node_folder)/server"
            die "the server ended at once: $(last_server_line)"
        fi
        (($(now_ms) < deadline)) ||
            die "the server is not ready after $server_ready_seconds_max s: $(last_server_line); see $(node_folder)/serve.log"
        sleep 0.1
    done
}

answers_ready() {
    local line
    {
        printf 'GET /ready HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' >&3 &&
            IFS= read -r -t 2 line <&3 && [[ $line == *' 200'* ]]
    } 2>/dev/null 3<>"/dev/tcp/127.0.0.1/$1"
} 2>/dev/null

last_server_line() { grep . "$(node_folder)/serve.log" 2>/dev/null | tail -n 1 || echo "it said nothing"; }

# stop_server: gracefully; a server that does not end in time is ended hard, which loses nothing.
stop_server() {
    local pid deadline
    if ! server_runs; then return 0; fi
    pid=$(server_value pid)
    kill -TERM "$pid" 2>/dev/null || true
    deadline=$(($(now_ms) + server_stop_seconds_max * 1000))
    while server_runs; do
        if (($(now_ms) > deadline)); then
            say "the server did not end in $server_stop_seconds_max s; ending it hard"
            kill -KILL "$pid" 2>/dev/null || true
            break
        fi
        sleep 0.1
    done
    rm -f -- "$(node_folder)/server"
    say "stopped the server"
}
