"""What a sidecar writes to its log, and that it does not write the same again and again."""

import collections
import re

# A sidecar says the same once in this time.
SILENCE_SECONDS = 10
# What begins otherwise belongs to a backtrace.
IS_LINE = re.compile(r"\d{4}-")


class Lines:
    """What is added to a log from now on."""

    def __init__(self, log):
        self.log = log
        self.at = log.stat().st_size if log.exists() else 0

    def new(self):
        if not self.log.exists():
            return []
        with open(self.log, "rb") as file:
            file.seek(self.at)
            return file.read().decode(errors="replace").splitlines()


def without_time(line):
    """So that lines that say the same can be counted together."""
    return re.sub(r"^\S+ ", "", line)


def kinds(lines):
    """How many there are of each level and words without values."""
    found = collections.Counter()
    for line in lines:
        if IS_LINE.match(line):
            words = without_time(line)
            text = words.split("] ", 1)[-1]
            found[words.split(" ", 1)[0], re.sub(r"\d+", "#", text)] += 1
    return found


def said_in_words(said):
    loud = sum(count for (level, _), count in said.items() if level != "info")
    return f"{loud} lines" + (f" and {said.total() - loud} of connections" if said.total() > loud else "")


def judge_lines(figures, run, name, said, seconds):
    """At most one of a kind in ten seconds. Of one that repeats, its reasons may differ."""
    most = 1 + int(seconds / SILENCE_SECONDS)
    for (level, text), count in said.items():
        figures.rule(run, count <= most, f"{name}: {count} lines in {seconds:.1f} s like: {level} {text[:120]}")
