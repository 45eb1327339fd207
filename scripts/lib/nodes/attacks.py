"""What strangers and faithless members try, each as a function of where it is tried, and the counter that must rise by it."""

import random
import socket
import ssl
import time

from . import codec
from .intruder import Link, context, plain

FUTURE = 3_600_000_000


class Target:
    """The node that is attacked, and what the attacker knows: the folder of a member that does not run, and its log."""

    def __init__(self, cluster, node, member, strangers, stored):
        self.id, self.members, self.window = cluster["cluster"], [each["name"] for each in cluster["members"]], cluster["windowMilliseconds"] * 1000
        self.port = int(cluster["listen"].rsplit(":", 1)[1])
        self.node = node
        self.member = member
        self.strangers = strangers
        # The number and the stamp of the member's last command.
        self.last, self.stamp = stored
        self.random = random.Random(1)

    def now(self):
        return time.time_ns() // 1000

    def link(self, folder=None, **more):
        return Link(self.port, context(folder or self.member.config, **more), self.id)

    def session(self):
        """As the member: open, and introduced."""
        link = self.link().open()
        link.say(codec.hello(self.id, self.members, self.window))
        link.wait_for(codec.HELLO)
        return link

    def own(self, number, stamp, origin=None, **more):
        return codec.item(number, codec.place(origin or self.member.name, stamp, **more))


def strangers_only(connect):
    """A connection that must come to nothing."""
    try:
        link = connect()
        link.wait_end()
        link.close()
    except (OSError, ssl.SSLError):
        pass


# Strangers

def no_tls(target):
    with plain(target.port) as raw:
        raw.sendall(b"GET / HTTP/1.1\r\nHost: node\r\n\r\n")
        raw.recv(4096)


def noise(target):
    with plain(target.port) as raw:
        try:
            raw.sendall(target.random.randbytes(2000))
            while raw.recv(4096):
                pass
        except OSError:
            pass


def leaves(target):
    plain(target.port).close()


def no_certificate(target):
    strangers_only(lambda: Link(target.port, context(), target.id))


def old_tls(target):
    strangers_only(lambda: target.link(most=ssl.TLSVersion.TLSv1_2))


def self_signed(target):
    strangers_only(lambda: target.link(target.strangers["other"], certificate="ca.pem", key="ca.key"))


def other_authority(target):
    strangers_only(lambda: target.link(target.strangers["other"] / target.member.name))


def no_member(target):
    strangers_only(lambda: target.link(target.strangers["own"] / "nobody"))


def own_name(target):
    strangers_only(lambda: target.link(target.node.config))


def silent_crowd(target):
    """More than may be without a certificate; none of them says anything."""
    crowd = []
    for _ in range(100):
        try:
            crowd.append(plain(target.port))
        except OSError:
            break
    time.sleep(6)
    for each in crowd:
        each.close()


# A member's certificate, and wrong frames

def ends(target, link):
    if not link.wait_end():
        raise AssertionError("the connection was not ended")
    link.close()


def truncated(target):
    link = target.session()
    link.bytes(codec.frame(link.cluster, link.number + 1, codec.MESSAGE, bytes(1000))[:200])
    link.close(politely=True)


def cut_off(target):
    link = target.session()
    link.bytes(codec.frame(link.cluster, link.number + 1, codec.MESSAGE, bytes(1000))[:200])
    link.close()


def oversized(target):
    link = target.session()
    link.frame(codec.MESSAGE, b"", length=(4 << 20) + 1)
    ends(target, link)


def wrong_version(target):
    link = target.session()
    link.frame(codec.PING, version=2)
    ends(target, link)


def wrong_cluster(target):
    link = target.session()
    link.cluster ^= 1
    link.frame(codec.PING)
    ends(target, link)


def wrong_magic(target):
    link = target.session()
    link.bytes(target.random.randbytes(500))
    ends(target, link)


def unknown_kind(target):
    link = target.session()
    link.frame(99)
    ends(target, link)


def unopened(target):
    link = target.link()
    link.say(codec.hello(target.id, target.members, target.window))
    ends(target, link)


def opened_twice(target):
    link = target.session()
    link.frame(codec.OPEN, (8 << 20).to_bytes(8))
    ends(target, link)


def half_frame(target):
    link = target.session()
    link.bytes(codec.frame(link.cluster, link.number + 1, codec.MESSAGE, bytes(1000))[:200])
    ends(target, link)


def never_opened(target):
    ends(target, target.link())


def flipped(target):
    """One bit of a good heartbeat's frame is wrong; which one differs each time."""
    link = target.session()
    good = codec.frame(link.cluster, link.number + 1, codec.MESSAGE, heartbeat(target, 1))
    bit = target.random.randrange(22 * 8)
    link.bytes(bytes(byte ^ (1 << bit % 8 if at == bit // 8 else 0) for at, byte in enumerate(good)))
    # A wrong length leaves half a frame.
    link.wait_end(1)
    link.close(politely=True)


# A member's certificate, and wrong messages

def heartbeat(target, number, **more):
    return codec.heartbeat(number, target.now(), **({"last": target.last, "level": False} | more))


def said(*messages):
    """One session that says this and is ended."""
    def attack(target):
        link = target.session()
        for message in messages:
            link.say(message(target))
        ends(target, link)
    return attack


def suffered(*messages):
    """One session that says this and is not ended for it."""
    def attack(target):
        link = target.session()
        for message in messages:
            link.say(message(target))
        if link.wait_end(0.3):
            raise AssertionError(f"the connection was ended: {link.bye()}")
        link.close(politely=True)
    return attack


def before_hello(target):
    link = target.link().open()
    link.say(heartbeat(target, 1))
    ends(target, link)


def before_second_hello(target):
    target.session().close(politely=True)
    before_hello(target)


def replayed_frame(target):
    link = target.session()
    recorded = codec.frame(link.cluster, link.number + 1, codec.MESSAGE, heartbeat(target, 1))
    link.bytes(recorded + recorded)
    ends(target, link)


def replayed_session(target):
    """The bytes of another connection, from its first frame on."""
    recorded = codec.frame(codec.cluster_head(target.id), 1, codec.OPEN, (8 << 20).to_bytes(8))
    link = target.session()
    link.bytes(recorded)
    ends(target, link)


def replayed_items(target):
    """What the node itself sends, twice, and the member's own log again; and an old heartbeat behind a newer one."""
    link = target.session()
    link.say(codec.pull([codec.log_range(target.member.name, 1, target.last)]))
    answers = link.wait_for(codec.ITEMS)
    if not answers:
        raise AssertionError("a pull was not answered")
    old = heartbeat(target, 1)
    for message in [heartbeat(target, 2), old, *answers, *answers]:
        link.say(message)
    if link.wait_end(0.3):
        raise AssertionError(f"the connection was ended: {link.bye()}")
    link.close(politely=True)


def flood_of_hellos(target):
    link = target.session()
    greeting = codec.hello(target.id, target.members, target.window)
    for _ in range(5_000):
        link.say(greeting)
    link.wait_end(0.5)
    link.close(politely=True)


def flood_of_heartbeats(target):
    """More than is read in a second, and regardless of credit."""
    link = target.session()
    for number in range(60):
        link.bytes(b"".join(
            codec.frame(link.cluster, link.number + 1 + each, codec.MESSAGE, heartbeat(target, number * 500 + each + 1))
            for each in range(500)))
        link.number += 500
    link.wait_end(0.5)
    link.close(politely=True)


def flood_of_bytes(target):
    """The largest frames that there may be, regardless of credit."""
    link = target.session()
    big = codec.message(codec.ITEMS, bytes((4 << 20) - 2))
    for _ in range(20):
        link.say(big)
        if link.ended.is_set():
            break
    ends(target, link)


def many_sessions(target):
    """A member that connects and leaves, again and again."""
    for _ in range(50):
        target.session().close(politely=True)


def many_at_once(target):
    """Of the connections of one member only one stands."""
    links = [target.link().open() for _ in range(50)]
    for link in links:
        link.close()


def flood_of_snapshots(target):
    link = target.session()
    for copy in range(200):
        link.frame(codec.SNAPSHOT, codec.snapshot_request(copy + 1, credit=1))
    link.wait_end(0.5)
    link.close(politely=True)


def snapshot_noise(target):
    link = target.session()
    link.frame(codec.SNAPSHOT, target.random.randbytes(100))
    ends(target, link)


def own(verdict=0, stamp=None, **more):
    """The next command of the member's own log, which may be as it likes."""
    def attack(target):
        link = target.session()
        number = target.last + 1
        command = codec.place(target.member.name, stamp or target.now(), **more)
        link.say(codec.items(codec.PUSHED, [codec.item(number, command, verdict)]))
        link.wait_end(1)
        link.close(politely=True)
        row = target.watch.one("select max(number) from pgbook_data.node_log where origin = %s", (target.member.name,))
        target.last = row[0] if row else target.last
    return attack


STRANGERS = {
    "no TLS": (no_tls, ["handshake"]),
    "random bytes": (noise, ["handshake"]),
    "leaves at once": (leaves, ["handshake"]),
    "no certificate": (no_certificate, ["handshake"]),
    "TLS 1.2": (old_tls, ["handshake"]),
    "self-signed certificate": (self_signed, ["handshake"]),
    "another authority, a member's name": (other_authority, ["handshake"]),
    "the right authority, no member's name": (no_member, ["notAMember"]),
    "the node's own name": (own_name, ["notAMember"]),
    "a silent crowd of 100": (silent_crowd, ["tooManyConnections", "handshakeTimeout"]),
}

FRAMES = {
    "truncated frame": (truncated, ["truncated"]),
    "truncated frame and a reset": (cut_off, []),
    "oversized frame": (oversized, ["oversized"]),
    "wrong frame version": (wrong_version, ["malformed"]),
    "wrong cluster": (wrong_cluster, ["wrongCluster"]),
    "random bytes in TLS": (wrong_magic, ["malformed"]),
    "unknown kind of frame": (unknown_kind, ["malformed"]),
    "message before open": (unopened, ["malformed"]),
    "opened twice": (opened_twice, ["malformed"]),
    "one bit flipped": (flipped, []),
    "frame replayed": (replayed_frame, ["replayed"]),
    "session replayed": (replayed_session, ["replayed"]),
    "snapshot of noise": (snapshot_noise, ["malformed"]),
    "never opened": (never_opened, ["handshakeTimeout"]),
    "half a frame and silence": (half_frame, ["disconnected"]),
}

MESSAGES = {
    "wrong message version": (said(lambda t: codec.message(codec.PULL, b"\0", version=9)), ["malformed"]),
    "message of noise": (said(lambda t: codec.message(codec.HEARTBEAT, t.random.randbytes(200))), ["malformed"]),
    "message with more behind it": (said(lambda t: heartbeat(t, 1) + b"\0"), ["malformed"]),
    "hello of another cluster": (said(lambda t: codec.hello("other-1", t.members, t.window)), ["mismatch"]),
    "hello with other members": (said(lambda t: codec.hello(t.id, [*t.members[:-1], "stranger"], t.window)), ["mismatch"]),
    "hello with another window": (said(lambda t: codec.hello(t.id, t.members, t.window + 1)), ["mismatch"]),
    "hello with another tick size": (said(lambda t: codec.hello(t.id, t.members, t.window, [codec.market("BTC-USD", tick="0.5")])), ["mismatch"]),
    "items of no member": (said(lambda t: codec.items(codec.PUSHED, [t.own(1, t.now(), origin="nobody")])), ["forged"]),
    "items in the node's own name": (said(lambda t: codec.items(codec.PUSHED, [t.own(1 << 40, t.now(), origin=t.node.name)])), ["forged"]),
    "items numbered 0": (said(lambda t: codec.items(codec.PUSHED, [t.own(0, t.now())])), ["malformed"]),
    "items numbered 2^48": (said(lambda t: codec.items(codec.PUSHED, [t.own(1 << 48, t.now())])), ["malformed"]),
    "items of a market that is not": (said(lambda t: codec.items(codec.PUSHED, [t.own(t.last + 1, t.now(), market="NO-SUCH")])), ["malformed"]),
    "message before hello": (before_hello, ["malformed"]),
    "message before hello, after a reconnect": (before_second_hello, ["malformed"]),
    "stamps out of order": (said(lambda t: codec.items(codec.PUSHED, [t.own(t.last + 1, t.stamp - 1)])), ["malformed"]),
    "stamp of a known number": (suffered(lambda t: codec.items(codec.PUSHED, [t.own(t.last, t.now())])), []),
    "items far in the future": (suffered(lambda t: codec.items(codec.PUSHED, [t.own(t.last + 1, t.now() + FUTURE)])), ["tooFarInFuture"]),
    "too many items": (said(lambda t: codec.items(codec.PUSHED, [t.own(t.last + 1 + n, t.now() + FUTURE + n) for n in range(501)])), ["malformed"]),
    "too many ranges": (said(lambda t: codec.pull([codec.log_range(t.member.name, 1, 2)] * 65)), ["malformed"]),
    "items and heartbeat replayed": (replayed_items, []),
}

FLOODS = {
    "5,000 hellos": (flood_of_hellos, []),
    "30,000 heartbeats": (flood_of_heartbeats, []),
    "80 MiB regardless of credit": (flood_of_bytes, []),
    "50 sessions": (many_sessions, []),
    "50 connections at once": (many_at_once, []),
    "200 requests for a copy": (flood_of_snapshots, []),
}

EXTREMES = {
    "late, all numbers there are": (said(lambda t: codec.late([codec.log_range(t.node.name, 1, codec.MOST)])), ["malformed"]),
    "pull of all numbers there are": (said(lambda t: codec.pull([codec.log_range(t.node.name, codec.LEAST, codec.MOST)])), ["malformed"]),
    "pull of all numbers there may be": (suffered(lambda t: codec.pull([codec.log_range(t.node.name, 1, (1 << 48) - 1)])), []),
    "heartbeat with the least values": (said(lambda t: codec.heartbeat(
        codec.LEAST, codec.LEAST, last=codec.LEAST, through=codec.LEAST, echo=(codec.LEAST, codec.MOST, codec.LEAST),
        positions=[codec.position(name, codec.LEAST, codec.LEAST, [(codec.LEAST, codec.MOST)]) for name in t.members],
        markets=[codec.market_position("BTC-USD", codec.LEAST, 0)])), ["malformed"]),
    "confirmations of nothing": (suffered(lambda t: codec.message(codec.CONFIRM, codec.listed([t.random.randbytes(16)] * 100))), []),
    "chain at the end of time": (suffered(
        lambda t: codec.message(codec.CHAIN_QUERY, codec.word(codec.MOST)),
        lambda t: codec.message(codec.CHAIN_QUERY, codec.word(codec.LEAST))), []),
    "an own order of no amount": (own(amount=0), []),
    "an own order of the least amount": (own(amount=codec.LEAST), []),
    "an own order of the greatest amount and price": (own(amount=codec.MOST, price=codec.MOST), []),
    "an own order at the least price": (own(price=codec.LEAST), []),
    "an own order with no user": (own(user=""), []),
    "an own late order from the end of time": (own(verdict=1, stamp=codec.MOST - 1), []),
    "items with the greatest number": (said(lambda t: codec.items(codec.PUSHED, [t.own(codec.MOST, t.now())])), ["malformed"]),
    "heartbeat with the greatest values": (said(lambda t: codec.heartbeat(
        codec.MOST, codec.MOST, last=codec.MOST, through=codec.MOST, echo=(codec.MOST, codec.LEAST, codec.MOST),
        positions=[codec.position(name, codec.MOST, codec.MOST) for name in t.members if name != t.node.name],
        markets=[codec.market_position("BTC-USD", codec.MOST, 0)])), ["malformed"]),
}

# A member may write what it likes into its own log.
OWN = {name for name in EXTREMES if name.startswith("an own ")}
# These say often what they say, or wait for long.
ONCE = {"a silent crowd of 100", "never opened", "half a frame and silence", *FLOODS, *EXTREMES}
