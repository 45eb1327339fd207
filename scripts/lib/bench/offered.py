"""The most that the exchange does in one process, then its latencies at parts of that in an open loop."""

from .contestants import Contestant, Pgbook

PERCENTS = (10, 50, 80)


class Offered(Contestant):
    def __init__(self, setup, orders, batch, seconds):
        super().__init__(setup, "offered", ["--flow", "crossing"], orders)
        self.batch = batch
        self.seconds = seconds
        self.names = ["maximum", *(f"at {percent} %" for percent in PERCENTS)]

    def measure(self):
        best = Pgbook(self.setup, "maximum", self.flow, self.orders, self.batch).measure()
        most = best["orders"] * 1_000_000 // best["elapsed_us"]
        result = {"maximum": best}
        for percent, name in zip(PERCENTS, self.names[1:]):
            rate = max(1, most * percent // 100)
            flow = [*self.flow, "--rate", rate]
            result[name] = Pgbook(self.setup, name, flow, rate * self.seconds, self.batch).measure()
        return result
