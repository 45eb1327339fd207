# shellcheck shell=bash
# A node's own processes in the background, each with a name, noted in the node's folder.
#
#   NAME          process id, start time and what else is to be known of the process of that name
#   NAME's log    what it says; the one before is kept as .log.1
#   keep          there while the processes shall outlive the prompts
#   prompts       locked, shared, by every open prompt
#   lock          locked while something is started

: "${repository:?}"

readonly process_stop_seconds_max=20

# The folder of a node that is alone; scripts/node sets node_state for a member of a cluster.
node_folder() { echo "${node_state:-$(state_folder)/node}"; }

# noted NAME KEY: a value that was noted of a running process, or nothing.
noted() {
    local file
    file="$(node_folder)/$1"
    if [[ -r $file ]]; then sed -n "s/^$2=//p" "$file"; fi
}

# process_start PID: when it was started; tells it from a later process of the same number.
# Nothing for one that has ended, though nobody may have asked for its exit code yet.
process_start() { sed -n 's/.*) //; /^[^ZX]/p' "/proc/$1/stat" 2>/dev/null | cut -d ' ' -f 20; }

process_runs() {
    local pid
    pid=$(noted "$1" pid)
    [[ -n $pid && $(process_start "$pid") == "$(noted "$1" start)" ]]
}

# process_is_outdated NAME PROGRAM: has the program been built anew since the process was started?
process_is_outdated() { [[ $(readlink -- "/proc/$(noted "$1" pid)/exe") != "$(realpath -- "$2")" ]]; }

# launch_process NAME LOG NOTE… -- COMMAND…
launch_process() {
    local name=$1 log notes=() pid
    log="$(node_folder)/$2"
    shift 2
    while [[ $1 != -- ]]; do
        notes+=("$1")
        shift
    done
    shift
    if [[ -e $log ]]; then mv -f -- "$log" "$log.1"; fi
    # In a session of its own, so that Ctrl-C at the prompt does not reach it; 7 and 8 are locks.
    setsid "$@" </dev/null >"$log" 2>&1 7>&- 8>&- &
    pid=$!
    printf '%s\n' "pid=$pid" "start=$(process_start "$pid")" "${notes[@]}" >"$(node_folder)/$name"
}

last_line() { grep . "$(node_folder)/$1" 2>/dev/null | tail -n 1 || echo "it said nothing"; }

# stop_process NAME: gracefully; one that does not end in time is ended hard, which loses nothing.
stop_process() {
    local pid deadline
    if ! process_runs "$1"; then return 0; fi
    pid=$(noted "$1" pid)
    kill -TERM "$pid" 2>/dev/null || true
    deadline=$(($(now_ms) + process_stop_seconds_max * 1000))
    while process_runs "$1"; do
        if (($(now_ms) > deadline)); then
            say "the $1 did not end in $process_stop_seconds_max s; ending it hard"
            kill -KILL "$pid" 2>/dev/null || true
            break
        fi
        sleep 0.1
    done
    rm -f -- "$(node_folder)/$1"
    say "stopped the $1"
}
