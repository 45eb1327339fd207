#!/usr/bin/env python3
"""A TCP proxy that breaks what passes through it, on command.

Commands come as JSON, one a line, on standard input, or with --control PORT on TCP connections to 127.0.0.1. Each is
answered by one line: {"ok": true, ...} or {"ok": false, "error": "..."}. The proxy ends with its standard input.

  {"do": "add", "route": "ab", "to": "127.0.0.1:7421"}        a route; answered with the address it listens on
  {"do": "add", "route": "ab", "to": "...", "listen": "127.0.0.1:7521"}
  {"do": "delay", "route": "ab", "ms": 50, "jitter": 20}      every chunk waits 50 ms, give or take 20, in order
  {"do": "slow", "route": "ab", "bytes": 10000}               so many bytes a second
  {"do": "blackhole", "route": "ab", "way": "out"}            nothing passes; what was sent waits, and passes when healed
  {"do": "reset", "route": "ab"}                              every connection ends by RST
  {"do": "cut", "route": "ab", "after": 1000}                 every connection ends by RST in the middle of a chunk
  {"do": "half-open", "route": "ab", "way": "out"}            the end of one side's connection is hidden from the other
  {"do": "flip", "route": "ab", "after": 100}                 one bit of the byte 100 bytes on is turned
  {"do": "duplicate", "route": "ab"}                          the next chunk passes twice
  {"do": "reorder", "route": "ab"}                            the next two chunks change places
  {"do": "stop", "route": "ab"}                               no connection is accepted
  {"do": "heal", "route": "ab"}                               all as it should be; connections that stand stay
  {"do": "stats", "route": "ab"}                              connections now and ever, bytes either way

"way" is "out" (from who dialled), "back" or "both" (where it is not said). "route" may be left out: then all.
"""

import argparse
import asyncio
import json
import random
import socket
import struct
import sys

CHUNK_BYTES = 16384
QUEUE_CHUNKS = 64
LINE_BYTES = 65536


class Way:
    """The faults of one direction of a route."""

    def __init__(self):
        self.heal()
        self.bytes = 0

    def heal(self):
        self.delay = 0.0
        self.jitter = 0.0
        self.rate = 0
        self.flip_after = None
        self.cut_after = None
        self.duplicate = False
        self.reorder = 0
        if not hasattr(self, "open"):
            self.open = asyncio.Event()
        self.open.set()


class Pump:
    """Moves the bytes of one direction of one connection."""

    def __init__(self, connection, way, reader, writer):
        self.connection = connection
        self.way = way
        self.reader = reader
        self.writer = writer
        self.queue = asyncio.Queue(QUEUE_CHUNKS)
        self.last_due = 0.0
        self.held = None

    async def read(self):
        try:
            while chunk := await self.reader.read(CHUNK_BYTES):
                await self.way.open.wait()
                for part in self.broken(bytearray(chunk)):
                    await self.put(part)
            # The end of a stream passes like any chunk, unless it is to be hidden.
            await self.way.open.wait()
            if self.connection.live in (None, self):
                await self.put(b"")
        except (ConnectionError, OSError):
            self.connection.abort()
        finally:
            self.connection.ended(self)

    def broken(self, chunk):
        way = self.way
        if way.flip_after is not None:
            if way.flip_after < len(chunk):
                chunk[way.flip_after] ^= 1 << random.randrange(8)
                way.flip_after = None
            else:
                way.flip_after -= len(chunk)
        if way.reorder and self.held is None:
            way.reorder = 0
            self.held = bytes(chunk)
            return []
        parts = [bytes(chunk)]
        if way.duplicate:
            way.duplicate = False
            parts.append(bytes(chunk))
        if self.held is not None:
            parts.append(self.held)
            self.held = None
        return parts

    async def put(self, part):
        way = self.way
        due = asyncio.get_running_loop().time() + max(0.0, way.delay + random.uniform(-way.jitter, way.jitter))
        # In order: what comes later is never due earlier.
        self.last_due = max(self.last_due, due)
        await self.queue.put((self.last_due, part))

    async def write(self):
        loop = asyncio.get_running_loop()
        while True:
            due, part = await self.queue.get()
            if due > loop.time():
                await asyncio.sleep(due - loop.time())
            await self.way.open.wait()
            try:
                if part and not self.writer.is_closing():
                    await self.send(part)
                elif not part and self.writer.can_write_eof():
                    self.writer.write_eof()
            except (ConnectionError, OSError, RuntimeError):
                # While the end is hidden, what still comes is taken and lost.
                self.connection.abort()
            if not part:
                return

    async def send(self, part):
        way = self.way
        if way.cut_after is not None:
            if way.cut_after < len(part):
                self.writer.write(part[: way.cut_after])
                way.cut_after = None
                await self.writer.drain()
                return self.connection.abort()
            way.cut_after -= len(part)
        if way.rate:
            await asyncio.sleep(len(part) / way.rate)
        way.bytes += len(part)
        self.writer.write(part)
        await self.writer.drain()


class Connection:
    def __init__(self, route, client, server):
        self.route = route
        self.writers = [client[1], server[1]]
        self.pumps = [Pump(self, route.out, client[0], server[1]), Pump(self, route.back, server[0], client[1])]
        self.tasks = []
        # Of a half-open connection, the pump that reads from the side that does not know.
        self.live = None

    async def run(self):
        self.tasks = [asyncio.create_task(part) for pump in self.pumps for part in (pump.read(), pump.write())]
        try:
            await asyncio.gather(*self.tasks, return_exceptions=True)
        finally:
            self.end()

    def end(self):
        for task in self.tasks:
            task.cancel()
        for writer in self.writers:
            writer.close()

    def abort(self):
        """Ends both sides by RST, or none while their end is hidden."""
        if self.live is None:
            for writer in self.writers:
                self.reset(writer)
            self.end()

    def hide(self, way):
        """Ends one side only: the other goes on waiting for an answer."""
        self.live = self.pumps[0 if way == "out" else 1]
        self.reset(self.writers[1 if way == "out" else 0])

    def ended(self, pump):
        if pump is self.live:
            self.end()

    @staticmethod
    def reset(writer):
        sock = writer.get_extra_info("socket")
        if sock is not None and sock.fileno() >= 0:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()


class Route:
    def __init__(self, target, listen):
        self.target = target
        self.listen = listen
        self.out = Way()
        self.back = Way()
        self.connections = set()
        self.accepted = 0
        self.server = None

    async def start(self):
        if self.server is None:
            self.server = await asyncio.start_server(self.accept, *self.listen, limit=CHUNK_BYTES)
            self.listen = self.server.sockets[0].getsockname()[:2]

    def stop(self):
        if self.server is not None:
            self.server.close()
            self.server = None

    async def accept(self, reader, writer):
        self.accepted += 1
        try:
            await self.out.open.wait()
            server = await asyncio.open_connection(*self.target, limit=CHUNK_BYTES)
        except OSError:
            return Connection.reset(writer)
        connection = Connection(self, (reader, writer), server)
        self.connections.add(connection)
        try:
            await connection.run()
        except asyncio.CancelledError:
            # The proxy ends.
            pass
        finally:
            self.connections.discard(connection)

    def ways(self, name):
        ways = {"out": [self.out], "back": [self.back], "both": [self.out, self.back]}
        if name not in ways:
            raise ValueError(f"way {name!r} is none of out, back, both")
        return ways[name]


class Proxy:
    def __init__(self):
        self.routes = {}

    async def command(self, line):
        try:
            command = json.loads(line)
            return {"ok": True, **await self.run(command)}
        except (ValueError, KeyError, TypeError, AttributeError, OSError) as error:
            return {"ok": False, "error": f"{type(error).__name__}: {error}"}

    async def run(self, command):
        word = command["do"]
        if word == "add":
            return await self.add(command)
        routes = [self.routes[command["route"]]] if "route" in command else list(self.routes.values())
        answer = {}
        for route in routes:
            answer = await self.change(route, word, command) or {}
        return answer

    async def add(self, command):
        if command["route"] in self.routes:
            raise ValueError(f"route {command['route']!r} is there already")
        route = Route(address(command["to"]), address(command.get("listen", "127.0.0.1:0")))
        await route.start()
        self.routes[command["route"]] = route
        return {"listen": f"{route.listen[0]}:{route.listen[1]}"}

    async def change(self, route, word, command):
        ways = route.ways(command.get("way", "both"))
        if word == "heal":
            for way in ways:
                way.heal()
            await route.start()
        elif word == "stop":
            route.stop()
        elif word == "reset":
            for connection in list(route.connections):
                connection.abort()
            return {"connections": len(route.connections)}
        elif word == "half-open":
            for connection in list(route.connections):
                connection.hide(command.get("way", "out"))
        elif word == "stats":
            return {
                "connections": len(route.connections),
                "accepted": route.accepted,
                "out": route.out.bytes,
                "back": route.back.bytes,
            }
        else:
            for way in ways:
                self.damage(way, word, command)

    @staticmethod
    def damage(way, word, command):
        if word == "delay":
            way.delay = command["ms"] / 1000
            way.jitter = command.get("jitter", 0) / 1000
        elif word == "slow":
            way.rate = int(command["bytes"])
        elif word == "blackhole":
            way.open.clear()
        elif word == "flip":
            way.flip_after = int(command.get("after", 0))
        elif word == "cut":
            way.cut_after = int(command.get("after", 0))
        elif word == "duplicate":
            way.duplicate = True
        elif word == "reorder":
            way.reorder = 1
        else:
            raise ValueError(f"command {word!r} is unknown")


def address(text):
    host, _, port = text.rpartition(":")
    return host.strip("[]"), int(port)


async def standard_input():
    reader = asyncio.StreamReader(limit=LINE_BYTES)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    return reader


async def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--control", type=int, metavar="PORT", help="take commands on this TCP port too")
    options = parser.parse_args()
    proxy = Proxy()

    async def control(reader, writer):
        while line := await reader.readline():
            writer.write(json.dumps(await proxy.command(line)).encode() + b"\n")
            await writer.drain()
        writer.close()

    if options.control is not None:
        await asyncio.start_server(control, "127.0.0.1", options.control, limit=LINE_BYTES)
    commands = await standard_input()
    while line := await commands.readline():
        if line.strip():
            print(json.dumps(await proxy.command(line)), flush=True)


if __name__ == "__main__":
    try:
        asyncio.run(main())
    except KeyboardInterrupt:
        pass
