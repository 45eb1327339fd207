"""What a client does: a random mix of commands around a price that all clients share."""

from datetime import datetime, timedelta, timezone
from decimal import Decimal

LATEST_MAX = 4
MIDDLE_TICKS = 10_000
SPREAD_TICKS = 60
TICK = Decimal("0.01")
LOT = Decimal("0.001")


class Command:
    """A call of one function of the public SQL interface, under a client order id of its own."""

    def __init__(self, function, client_order_id, **values):
        self.function = function
        self.client_order_id = client_order_id
        self.values = {**values, "client_order_id": client_order_id}
        arguments = ", ".join(f"{name} => %({name})s" for name in self.values)
        self.sql = f"select pgbook.{function}({arguments})"

    def describe(self):
        values = " ".join(f"{name}={value}" for name, value in self.values.items())
        return f"{self.function} {values}"


class CommandMaker:
    def __init__(self, random):
        self.random = random
        self.count = 0
        self.latest = []
        self.places_only = False

    def next(self):
        self.count += 1
        client_order_id = f"c{self.count}"
        kind = self.random.choices(
            [self.limit, self.market, self.cancel, self.amend, self.reduce], [60, 8, 0, 0, 0] if self.places_only else [60, 8, 19, 8, 5])[0]
        if not self.latest and kind in (self.cancel, self.amend, self.reduce):
            kind = self.limit
        return kind(client_order_id)

    def note_acknowledged(self, command, command_id):
        if command.function == "place_order" and "price" in command.values:
            self.latest = [*self.latest[1 - LATEST_MAX:], command_id]

    def limit(self, client_order_id):
        time_in_force = self.random.choices(["gtc", "ioc", "fok", "gtd"], [80, 8, 5, 7])[0]
        values = {"price": self.price(), "time_in_force": time_in_force}
        if time_in_force == "gtd":
            wait = timedelta(seconds=self.random.uniform(0.5, 5))
            values["expires"] = datetime.now(timezone.utc) + wait
        if time_in_force in ("gtc", "gtd") and self.random.random() < 0.1:
            values["post_only"] = True
        if self.random.random() < 0.2:
            values["self_trade_prevention"] = self.random.choice(["dc", "co", "cn", "cb"])
        return self.place(client_order_id, **values)

    def market(self, client_order_id):
        return self.place(client_order_id)

    def place(self, client_order_id, **values):
        return Command(
            "place_order", client_order_id, security="SOAK", side=self.random.choice(["bid", "ask"]),
            amount=self.amount(), **values)

    def cancel(self, client_order_id):
        order = self.pick()
        self.latest.remove(order)
        return Command("cancel_order", client_order_id, id=order)

    def amend(self, client_order_id):
        values = {"id": self.pick()}
        change = self.random.randrange(3)
        if change != 0:
            values["amount"] = self.amount()
        if change != 1:
            values["price"] = self.price()
        return Command("amend_order", client_order_id, **values)

    def reduce(self, client_order_id):
        return Command(
            "reduce_order", client_order_id, id=self.pick(), amount=self.amount() / 4 // LOT * LOT + LOT)

    def pick(self):
        """One of the latest orders: an earlier one is likely to be gone, which is answered alike."""
        return self.random.choice(self.latest)

    def price(self):
        return (MIDDLE_TICKS + round(self.random.gauss(0, SPREAD_TICKS))) * TICK

    def amount(self):
        return self.random.randint(1, 5_000) * LOT
