"""Two clients of the gateway, with a WebSocket library that knows nothing of pgbook.

    two_clients.py URL SECURITY

Prints one line per check and exits 0 when all hold.
"""
import asyncio
import decimal
import json
import sys
import time
import uuid
import zlib

import websockets

URL, SECURITY = sys.argv[1], sys.argv[2]
INTERVAL = 0.1


class Client:
    def __init__(self, socket):
        self.socket, self.messages, self.arrived = socket, [], asyncio.Condition()
        self.times = []
        self.reader = asyncio.create_task(self.read())

    @classmethod
    async def open(cls):
        return cls(await websockets.connect(URL))

    async def read(self):
        async for text in self.socket:
            message = json.loads(text, parse_float=decimal.Decimal, parse_int=decimal.Decimal)
            async with self.arrived:
                self.messages.append(message)
                self.times.append(time.monotonic())
                self.arrived.notify_all()

    async def send(self, **message):
        await self.socket.send(json.dumps(message))

    async def first(self, **wanted):
        def find():
            return next((m for m in self.messages if all(m.get(k) == v for k, v in wanted.items())), None)

        async with self.arrived:
            await asyncio.wait_for(self.arrived.wait_for(lambda: find() is not None), 20)
        return find()

    async def first_trade(self):
        def find():
            return next((t for m in self.messages if m["type"] == "trades" for t in m["trades"]), None)

        async with self.arrived:
            await asyncio.wait_for(self.arrived.wait_for(lambda: find() is not None), 20)
        return find()

    def books(self):
        return [(t, m) for t, m in zip(self.times, self.messages) if m["type"] == "aggOrderBook"]


def check(what, holds):
    print(("ok   " if holds else "FAIL ") + what)
    if not holds:
        sys.exit(1)


def checksum(book):
    levels = book["aggOrderBook"]
    parts = []
    for index in range(10):
        for side in ("bid", "ask"):
            if index < len(levels[side]):
                level = levels[side][index]
                parts.append(f"{level['price']:f}:{level['amount']:f}")
    return zlib.crc32(":".join(parts).encode())


async def trade(maker, taker):
    welcomes = [await client.first(type="welcome") for client in (maker, taker)]
    check("each socket has a user id of its own", welcomes[0]["userId"] != welcomes[1]["userId"])
    check("the first message is the welcome", maker.messages[0]["type"] == "welcome")
    await maker.first(type="aggOrderBook")
    await maker.send(type="add", security=SECURITY, side="ask", execType="limit", amount="0.3", price=101.5,
                     clientOrderId="maker")
    resting = await maker.first(type="order", clientOrderId="maker", status="open")
    uuid.UUID(resting["id"])
    await taker.send(type="add", security=SECURITY, side="bid", execType="market", amount=0.1, clientOrderId="taker")
    for client in (maker, taker):
        seen = await client.first_trade()
        check("both see the trade with exact decimals", seen["price"] == decimal.Decimal("101.5")
              and seen["amount"] == decimal.Decimal("0.1") and seen["total"] == decimal.Decimal("10.15"))
        check("the trade shows the taker", seen["userId"] == welcomes[1]["userId"] and seen["side"] == "bid")
        check("its time is in Unix milliseconds", abs(seen["time"] / 1000 - decimal.Decimal(time.time())) < 60)
    filled = await taker.first(type="order", clientOrderId="taker", status="filled")
    check("the taker hears of its fill", filled["filled"] == decimal.Decimal("0.1") and filled["remaining"] == 0)
    partly = await maker.first(type="order", clientOrderId="maker", filled=decimal.Decimal("0.1"))
    check("the maker hears of its part fill", partly["remaining"] == decimal.Decimal("0.2"))


async def many_changes(maker, taker):
    for number in range(200):
        await maker.send(type="add", security=SECURITY, side="bid", amount=1, price=50 + number % 20)
        await asyncio.sleep(0.005)
    await maker.send(type="cancelAll", security=SECURITY)
    await maker.first(type="cancelledAll")
    await taker.first(type="aggOrderBook", aggOrderBook={"ask": [], "bid": []}, seq=decimal.Decimal(203))
    for client in (maker, taker):
        books = client.books()[1:]
        gaps = [b[0] - a[0] for a, b in zip(books, books[1:])]
        print(f"     {len(books)} books for 203 commands, closest {min(gaps) * 1000:.0f} ms apart")
        check("far fewer books than commands", 5 < len(books) < 100)
        # One late wake-up may bring two books closer; on the average they keep their distance.
        check("books come at most once per interval", sum(gaps) / len(gaps) > INTERVAL * 0.9)
        check("each book names the one before", all(b[1]["prevSeq"] == a[1]["seq"] for a, b in zip(books, books[1:])))
        check("every checksum is right", all(checksum(b) == b["checksum"] for _, b in client.books()))


async def bad_input(client):
    for message, code in [
        ("{", "bad_json"), ('{"type":"buy"}', "unknown_type"), ('{"type":"delete","id":"7"}', "bad_id"),
        ('{"type":"add","security":"%s","side":"bid","amount":1,"price":0.3}' % SECURITY, "off_tick"),
        ('{"type":"add","security":"%s","side":"bid","amount":1,"price":1,"colour":1}' % SECURITY, "unknown_field"),
    ]:
        await client.socket.send(message)
        error = await client.first(type="error", code=code)
        check(f"{code}: {error['message']}", True)
    try:
        await client.socket.send(" " * 10_000_000)
    except websockets.ConnectionClosed:
        pass
    await client.first(type="error", code="too_big")
    await asyncio.wait_for(client.reader_done(), 20)
    check("a message of 10 MB closes the socket with 1009", client.socket.close_code == 1009)


async def reader_done(self):
    try:
        await self.reader
    except websockets.ConnectionClosed:
        pass


Client.reader_done = reader_done


async def main():
    maker, taker = await Client.open(), await Client.open()
    await trade(maker, taker)
    await many_changes(maker, taker)
    await bad_input(taker)
    await maker.socket.close()


asyncio.run(main())
