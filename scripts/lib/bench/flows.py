"""The flows: who runs them, how large they are, and which ratios are of interest."""

from . import history, socket
from .offered import Offered
from .contestants import Fault, Limit, Naive, Pgbook

PUBLISHED_ORDERS = 1_996_097
PUBLISHED_SHA256 = "e9b2e3926854410b01a035aeb25dd05f1e597c233be8263de9eb49b6713d367e"
NAMES = ["crossing", "single", "normal", "real", "many", "deep", "aged", "offered", *socket.NAMES, *history.NAMES]

RATE = "orders_per_second"


class Plan:
    """One flow: its contestants, and ratios (label, figure, numerator, denominators of which the best counts)."""

    def __init__(self, name):
        self.name = name
        self.contestants = []
        self.ratios = []
        self.missing = None
        # What stands beside the flow's name, and how many rounds are worth it; None: as the options say.
        self.size = None
        self.rounds_max = None

    def standard(self, setup, flow, orders, naive_orders, batch):
        self.contestants = [
            Pgbook(setup, "pgbook", flow, orders, batch), Limit(setup, flow, orders, batch),
            Naive(setup, flow, naive_orders, 1), Naive(setup, flow, naive_orders, 4)]
        naive = [contestant.name for contestant in self.contestants[2:]]
        self.ratios = [
            ("pgbook ÷ best naive", RATE, ["pgbook"], naive), ("pgbook ÷ limit", RATE, ["pgbook"], ["limit"]),
            ("best naive ÷ limit", RATE, naive, ["limit"])]
        return self

    def check_round(self, figures, faults):
        """What must hold of one round, given by contestant."""
        for name, measured in figures.items():
            if measured.get("verified") is False:
                faults.append(f"{self.name}: {name}: log and tables differ")
        pgbook, limit = figures.get("pgbook"), figures.get("limit")
        if not pgbook or not limit:
            return
        for figure in ("orders", "trades", "takers", "sha256"):
            if pgbook[figure] != limit[figure]:
                faults.append(
                    f"{self.name}: {figure} of pgbook {pgbook[figure]}, in memory {limit[figure]}")
        if pgbook["sha256"] and pgbook["orders"] == PUBLISHED_ORDERS and pgbook["sha256"] != PUBLISHED_SHA256:
            faults.append(f"{self.name}: SHA-256 {pgbook['sha256']} is not the published {PUBLISHED_SHA256}")

    def close(self):
        """Gives back what the flow keeps between rounds."""


class ServedPlan(Plan):
    """Through a running server."""

    def __init__(self, name):
        super().__init__(name)
        self.size = "one order at a time" if name == "one" else "through pgbook serve"

    def check_round(self, figures, faults):
        super().check_round(figures, faults)
        socket.check(self.name, figures, faults)


class AgedPlan(Plan):
    """The same orders in a database that is new, and in one full of older trades, which is kept from round to round."""

    DATABASE = "bench_aged"

    def __init__(self, setup, orders, batch, trades):
        super().__init__("aged")
        self.setup = setup
        flow = ["--flow", "crossing"]
        empty, full = "pgbook, no history", f"pgbook, {trades:,} trades"
        self.contestants = [
            Pgbook(setup, empty, flow, orders, batch), Aged(setup, full, flow, orders, batch, self.DATABASE)]
        self.ratios = [("with history ÷ without", RATE, [full], [empty])]
        setup.progress.begin(f"aged: making {trades:,} trades")
        setup.create(self.DATABASE)
        setup.script(self.DATABASE, "aged.sql", rows=trades)
        setup.script(self.DATABASE, "aged.settle.sql")

    def close(self):
        self.setup.drop(self.DATABASE)


class Aged(Pgbook):
    def run(self):
        figures = super().run()
        self.setup.script(self.database, "aged.reset.sql")
        return figures


def plan(name, setup):
    options = setup.options
    quick, batch = options.quick, options.batch
    orders = options.orders or (20_000 if quick else 200_000)
    naive_orders = options.naive_orders or min(orders, 2_000 if quick else 30_000)
    generated = ["--flow", name]
    match name:
        case "crossing" | "many":
            return Plan(name).standard(setup, generated, orders, naive_orders, batch)
        case "single":
            return single(setup, options.orders or (1_000 if quick else 10_000))
        case "normal":
            if options.full:
                orders, naive_orders = PUBLISHED_ORDERS, options.naive_orders or 100_000
            return recorded(name, setup, "conformance/normal_n1000000_s23.csv.gz", orders, naive_orders)
        case "real":
            return recorded(name, setup, "real/bitstamp_2015-05-01.commands.csv.gz", orders, naive_orders)
        case "offered":
            return offered(setup, orders, batch, 2 if quick else 10)
        case "deep":
            return deep(setup, min(orders, 100_000), 20_000 if quick else 1_000_000)
        case _ if name in socket.NAMES:
            return socket.plan(name, setup, ServedPlan(name))
        case _ if name in history.NAMES:
            return history.plan(name, setup, Plan(name))
        case "aged":
            return AgedPlan(setup, min(orders, 100_000), batch, 200_000 if quick else 10_000_000)
    raise Fault(f"there is no flow {name}")


def single(setup, orders):
    """One client, one order at a time."""
    plan, flow = Plan("single"), ["--flow", "crossing"]
    plan.size = "one order at a time"
    plan.contestants = [
        Pgbook(setup, "pgbook", flow, orders, 1), Limit(setup, flow, orders, 1), Naive(setup, flow, orders, 1)]
    naive = plan.contestants[2].name
    plan.ratios = [
        ("p50 of pgbook ÷ naive", "p50_us", ["pgbook"], [naive]), ("p99 of pgbook ÷ naive", "p99_us", ["pgbook"], [naive]),
        ("pgbook ÷ naive", RATE, ["pgbook"], [naive])]
    return plan


def offered(setup, orders, batch, seconds):
    plan = Plan("offered")
    plan.contestants = socket.Parts.of(Offered(setup, orders, batch, seconds))
    return plan


def recorded(name, setup, path, orders, naive_orders):
    file = setup.options.data / path
    plan = Plan(name)
    if not file.exists():
        plan.missing = f"its data, {path}, are not in ../shared/data"
        return plan
    return plan.standard(setup, ["--flow", name, "--file", file], orders, naive_orders, setup.options.batch)


def deep(setup, orders, resting):
    plan = Plan("deep")
    batch = setup.options.batch
    plan.contestants = [
        Pgbook(setup, f"pgbook, {count:,} resting", ["--flow", "deep", "--resting", count], orders, batch)
        for count in (1_000, resting)]
    few, many = (contestant.name for contestant in plan.contestants)
    plan.ratios = [(f"{resting:,} resting ÷ 1,000", RATE, [many], [few])]
    return plan
