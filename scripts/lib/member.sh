# shellcheck shell=bash
# A node that belongs to a cluster: what its configuration says, and its sidecar, `pgbook gossip`, in the background.
# The sidecar's log is gossip.log in the node's folder.

: "${repository:?}"

# Not local to anything: traps read them after everything has returned. All empty for a node that is alone.
peers='' member='' cluster_id='' node_home='' node_state='' offering=''

readonly sidecar_join_seconds_max=60
# So long for peers that are there to be heard, before it is said that the node waits.
readonly peers_seconds=5
# A script has nobody who would give its orders again.
readonly script_seconds_max=60

# read_member FOLDER: what pgbook cluster add-node made, or its cluster.json. Sets peers, member, cluster_id and
# node_state. A node's database belongs to one cluster and one name, so its folder does too.
read_member() {
    local file
    peers=$(realpath -ms -- "$1")
    if [[ -f $peers ]]; then peers=$(dirname -- "$peers"); fi
    file="$peers/cluster.json"
    [[ -r $file ]] || die "there is no cluster.json in $peers; give the folder of a node, made by pgbook cluster add-node"
    cluster_id=$(configured "$file" cluster)
    member=$(configured "$file" node)
    [[ -n $cluster_id && -n $member ]] ||
        die "$file names no node; give the folder of one, made by pgbook cluster add-node"
    node_home="$(state_folder)/nodes/$cluster_id.$member"
    node_state="$node_home/node"
}

# configured FILE KEY: the first such word in it, however the file is laid out.
configured() {
    tr '{},' '[\n*]' <"$1" | sed -n "s/^[[:space:]]*\"$2\"[[:space:]]*:[[:space:]]*\"\([a-z0-9-]*\)\".*/\1/p" | sed -n 1p
}

# start_sidecar PROGRAM: anew where the program or the configuration is another than it was started with.
start_sidecar() {
    local program=$1 sum
    sum=$(cat -- "$peers"/{cluster.json,ca.pem,node.pem} | cksum)
    if process_runs sidecar; then
        if ! process_is_outdated sidecar "$program" && [[ $(noted sidecar sum) == "$sum" ]]; then
            say "the sidecar of $member already runs"
            return 0
        fi
        say "the program or the configuration is another by now; starting the sidecar anew"
        stop_process sidecar
    fi
    launch_process sidecar gossip.log "since=$(date -u +%Y-%m-%dT%H:%M:%S.%N)" "config=$peers" "sum=$sum" -- \
        ${serving_user:+env "PGUSER=$serving_user"} "$program" gossip --config "$peers"
    wait_until_member "$program"
}

# wait_until_member PROGRAM: the sidecar's first start makes the database a node of the cluster. A server that is
# started before that would take it for one that is alone.
wait_until_member() {
    local deadline
    deadline=$(($(now_ms) + sidecar_join_seconds_max * 1000))
    until [[ $(stands "$1") == *"\"$cluster_id\""* ]]; do
        if ! process_runs sidecar; then
            rm -f -- "$(node_folder)/sidecar"
            die "the sidecar ended at once: $(last_line gossip.log)"
        fi
        (($(now_ms) < deadline)) || die "the sidecar does not begin in $sidecar_join_seconds_max s: $(last_line gossip.log)"
        sleep 0.1
    done
    say "the sidecar of $member in $cluster_id is up; its log is $(node_folder)/gossip.log"
}

# stands PROGRAM: how the node stands, as JSON.
stands() { "$1" status --json </dev/null 2>/dev/null || true; }

# said JSON KEY: the first text of that name.
said() { sed -n "1s/^[^[]*\"$2\": *\"\(\([^\"\\\\]\|\\\\.\)*\)\".*/\1/p" <<<"$1"; }

# takes_orders PROGRAM: by what the sidecar said since it was started. Sets reason.
takes_orders() {
    local json heard
    json=$(stands "$1")
    reason=$(said "$json" reason)
    heard=$(said "$json" heard_at)
    [[ $heard > $(noted sidecar since) && $json =~ \"ready\":\ *true ]]
}

# await_peers PROGRAM: whether the node takes orders, said after a while in which peers that run are heard. A script's
# orders wait for it longer.
await_peers() {
    local program=$1 reason=''
    if ! takes_orders_within "$program" "$peers_seconds"; then
        say "$member takes no orders yet: ${reason:-it waits for its peers}"
        if [[ -t 0 ]]; then return 1; fi
        takes_orders_within "$program" "$script_seconds_max" ||
            die "$member takes no orders after $script_seconds_max s: ${reason:-it waits for its peers}"
    fi
    say "$member takes orders"
}

# takes_orders_within PROGRAM SECONDS
takes_orders_within() {
    local deadline
    deadline=$(($(now_ms) + $2 * 1000))
    until takes_orders "$1"; do
        if (($(now_ms) > deadline)); then return 1; fi
        sleep 0.2
    done
}

# offer_market PROGRAM: once the node takes orders it has heard of the markets of its peers. Where there is none, the
# first member makes one to try, and is started anew because a sidecar tells its peers of markets when it greets them.
offer_market() {
    local program=$1 reason
    if [[ $(configured "$peers/cluster.json" name) != "$member" ]]; then
        if [[ ! -t 0 ]]; then market_within "$program" "$peers_seconds"; fi
        return 0
    fi
    if has_market "$program"; then return 0; fi
    until takes_orders "$program"; do sleep 1; done
    if has_market "$program"; then return 0; fi
    add_market "$program"
    (
        flock 7
        if process_runs sidecar; then stop_process sidecar && start_sidecar "$program"; fi
    ) 7>>"$(node_folder)/lock" 2>/dev/null
    takes_orders_within "$program" "$peers_seconds" || true
}

# market_within PROGRAM SECONDS: a script has nobody who would see that the first member has made it by now.
market_within() {
    local deadline
    deadline=$(($(now_ms) + $2 * 1000))
    until has_market "$1" || (($(now_ms) > deadline)); do sleep 0.2; done
}
