"""Starts the nodes of a cluster on this machine and shows them side by side. scripts/cluster starts it."""

import datetime
import signal
import sys
import time

from .cluster import Cluster
from .node import Fault
from .options import Parser

READY_SECONDS_MAX = 60


def arguments():
    parser = Parser("scripts/cluster")
    parser.add_argument("nodes", type=int, nargs="?", default=3)
    parser.add_argument("--window", type=int, default=3000)
    parser.add_argument("--confirmations", type=int, default=0)
    parser.add_argument("--no-early-close", action="store_true")
    options = parser.parse_args()
    if not 2 <= options.nodes <= 9:
        parser.error(f"{options.nodes} nodes; a cluster has 2 to 9")
    return options


def main():
    options = arguments()
    if not options.program:
        return 0
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    cluster = Cluster(
        options.folder, options.program, options.postgres, options.nodes, window_ms=options.window,
        confirmations=options.confirmations, early=not options.no_early_close)
    code = 0
    try:
        cluster.make(say=lambda text: print(f"pgbook: {text}", file=sys.stderr, flush=True))
        cluster.start()
        cluster.wait_ready(READY_SECONDS_MAX)
        introduce(cluster)
        while True:
            show(cluster)
            time.sleep(1)
    except KeyboardInterrupt:
        print("\npgbook: stopping", file=sys.stderr, flush=True)
    except Fault as fault:
        print(f"pgbook: {fault}", file=sys.stderr, flush=True)
        code = 1
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        for fault in cluster.stop():
            print(f"pgbook: {fault}", file=sys.stderr, flush=True)
            code = 1
    return code


def introduce(cluster):
    for node in cluster.nodes:
        print(f"{node.name}: http://127.0.0.1:{node.port}/ · pgbook --database '{node.conninfo()}'")
        print(f"  psql '{node.conninfo()}'")
    print(flush=True)


# What stands in the rows, from what `pgbook status --json` says.
ROWS = [
    ("takes orders", lambda said, sidecar: "yes" if said.get("ready") else (said.get("reason") or "no")[:34]),
    ("level", lambda said, sidecar: "yes" if sidecar.get("isLevel") else "no"),
    ("executed through", lambda said, sidecar: moment(sidecar.get("closedThrough"))),
    ("watermark", lambda said, sidecar: moment(sidecar.get("watermark"))),
    ("agreed through", lambda said, sidecar: moment(sidecar.get("agreed"))),
    ("digest", lambda said, sidecar: sidecar.get("chain") or "-"),
    ("own commands", lambda said, sidecar: sidecar.get("lastNumber")),
    ("waiting", lambda said, sidecar: sidecar.get("waiting")),
    ("unconfirmed", lambda said, sidecar: sidecar.get("unconfirmed")),
    ("late", lambda said, sidecar: sidecar.get("late")),
    ("peers", lambda said, sidecar: peers(sidecar)),
]


def show(cluster):
    states = [node.status() or {} for node in cluster.nodes]
    width = max(20, *(len(node.name) for node in cluster.nodes))
    lines = [f"{'':18}" + "".join(f"{node.name:{width + 2}}" for node in cluster.nodes)]
    for title, read in ROWS:
        cells = (str(value) if (value := read(state, state.get("sidecar") or {})) is not None else "-" for state in states)
        lines.append(f"{title:18}" + "".join(f"{cell:{width + 2}.{width + 1}}" for cell in cells))
    if sys.stdout.isatty() and hasattr(show, "lines"):
        print(f"\x1b[{show.lines}A\x1b[J", end="")
    show.lines = len(lines) + 1
    print("\n".join(line.rstrip() for line in lines) + "\n", flush=True)


def moment(microseconds):
    if microseconds is None or not -62_135_596_800_000_000 < microseconds < 253_402_300_800_000_000:
        return "-"
    return datetime.datetime.fromtimestamp(microseconds / 1e6, datetime.timezone.utc).strftime("%H:%M:%S.%f")[:-3]


def peers(sidecar):
    """Of each its clock's offset, or that it is gone."""
    def one(peer):
        if not peer.get("isConnected"):
            return f"{peer['name']} gone"
        offset = peer.get("clockOffset")
        return f"{offset / 1000:+.1f} ms" if offset is not None else "?"
    return ", ".join(one(peer) for peer in sidecar.get("peers", [])) or "-"


if __name__ == "__main__":
    sys.exit(main())
