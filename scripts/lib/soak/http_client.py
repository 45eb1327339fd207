"""A client that places its orders over HTTP, where they are executed by the transaction that logs them."""

import http.client
import json
import time

from client import RETRY_PAUSE_SECONDS, Client

ANSWER_SECONDS_MAX = 30
FIELDS = {
    "time_in_force": "timeInForce", "post_only": "postOnly", "self_trade_prevention": "selfTradePrevention",
    "client_order_id": "clientOrderId"}
# Whoever is told one of these is to ask again.
TRY_AGAIN = (429, 502, 503)


class HTTPClient(Client):
    def __init__(self, number, seed, folder, stop, faults, ports):
        super().__init__(number, seed, folder, stop, faults)
        self.commands.places_only = True
        self.ports = ports

    def ask(self, command):
        """Asks one server after the other until there is an answer."""
        body = json.dumps({"userId": self.user} | {
            FIELDS.get(name, name): self.word(name, value) for name, value in command.values.items()})
        while True:
            try:
                if self.connection is None:
                    self.connect()
                self.connection.request("POST", "/orders", body, {"Content-Type": "application/json"})
                response = self.connection.getresponse()
                answer = json.loads(response.read())
                if response.status in (200, 202):
                    return "acknowledged", answer["id"]
                if response.status not in TRY_AGAIN:
                    return "refused", answer["code"]
            except (OSError, http.client.HTTPException, json.JSONDecodeError):
                self.disconnect()
            self.retries += 1
            time.sleep(self.random.uniform(0, RETRY_PAUSE_SECONDS))

    def word(self, name, value):
        """Times in Unix milliseconds, all other numbers as exact text."""
        if name == "expires":
            return int(value.timestamp() * 1000)
        return value if isinstance(value, (str, bool)) else str(value)

    def connect(self):
        self.connection = http.client.HTTPConnection(
            "127.0.0.1", self.random.choice(self.ports), timeout=ANSWER_SECONDS_MAX)
        self.connects += 1
