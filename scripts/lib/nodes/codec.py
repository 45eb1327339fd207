"""Messages between nodes as bytes, for somebody who sends what no node would. Sources/Gossip/Frames and
Sources/Replication/Codec are what this follows."""

import hashlib
import struct
import uuid

OPEN, MESSAGE, CREDIT, PING, BYE, SNAPSHOT = range(1, 7)
HELLO, ITEMS, PULL, PROPOSE, CONFIRM, WITHDRAW, HEARTBEAT, CHAIN_QUERY, CHAIN_ANSWER, LATE = range(1, 11)
PUSHED, RELAYED, PULLED = range(3)
HEAD = struct.Struct(">2sBBQQI")
LEAST, MOST = -(1 << 63), (1 << 63) - 1


def cluster_head(cluster):
    return int.from_bytes(hashlib.sha256(cluster.encode()).digest()[:8])


def frame(cluster, number, kind, payload=b"", version=1, magic=b"pg", length=None):
    return HEAD.pack(magic, version, kind, cluster, number, len(payload) if length is None else length) + payload


# Values

def unsigned(value):
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def small(value):
    return unsigned((value << 1 ^ value >> 63) & (1 << 64) - 1)


def word(value):
    return (value & (1 << 64) - 1).to_bytes(8)


def text(value):
    return unsigned(len(value.encode())) + value.encode()


def listed(values):
    return unsigned(len(values)) + b"".join(values)


def optional(value):
    return b"\0" if value is None else b"\1" + value


def interval(first, last):
    return small(first) + unsigned(last - first)


# Messages

def message(kind, content, version=1):
    return bytes([version, kind]) + content


def hello(cluster, members, window, markets=()):
    return message(HELLO, text(cluster) + listed([text(name) for name in members]) + small(window) + listed(list(markets)))


def market(symbol, tick="0.01", lot="0.00000001", most=1_000_000_000):
    return text(symbol) + text(tick) + text(lot) + small(most) + optional(None) + small(1) + small(most)


def place(origin, stamp, market="BTC-USD", user="intruder", amount=1, price=10_000, order=None):
    order = order or uuid.uuid4()
    return (order.bytes + word(stamp) + text(market) + text(user) + text(origin) + optional(None)
            + bytes([1, 1 << 2]) + small(amount) + small(price))


def item(number, command, verdict=0, unconfirmed=False):
    return bytes([verdict << 1 | unconfirmed]) + small(number) + command


def items(reason, judged, answered=()):
    return message(ITEMS, bytes([reason]) + listed(list(judged)) + listed(list(answered)))


def log_range(origin, first, last):
    return text(origin) + interval(first, last)


def pull(ranges):
    return message(PULL, listed(list(ranges)))


def late(ranges):
    return message(LATE, listed(list(ranges)))


def position(origin, contiguous, highest, beyond=()):
    listing = listed([interval(*each) for each in beyond])
    return text(origin) + small(contiguous) + listing + small(highest) + optional(None)


def heartbeat(number, now, watermark=None, last=0, through=None, digest=None, positions=(), markets=(), level=True, echo=None):
    return message(
        HEARTBEAT, small(number) + word(now if watermark is None else watermark) + small(last)
        + word(LEAST if through is None else through) + optional(digest) + listed(list(positions)) + listed(list(markets))
        + bytes([level]) + word(now)
        + optional(None if echo is None else small(echo[0]) + word(echo[1]) + word(echo[2])))


def market_position(symbol, seq, head):
    return text(symbol) + small(seq) + word(head)


def snapshot_request(copy, credit=2 << 20):
    return bytes([1, 1]) + small(copy) + small(credit)
