"""Figures of several rounds: their median, the least and the greatest, and whether a rule about them holds."""

import json
import statistics


class Figures:
    def __init__(self):
        self.rows = {}
        self.problems = []

    def add(self, run, name, value):
        if value is not None:
            self.rows.setdefault(run, {}).setdefault(name, []).append(value)

    def rule(self, run, holds, text):
        """What must be so; text says what is so."""
        if not holds:
            self.problems.append(f"{run}: {text}")

    def show(self):
        for run, rows in self.rows.items():
            print(f"\n{run}")
            width = max(map(len, rows))
            for name, values in rows.items():
                spread = f"  ({min(values):.4g}–{max(values):.4g}, {len(values)} rounds)" if len(values) > 1 else ""
                print(f"  {name:{width}}  {statistics.median(values):10.5g}{spread}")
        print(flush=True)

    def write(self, file):
        file.write_text(json.dumps({"figures": self.rows, "problems": self.problems}, indent=2) + "\n")
