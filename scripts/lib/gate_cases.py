"""Turns the edge cases of a JSON file into a workload, its expected reports and its final book, a file each."""

import json
import pathlib
import sys

HEADING = "seq,type,side,ioc,qty,order_id,price"


def main(source, folder):
    folder = pathlib.Path(folder)
    folder.mkdir()
    cases = json.loads(pathlib.Path(source).read_text())
    for name, case in cases.items():
        rows = [
            ",".join(str(value) for value in (
                seq, message["type"], message["side"], message["ioc"], message["qty"], message["order_id"], message["price"]))
            for seq, message in enumerate(case["messages"])]
        write(folder / f"{name}.csv", [HEADING, *rows])
        write(folder / f"{name}.expected", case["expected_reports"])
        write(folder / f"{name}.book", [
            f"{side} {price} {amount}"
            for side, levels in (("bid", "bids"), ("ask", "asks"))
            for price, amount in case["final_book"][levels]])
    write(folder / "names", cases)


def write(path, lines):
    path.write_text("".join(f"{line}\n" for line in lines))


main(*sys.argv[1:])
