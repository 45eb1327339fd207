"""What attackers do until they are told to stop. Each is a process of its own; each returns how often it did it."""

import json
import select
import time

from . import wire

MARKET = "CROWD"
REFUSED = {"type": "add", "security": MARKET, "side": "bid", "amount": "1", "price": "1.001"}
GOOD = {"type": "add", "security": MARKET, "side": "bid", "amount": "1", "price": "1", "timeInForce": "ioc"}
PERSISTENCE_SECONDS = 0.05


def flood(port, stop, data, count=1, opening=None, reads=True):
    """Writes the same bytes to some sockets as fast as they are taken, and reads what comes."""
    sockets, done = [], 0
    for _ in range(count):
        attacker = wire.Socket(port)
        attacker.connection.sendall(opening or wire.message(type="subscribe", securities=[]))
        attacker.connection.setblocking(False)
        sockets.append(attacker.connection)
    rest = {each: b"" for each in sockets}
    while not stop.is_set() and sockets:
        readable, writable, _ = select.select(sockets if reads else [], sockets, [], 0.2)
        for each in readable:
            try:
                if not each.recv(1 << 18):
                    raise OSError("closed")
            except BlockingIOError:
                pass
            except OSError:
                sockets.remove(each)
        for each in writable:
            if each not in sockets:
                continue
            try:
                if not rest[each]:
                    rest[each] = data
                    done += 1
                rest[each] = rest[each][each.send(rest[each]):]
            except BlockingIOError:
                pass
            except OSError:
                sockets.remove(each)
    return done


def many(fields, count):
    return b"".join(wire.message(**fields) for _ in range(count))


def refused(port, stop):
    return flood(port, stop, many(REFUSED, 50), 2) * 50


def refused_64(port, stop):
    return flood(port, stop, many(REFUSED, 50), 64) * 50


def good(port, stop):
    return flood(port, stop, many(GOOD, 50), 2) * 50


def big(port, stop):
    return flood(port, stop, wire.frame(b"[" + b"1," * 8_000), 4)


def subscribes(port, stop):
    names = [f"M{number:05}" for number in range(255)] + [MARKET]
    return flood(port, stop, wire.frame(json.dumps({"type": "subscribe", "securities": names}).encode()), 4)


def pings(port, stop):
    return flood(port, stop, wire.frame(b"x", 9) * 500, 4) * 500


def pieces(port, stop):
    whole = wire.frame(b"", 1, False) + wire.frame(b"", 0, False) * 10 + wire.frame(b"{}", 0)
    return flood(port, stop, whole * 50, 4) * 600


def request(method, path, body=b"", headers=()):
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", *headers]
    if body:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, "", ""]).encode() + body


def over_http(port, stop, data, count, reads=True, per=1):
    """Keeps connections busy; opens those anew that are closed."""
    done, connections = 0, {}
    while not stop.is_set():
        while len(connections) < count:
            try:
                connection = wire.connect(port, 5)
                connection.setblocking(False)
                connections[connection] = data
            except OSError:
                time.sleep(PERSISTENCE_SECONDS)
                break
        if not connections:
            continue
        readable, writable, _ = select.select(
            list(connections) if reads else [], list(connections), [], 0.2)
        for each in readable:
            try:
                if not each.recv(1 << 18):
                    raise OSError("closed")
            except BlockingIOError:
                pass
            except OSError:
                each.close()
                connections.pop(each)
        for each in writable:
            if each not in connections:
                continue
            try:
                sent = each.send(connections[each])
                connections[each] = connections[each][sent:]
                if not connections[each]:
                    connections[each] = data
                    done += per
            except BlockingIOError:
                pass
            except OSError:
                each.close()
                connections.pop(each)
    return done


def http(port, stop):
    body = json.dumps({"userId": "mallory", **{k: v for k, v in REFUSED.items() if k != "type"}}).encode()
    return over_http(port, stop, request("POST", "/orders", body) * 20, 32, per=20)


def reads(port, stop):
    return over_http(port, stop, request("GET", f"/book?security={MARKET}") * 50, 32, per=50)


def unread(port, stop):
    return over_http(port, stop, request("GET", f"/book?security={MARKET}") * 50, 32, reads=False, per=50)


def candles(port, stop):
    path = f"/candles?security={MARKET}&interval=1s&from=2026-01-01T00:00:00Z&to=2026-01-01T02:00:00Z&fill=previous"
    return over_http(port, stop, request("GET", path) * 20, 32, per=20)


def states(port, stop):
    path = "/orders/0190163d-8694-739b-aea5-966c26f8ad91"
    return over_http(port, stop, request("GET", path) * 50, 32, per=50)


def connects(port, stop):
    done = 0
    while not stop.is_set():
        try:
            wire.connect(port).close()
            done += 1
        except OSError:
            time.sleep(PERSISTENCE_SECONDS)
    return done


def sockets(port, stop):
    held = []
    while not stop.is_set():
        try:
            held.append(wire.Socket(port))
            held[-1].connection.sendall(wire.message(type="subscribe", securities=[]))
        except OSError:
            stop.wait(PERSISTENCE_SECONDS)
    return len(held)


def drip(port, stop, beginning):
    done, connections = 0, []
    while not stop.is_set():
        while len(connections) < 500:
            try:
                connection = wire.connect(port)
                connection.sendall(beginning)
                connections.append(connection)
            except OSError:
                break
        for each in list(connections):
            try:
                each.send(b"x")
                done += 1
            except OSError:
                connections.remove(each)
        stop.wait(0.3)
    return done


def bodies(port, stop):
    head = request("POST", "/orders", headers=["Content-Type: application/json", "Content-Length: 16000"])
    return drip(port, stop, head)


def headers(port, stop):
    return drip(port, stop, b"GET /book HTTP/1.1\r\nHost: localhost\r\nX: ")


def guesses(port, stop):
    done = 0
    while not stop.is_set():
        try:
            guess = f"Authorization: Bearer guess-{done}"
            connection = wire.connect(port)
            connection.sendall(request("POST", "/orders", b"{}", [guess]) * 20)
            done += 20
            try:
                while connection.recv(1 << 16):
                    pass
            except OSError:
                pass
            connection.close()
            socket = wire.Socket(port)
            for number in range(3):
                socket.send(type="auth", token=f"guess-{done}-{number}")
            try:
                while True:
                    socket.next()
            finally:
                socket.close()
                done += 3
        except OSError:
            pass
    return done


# The name of each, what does it, and in how many processes.
ATTACKS = {
    "refused": (refused, 1), "refused-64": (refused_64, 1), "good": (good, 1), "http": (http, 1), "reads": (reads, 1),
    "unread": (unread, 1), "candles": (candles, 1), "states": (states, 1), "connects": (connects, 2),
    "sockets": (sockets, 1), "bodies": (bodies, 1), "headers": (headers, 1), "big": (big, 1),
    "subscribes": (subscribes, 1), "pings": (pings, 1), "pieces": (pieces, 1), "guesses": (guesses, 2),
}
