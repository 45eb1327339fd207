"""Medians and spreads, as a table for people and as JSON."""

import platform
import statistics
import time

# Title, figure, decimals.
COLUMNS = [
    ("orders/s", "orders_per_second", 0), ("trades/s", "trades_per_second", 0), ("p50 µs", "p50_us", 0),
    ("p99 µs", "p99_us", 0), ("p99.9 µs", "p999_us", 0), ("max µs", "max_us", 0),
    ("PG µs/order", "server_cpu_us_per_order", 1), ("client µs/order", "client_cpu_us_per_order", 1),
    ("WAL B/order", "wal_bytes_per_order", 0), ("fsyncs/order", "fsyncs_per_order", 4), ("MiB peak", "memory_peak_mib", 0),
    ("other load", "other_load", 2)]

# With more contestants each has a row instead of a column.
SIDE_BY_SIDE_MAX = 6


class Report:
    def __init__(self, options, machine):
        self.options = options
        self.machine = machine
        self.began = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        self.flows = {}
        self.plans = {}
        self.faults = []

    def begin(self, plan):
        self.plans[plan.name] = plan
        self.flows[plan.name] = {contestant.name: [] for contestant in plan.contestants}

    def add(self, plan, contestant, figures):
        self.flows[plan.name][contestant.name].append(with_rates(figures))

    def last_round(self, plan):
        return {name: rounds[-1] for name, rounds in self.flows[plan.name].items()}

    def ratios(self, plan):
        """Each ratio in each round, among what was measured in that round."""
        result = {}
        for label, figure, above, below in plan.ratios:
            measured = self.flows[plan.name]
            result[label] = [
                best(measured, above, figure, number) / best(measured, below, figure, number)
                for number in range(len(measured[above[0]]))]
        return result

    def print_flow(self, plan):
        measured = self.flows[plan.name]
        count = len(next(iter(measured.values())))
        size = plan.size or f"batches of {self.options.batch:,}"
        print(f"flow {plan.name}: {count} round{'s' if count > 1 else ''}, {size}")
        print_table(table(measured))
        for label, values in self.ratios(plan).items():
            print(f"  {label}: {statistics.median(values):.3g} ({min(values):.3g}–{max(values):.3g})")
        checks = self.checks(measured)
        if checks:
            print(f"  {checks}")
        for name, rounds in measured.items():
            if note := rounds[-1].get("note"):
                print(f"  {name}: {note}")
        for fault in self.faults:
            if fault.startswith(f"{plan.name}: "):
                print(f"  FAULT: {fault}")
        print(flush=True)

    def checks(self, measured):
        figures = [round_ for rounds in measured.values() for round_ in rounds]
        said = []
        verified = [figure["verified"] for figure in figures if figure.get("verified") is not None]
        if verified:
            said.append(f"log and tables agree in {sum(verified)} of {len(verified)} runs")
        digests = {figure["sha256"] for figure in figures if figure.get("sha256")}
        if digests:
            said.append(f"SHA-256 of the reports {', '.join(sorted(digests))}")
        return "; ".join(said)

    def document(self):
        return {
            "began": self.began, "machine": self.machine, "python": platform.python_version(),
            "options": {
                "rounds": self.options.rounds, "batch": self.options.batch, "full": self.options.full,
                "quick": self.options.quick},
            "flows": {
                name: {
                    "contestants": {
                        contestant: {"rounds": rounds, "median": medians(rounds)}
                        for contestant, rounds in contestants.items()},
                    "ratios": {
                        label: {"median": statistics.median(values), "min": min(values), "max": max(values), "rounds": values}
                        for label, values in self.ratios(self.plans[name]).items()},
                } for name, contestants in self.flows.items()},
            "faults": self.faults}


def with_rates(figures):
    """Adds what is per second and per order."""
    seconds, orders = figures["elapsed_us"] / 1e6, figures["orders"]
    rates = {"orders_per_second": orders / seconds}
    # Queries have none.
    rates["trades_per_second"] = None if figures["trades"] is None else figures["trades"] / seconds
    for name in ("server_cpu_us", "client_cpu_us", "wal_bytes", "fsyncs"):
        rates[f"{name}_per_order"] = None if figures[name] is None else figures[name] / orders
    if "rss_peak_bytes" in figures:
        rates["memory_peak_mib"] = figures["rss_peak_bytes"] / 2**20
    return figures | rates


def best(measured, names, figure, number):
    """The best of some contestants in one round: the highest rate, or the shortest time."""
    values = [measured[name][number][figure] for name in names]
    return min(values) if figure.endswith("_us") else max(values)


def values(rounds, key):
    return [figures[key] for figures in rounds if figures.get(key) is not None]


def medians(rounds):
    return {key: statistics.median(found) for _, key, _ in COLUMNS if (found := values(rounds, key))}


def table(measured):
    """One column per contestant, or one row where they are many: the median, and from the second round on the least and
    the greatest."""
    rows = [["", *measured], ["orders", *(f"{rounds[0]['orders']:,}" for rounds in measured.values())]]
    for title, key, digits in COLUMNS:
        if any(values(rounds, key) for rounds in measured.values()):
            rows.append([title, *(cell(values(rounds, key), digits) for rounds in measured.values())])
    return rows if len(measured) <= SIDE_BY_SIDE_MAX else [list(row) for row in zip(*rows)]


def cell(found, digits):
    if not found:
        return "–"
    text = f"{statistics.median(found):,.{digits}f}"
    return f"{text} ({min(found):,.{digits}f}–{max(found):,.{digits}f})" if len(found) > 1 else text


def print_table(rows):
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        cells = [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:]))]
        print("  " + "  ".join(cells).rstrip())
