"""The nodes of a cluster, and the proxies between them."""

import datetime
import json
import pathlib
import subprocess
import sys
import time

from .node import Fault, Node, run
from .processes import free_port

READY_SECONDS_MAX = 60
PROXY = pathlib.Path(__file__).parent.parent / "fault_proxy.py"


class Proxies:
    """A proxy for every way from one node to another."""

    def __init__(self):
        self.process = subprocess.Popen(
            [sys.executable, str(PROXY)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            start_new_session=True)
        self.routes = []

    def tell(self, **command):
        self.process.stdin.write(json.dumps(command) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        if not answer.get("ok"):
            raise Fault(f"the proxy refuses {command}: {answer.get('error')}")
        return answer

    def add(self, route, to):
        """Returns the port at which the route begins."""
        self.routes.append(route)
        return int(self.tell(do="add", route=route, to=to)["listen"].rsplit(":", 1)[1])

    def close(self):
        self.process.stdin.close()
        self.process.wait()


class Cluster:
    def __init__(self, folder, program, postgres, count, window_ms=3000, confirmations=0, early=True, proxied=False,
                 names=None):
        self.folder = folder
        self.program = program
        self.names = names or [f"node-{number}" for number in range(1, count + 1)]
        self.nodes = [Node(name, folder / name, program, postgres) for name in self.names]
        self.options = dict(windowMilliseconds=window_ms, confirmations=confirmations, closesEarly=early)
        self.proxies = Proxies() if proxied else None

    def make(self, markets=(("BTC-USD", "0.01", "0.00000001"),), say=lambda text: None):
        self.write_configuration()
        for node in self.nodes:
            say(f"starting the database of {node.name}")
            node.make_database()
        for symbol, tick, lot in markets:
            # The others hear of it.
            if symbol not in self.nodes[0].pgbook("market", "list", "--json"):
                self.nodes[0].pgbook("market", "add", symbol, "--tick", tick, "--lot", lot)

    def write_configuration(self):
        authority = self.folder / "authority"
        if authority.exists():
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        run([self.program, "cluster", "init", "--name", "local", authority])
        ports = {node.name: free_port() for node in self.nodes}
        for name, port in ports.items():
            self.add_member(name, port)
        for node in self.nodes:
            self.take_configuration(node, ports)

    def add_member(self, name, port):
        run([self.program, "cluster", "add-node", name, "--host", f"127.0.0.1:{port}", self.folder / "authority"])

    def take_configuration(self, node, ports):
        """The files that add-node made, with all members in them, whose addresses are the proxies' where there are any."""
        node.config.mkdir(parents=True, exist_ok=True)
        for file in (self.folder / "authority" / node.name).iterdir():
            target = node.config / file.name
            target.write_bytes(file.read_bytes())
            target.chmod(0o600)
        file = node.config / "cluster.json"
        configuration = json.loads(file.read_text())
        configuration |= self.options | {"listen": f"127.0.0.1:{ports[node.name]}"}
        configuration["members"] = [
            {"name": name, "host": "127.0.0.1", "port": self.port(node.name, name, port)} for name, port in ports.items()]
        file.write_text(json.dumps(configuration, indent=2, sort_keys=True) + "\n")

    def grow(self, name, by=()):
        """A further member, as an operator adds one to a cluster that runs: each sidecar gets the new configuration and is
        started anew, one after the other. Returns the new node, prepared, with an empty database."""
        node = Node(name, self.folder / name, self.program, self.nodes[0].postgres)
        node.by = list(by)
        members = json.loads((self.folder / "authority" / "cluster.json").read_text())["members"]
        ports = {member["name"]: member["port"] for member in members} | {name: free_port()}
        self.add_member(name, ports[name])
        node.make_database()
        for each in self.nodes:
            self.take_configuration(each, ports)
            if fault := each.sidecar.stop():
                raise Fault(fault)
            self.started = datetime.datetime.now(datetime.timezone.utc)
            each.sidecar.start()
            self.wait_ready(READY_SECONDS_MAX, [each])
        self.take_configuration(node, ports)
        self.nodes.append(node)
        node.prepare(*self.words)
        return node

    def port(self, from_name, to_name, port):
        if self.proxies is None or from_name == to_name:
            return port
        return self.proxies.add(f"{from_name}>{to_name}", f"127.0.0.1:{port}")

    def start(self, serve=(), gossip=()):
        self.prepare(serve, gossip)
        for node in self.nodes:
            node.start()

    def prepare(self, serve=(), gossip=()):
        """So that each node can be started."""
        self.started = datetime.datetime.now(datetime.timezone.utc)
        self.words = serve, gossip
        for node in self.nodes:
            node.prepare(serve, gossip)

    def wait_ready(self, seconds, nodes=None):
        """Until all take orders, by what their sidecars say since they were started."""
        self.wait(seconds, "not all nodes take orders", lambda: all(map(self.is_ready, nodes or self.nodes)))

    def is_ready(self, node):
        said = node.status() or {}
        heard = said.get("heard_at")
        return bool(said.get("ready") and heard and datetime.datetime.fromisoformat(heard) > self.started)

    def wait(self, seconds, complaint, is_so):
        end = time.monotonic() + seconds
        while not is_so():
            if time.monotonic() > end:
                states = {node.name: (node.status() or {}).get("reason") for node in self.nodes}
                raise Fault(f"{complaint} after {seconds} s: {states}")
            time.sleep(0.1)

    def settle(self, seconds):
        """Until nothing waits anywhere and all have executed the same."""
        def is_quiet():
            seen = set()
            for node in self.nodes:
                waiting = node.psql(
                    "select (select count(*) from pgbook_data.outbox) + (select count(*) from pgbook_data.inbox)").strip()
                digest = node.psql("select string_agg(encode(digest, 'hex') || seq, ',' order by market) from pgbook_data.market_state")
                logs = node.psql("select origin, count(*) from pgbook_data.node_log group by origin order by origin")
                seen.add((waiting, digest, logs))
            return len(seen) == 1 and seen.pop()[0] == "0"
        self.wait(seconds, "the nodes do not come to rest, or not to the same", is_quiet)

    def stop(self, databases=True):
        faults = [fault for node in self.nodes if node.server for fault in node.stop()]
        if self.proxies:
            self.proxies.close()
        if databases:
            self.stop_databases()
        return faults

    def stop_databases(self):
        for node in self.nodes:
            run([node.postgres, "stop", "--dir", node.data], check=False)
