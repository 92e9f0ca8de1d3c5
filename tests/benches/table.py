"""The table of `tests/speed`: what was run, what it cost, and how that compares.

    table.py FOUND.jsonl CRITERION_FOLDER
"""

import json
import os
import statistics
import sys

EIGHT_HOURS_S = 8 * 3600
OURS = "detector, in process"


def criterion(folder):
    """What criterion found of the detector, with its interval."""
    for hop in (10, 1):
        path = os.path.join(folder, f"hop_{hop}_s", "new", "estimates.json")
        with open(path, encoding="utf-8") as file:
            median = json.load(file)["median"]
        bounds = median["confidence_interval"]
        spread = (bounds["upper_bound"] - bounds["lower_bound"]) / 2 / median["point_estimate"]
        yield {
            "pkg": "tidewatch",
            "name": OURS,
            "step": hop,
            "cpu_s": median["point_estimate"] / 1e9,
            "spread": spread,
        }


def lines(path):
    """The lines of the runs; of a program that ran several times, the median."""
    runs = {}
    with open(path, encoding="utf-8") as file:
        for line in filter(lambda line: line.startswith("{"), file):
            run = json.loads(line)
            if "error" in run:
                sys.exit(f"{run['pkg']} {run['name']}: {run['error']}")
            runs.setdefault((run["pkg"], run["name"], run["step"]), []).append(run)
    for same in runs.values():
        costs = sorted(run["cpu_s"] for run in same)
        middle = statistics.median(costs)
        spread = (costs[-1] - costs[0]) / 2 / middle if len(costs) > 1 else None
        yield {**same[0], "cpu_s": middle, "spread": spread}


def main(found, folder):
    rows = [*criterion(folder), *lines(found)]
    per_second = lambda row: row["cpu_s"] / row.get("data_s", EIGHT_HOURS_S)
    ours = {row["step"]: per_second(row) for row in rows if row["name"] == OURS}
    print(f"{'':64} {'hop s':>5} {'data s':>6} {'CPU s':>8} {'+-':>5} {'us a second':>11} {'x ours':>7}")
    for row in sorted(rows, key=lambda row: (-row["step"], per_second(row))):
        step, cost = row["step"], per_second(row)
        name = f"{row['pkg']}: {row['name']}"
        spread = "" if row.get("spread") is None else f"{100 * row['spread']:.0f} %"
        data = row.get("data_s", EIGHT_HOURS_S)
        errors = f", {row['errors']} windows failed" if row.get("errors") else ""
        print(
            f"{name[:64]:64} {step:5} {data:6} {row['cpu_s']:8.3f} {spread:>5}"
            f" {1e6 * cost:11.2f} {cost / ours[step]:7.1f}{errors}"
        )


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
