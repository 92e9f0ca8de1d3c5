"""The other side of `tests/speed`: the peers' data as a recording, and their timings.

    peers.py record FILE.npz FOLDER    the samples as an Empatica E4 export
    peers.py time SCRIPT NAME STEP..   run the one benchmark NAME of a peer's script, whole

A peer's script stops a benchmark after some seconds of CPU time and works out from there what
all windows would have cost. Here every window is computed, and nothing is worked out.
"""

import os
import runpy
import sys

START = 1_600_000_000


def record(source, folder):
    """Writes what the sensors of an E4 would have: rates, units and steps are theirs."""
    import numpy

    data = numpy.load(source)
    os.makedirs(folder, exist_ok=True)

    def write(name, rate, samples, form):
        heads = [f"{START:.6f}", f"{rate:.6f}"]
        axes = 1 if samples.ndim == 1 else samples.shape[1]
        header = "\n".join(", ".join([head] * axes) for head in heads)
        path = os.path.join(folder, name)
        numpy.savetxt(path, samples, fmt=form, delimiter=",", header=header, comments="")

    # The pulse wave comes in units of its own size; an E4's swings by some hundred.
    write("BVP.csv", 64, 100 * data["bvp"], "%.2f")
    write("ACC.csv", 32, numpy.rint(64 * data["acc"]).astype(int), "%d")
    write("EDA.csv", 4, data["eda"], "%.6f")
    write("TEMP.csv", 4, data["temp"], "%.2f")


class Done(Exception):
    """All that was asked for has run."""


def time(script, name, steps):
    """Runs a peer's script, of its benchmarks the one asked for, over all windows."""
    sys.path.insert(0, os.path.dirname(os.path.abspath(script)))
    import bench_common

    whole, left = bench_common.bench, list(steps)

    def bench(found, compute, step, budget=None, pkg="", start=0):
        if found == name and step in left:
            whole(found, compute, step, float("inf"), pkg, start)
            left.remove(step)
        if not left:
            raise Done

    bench_common.bench = bench
    try:
        runpy.run_path(script)
    except Done:
        return
    sys.exit(f"{script} has no benchmark {name!r} at {left} s")


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["record", source, folder]:
            record(source, folder)
        case ["time", script, name, *steps] if steps:
            time(script, name, [int(step) for step in steps])
        case _:
            sys.exit(__doc__)
