#!/usr/bin/env python3
"""Heart beats as NeuroKit2 finds them, for `tidewatch study beats --neurokit OUT`.

    neurokit_beats.py RECORDINGS OUT

RECORDINGS is a folder of E4 exports (RECORDING.zip). Writes OUT/RECORDING.csv with one column, peak_s: each systolic
peak in s from the first sample of BVP.csv, by ppg_clean and ppg_findpeaks after Elgendi over the whole recording.
"""
import argparse, io, pathlib, warnings, zipfile
import neurokit2 as nk
import numpy as np

warnings.simplefilter("ignore")


def pulse(path):
    """The pulse wave of an E4 export, in the steps in which it travels, and its rate in Hz."""
    with zipfile.ZipFile(path) as archive:
        member = next(name for name in archive.namelist() if pathlib.PurePosixPath(name).name == "BVP.csv")
        rows = np.loadtxt(io.TextIOWrapper(archive.open(member)), delimiter=",")
    return np.rint(rows[2:] / 0.01) * 0.01, int(rows[1])


def peaks(path):
    wave, rate = pulse(path)
    clean = nk.ppg_clean(wave, sampling_rate=rate, method="elgendi")
    return nk.ppg_findpeaks(clean, sampling_rate=rate, method="elgendi")["PPG_Peaks"] / rate


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recordings", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    for path in sorted(args.recordings.glob("*.zip")):
        found = peaks(path)
        (args.out / f"{path.stem}.csv").write_text("peak_s\n" + "".join(f"{peak:.6f}\n" for peak in found))
        print(path.stem, len(found), flush=True)


if __name__ == "__main__":
    main()
