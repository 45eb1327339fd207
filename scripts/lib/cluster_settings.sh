# shellcheck shell=bash
# PostgreSQL's own settings for a cluster, written anew at each start; ALTER SYSTEM goes over them.

# memory_mb: what this machine or container has.
memory_mb() {
    local kb limit
    kb=$(awk '/^MemTotal:/ { print $2 }' /proc/meminfo)
    limit=$(cat /sys/fs/cgroup/memory.max 2>/dev/null || echo max)
    if [[ $limit =~ ^[0-9]+$ ]] && ((limit / 1024 < kb)); then kb=$((limit / 1024)); fi
    echo $((kb / 1024))
}

write_configuration() {
    local folder=$1 zone=GMT
    if [[ -e /usr/share/zoneinfo/UTC ]]; then zone=UTC; fi
    {
        echo "# Written by scripts/postgres at every start. Change settings with ALTER SYSTEM."
        echo "port = $(setting "$folder" port)"
        echo "unix_socket_directories = '$(setting "$folder" socket)'"
        echo "unix_socket_permissions = 0700"
        echo "listen_addresses = '$([[ $(setting "$folder" tcp) != yes ]] || echo 127.0.0.1)'"
        echo "max_connections = 400"
        echo "shared_preload_libraries = 'timescaledb,pg_stat_statements'"
        echo "timescaledb.telemetry_level = off"
        # pgbook uses none of TimescaleDB's jobs, and its workers hold on to databases being copied or dropped.
        echo "timescaledb.max_background_workers = 0"
        echo "jit = off"
        echo "timezone = '$zone'"
        echo "log_timezone = '$zone'"
        if is_throwaway "$folder"; then throwaway_settings; else node_settings; fi
    } >"$folder/pgbook.conf"
    chmod 644 -- "$folder/pgbook.conf"
}

# By the name of the cluster pgbook knows that nobody minds losing it; to any other server without fsync it gives no
# acknowledgement.
throwaway_settings() {
    cat <<'EOT'
cluster_name = 'pgbook_throwaway'
fsync = off
synchronous_commit = off
full_page_writes = off
shared_buffers = 128MB
max_wal_size = 2GB
checkpoint_timeout = 30min
autovacuum_naptime = 10s
EOT
}

node_settings() {
    local buffers=$(($(memory_mb) / 4))
    if ((buffers > 2048)); then buffers=2048; fi
    if ((buffers < 64)); then buffers=64; fi
    cat <<EOT
fsync = on
synchronous_commit = on
full_page_writes = on
shared_buffers = ${buffers}MB
effective_cache_size = $(($(memory_mb) / 2))MB
max_wal_size = 4GB
min_wal_size = 512MB
wal_compression = lz4
checkpoint_timeout = 15min
random_page_cost = 1.1
logging_collector = on
log_directory = '../log'
log_filename = 'postgres-%a.log'
log_file_mode = 0600
log_rotation_age = 1d
log_truncate_on_rotation = on
EOT
}
