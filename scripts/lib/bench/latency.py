"""Percentiles of latencies, corrected for coordinated omission as pgbook bench does it."""


def summary(per_client):
    """Latencies in microseconds, one list per client in the order of sending.

    While a client waits longer than usual, what it would have sent meanwhile at its usual pace would have waited too.
    The interval expected between two commands of a client is its mean latency.
    """
    latencies = []
    for client in per_client:
        interval = max(1, sum(client) // len(client))
        for latency in client:
            latencies.append(latency)
            missing = latency - interval
            while missing >= interval:
                latencies.append(missing)
                missing -= interval
    latencies.sort()
    return {
        "p50_us": at(latencies, 50), "p99_us": at(latencies, 99), "p999_us": at(latencies, 99.9),
        "max_us": latencies[-1]}


def at(latencies, percentile):
    return latencies[min(len(latencies) - 1, max(0, -int(-len(latencies) * percentile // 100) - 1))]
