"""Options of the scripts that run nodes, refused as pgbook refuses its own."""

import argparse
import pathlib
import sys


class Parser(argparse.ArgumentParser):
    """Every run is told by its script which program it shall run, and where its nodes may live."""

    def __init__(self, prog):
        super().__init__(prog=prog, allow_abbrev=False, add_help=False)
        self.add_argument("--program", help=argparse.SUPPRESS)
        self.add_argument("--postgres", help=argparse.SUPPRESS)
        self.add_argument("--folder", type=pathlib.Path, help=argparse.SUPPRESS)

    def error(self, message):
        print(f"pgbook: {message}; {self.prog} --help lists the options", file=sys.stderr)
        sys.exit(2)


def positive(text):
    """A number above zero."""
    number = float(text)
    if not 0 < number < float("inf"):
        raise ValueError
    return number


def count(text):
    """A whole number above zero."""
    number = int(text)
    if number < 1:
        raise ValueError
    return number


# So that argparse says "invalid number value: 'x'".
positive.__name__ = count.__name__ = "number"
