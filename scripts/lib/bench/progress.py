"""One line on standard error that tells what is being measured, and for how long, while a person is looking."""

import sys
import time


class Progress:
    def __init__(self):
        self.is_shown = sys.stderr.isatty()
        self.began = time.monotonic()
        self.what = ""

    def begin(self, what):
        self.what = what
        self.since = time.monotonic()
        self.show()

    def show(self):
        if not self.is_shown:
            return
        now = time.monotonic()
        total = int(now - self.began)
        line = f"{self.what}  {now - self.since:.0f} s  ({total // 60}:{total % 60:02} in all)"
        print(f"\r{line}\033[K", end="", file=sys.stderr, flush=True)

    def clear(self):
        if self.is_shown:
            print("\r\033[K", end="", file=sys.stderr, flush=True)
