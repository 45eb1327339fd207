"""What the soak says while it runs and when it is done."""

import sys
import time

import checks

SHOW_SECONDS = 0.5
SHOW_SECONDS_IN_LOG = 10


class Progress:
    """One line, drawn anew on a terminal, and now and then in a log."""

    def __init__(self, soak):
        self.soak = soak
        self.is_terminal = sys.stderr.isatty()
        self.shown = time.monotonic()
        self.acknowledged = 0

    def show(self):
        now = time.monotonic()
        passed = now - self.shown
        if passed < (SHOW_SECONDS if self.is_terminal else SHOW_SECONDS_IN_LOG):
            return
        soak = self.soak
        acknowledged = total(soak, "acknowledged")
        line = (
            f"{now - soak.began:5.0f} s  {acknowledged:,} acknowledged ({(acknowledged - self.acknowledged) / passed:,.0f}/s)"
            f"  {soak.watcher.seq:,} executed  {soak.watcher.trade_id:,} trades  {soak.watcher.waiting:,} wait"
            f"  {total(soak, 'retries')} retries  {soak.matchers.kills} kills  {soak.restarts} crashes")
        self.shown, self.acknowledged = now, acknowledged
        print(f"\r\x1b[2K{line}" if self.is_terminal else line, end="" if self.is_terminal else "\n", file=sys.stderr, flush=True)

    def clear(self):
        if self.is_terminal:
            print("\r\x1b[2K", end="", file=sys.stderr, flush=True)


def summary(soak):
    """Prints all figures, and what failed; gives whether nothing did."""
    executed, trades, resting, codes = checks.facts()
    acknowledged = total(soak, "acknowledged")
    rows = [
        ("seconds", f"{soak.seconds:.1f}"),
        ("clients, matchers", f"{soak.options.clients}, {soak.options.matchers}"),
        ("commands given", total(soak, "sent")),
        ("acknowledged", acknowledged),
        ("refused", total(soak, "refused")),
        ("retries after a lost connection", total(soak, "retries")),
        ("repeats of what was acknowledged", total(soak, "repeats")),
        ("connections cut", soak.cuts),
        ("matchers killed", soak.matchers.kills),
        ("crashes of PostgreSQL", soak.restarts),
        ("executed", executed),
        ("trades", trades),
        ("orders left in the book", resting),
        ("looks at the book, crossed", f"{soak.watcher.looks:,}, {soak.watcher.crossed}"),
        ("rate", f"{acknowledged / soak.seconds:,.0f} commands/s"),
    ]
    for name, value in rows:
        print(f"{name:<34} {value:,}" if isinstance(value, int) else f"{name:<34} {value}")
    print(f"{'outcomes':<34} {codes}\n")
    for what, count in soak.found:
        print(f"{'ok  ' if count == 0 else 'FAIL'}  {count:,} {what}")
    print(f"{'ok  ' if soak.verified else 'FAIL'}  pgbook verify\n")
    for fault in soak.faults:
        print(f"FAIL  {fault}")
    passed = soak.verified and not soak.faults and all(count == 0 for _, count in soak.found)
    passed = passed and has_worked(soak, acknowledged, trades)
    print("passed" if passed else f"failed (seed {soak.options.seed})")
    return passed


def has_worked(soak, acknowledged, trades):
    """A run in which nothing happened has shown nothing."""
    for what, count in (("acknowledged commands", acknowledged), ("trades", trades), ("looks at the book", soak.watcher.looks)):
        if count == 0:
            print(f"FAIL  there were no {what}")
            return False
    return True


def total(soak, name):
    return sum(getattr(client, name) for client in soak.clients)
