#!/usr/bin/env python3
"""Makes the reference values that the detector's tests compare with.

    python -m venv venv && venv/bin/pip install -r requirements.txt && venv/bin/python make_golden.py

Writes window.json: 60 s of synthetic signals in the integer steps in which samples travel, and what NeuroKit2 and
scipy make of the same numbers; beats.json: inter-beat intervals with every kind of artefact, and their classes after
Lipponen & Tarvainen (2019) as NeuroKit2 finds them; and, where a folder of recordings is given (make_golden.py
RECORDINGS), recorded.json: what the references make of windows of 60 s of them, and live.json: every feature that a
detector is to find at some moments of them (live.py), each with where that was. No sample of a person is kept here.
"""

import io
import json
import pathlib
import sys
import zipfile

import neurokit2 as nk
from hrvanalysis import get_time_domain_features
import numpy as np
import scipy.signal as ss

import live

HERE = pathlib.Path(__file__).resolve().parent
BVP_HZ, ACC_HZ, EDA_HZ, TEMP_HZ = 64, 32, 4, 4
SECONDS = 60


def steps(values, scale):
    return np.rint(np.asarray(values) / scale).astype(int)


def synthetic(rng):
    """Signals in integer steps: BVP 0.01, EDA 1e-6 uS, temperature 0.01 C, acceleration 1/1024 g."""
    bvp = nk.ppg_simulate(SECONDS, BVP_HZ, heart_rate=84, frequency_modulation=0.3, ibi_randomness=0.08, drift=0.2,
                          motion_amplitude=0.1, burst_number=2, burst_amplitude=0.3, random_state=11,
                          random_state_distort=11)
    t = np.arange(SECONDS * EDA_HZ) / EDA_HZ
    eda = 1.3 + 0.004 * t + rng.normal(0, 0.002, t.size)
    for onset, amplitude in ((6, 0.4), (15, 0.07), (21, 0.9), (23.5, 0.5), (38, 0.12), (47, 0.25), (55, 0.6)):
        since = np.maximum(t - onset, 0)
        eda += 1.9 * amplitude * (np.exp(-since / 3.2) - np.exp(-since / 0.8))
    temperature = np.round((33.4 - 0.11 * t / 60 + 0.02 * rng.normal(size=t.size)) / 0.02) * 0.02
    a = np.arange(SECONDS * ACC_HZ) / ACC_HZ
    tilt = 0.6 + 0.4 * np.sin(2 * np.pi * a / 47)
    rocking = 0.15 * np.sin(2 * np.pi * 1.9 * a) * (a > 25)
    acc = np.stack([np.cos(tilt) + rocking, 0.3 * np.sin(tilt), np.sin(tilt) * 0.95], 1)
    acc += rng.normal(0, 0.03, acc.shape)
    return {"bvp": steps(bvp[: SECONDS * BVP_HZ], 0.01 / 60), "eda": steps(eda, 1e-6),
            "temperature": steps(temperature, 0.01), "acceleration": steps(acc, 1 / 1024)}


def band(steps):
    """The band of a pulse wave at 64 Hz, by two triangular windows."""
    half = 54
    padded = np.pad(steps.astype(np.int64), half, mode="edge")
    short, long = (np.convolve(np.ones(width, int), np.ones(width, int)) for width in (3, 55))
    short = np.pad(short, (len(long) - len(short)) // 2)
    return np.convolve(padded, short, "valid") / 3**2 - np.convolve(padded, long, "valid") / 55**2


def pulse(bvp):
    clean = nk.ppg_clean(bvp, sampling_rate=BVP_HZ, method="elgendi")
    peaks = nk.ppg_findpeaks(clean, sampling_rate=BVP_HZ, method="elgendi")["PPG_Peaks"]
    second = nk.ppg_findpeaks(clean, sampling_rate=BVP_HZ, method="charlton")["PPG_Peaks"]
    hrv = nk.hrv_time(peaks, sampling_rate=BVP_HZ)
    rows = {"hr": 60000 / hrv["HRV_MeanNN"][0], "sdnn": hrv["HRV_SDNN"][0], "rmssd": hrv["HRV_RMSSD"][0],
            "pnn50_over_n": hrv["HRV_pNN50"][0]}
    return {"band": band(np.rint(bvp / 0.01)) * 0.01, "clean": clean, "peaks": peaks,
            "msptd_peaks": second, "hrv": {name: float(value) for name, value in rows.items()}}


def skin(eda, temperature):
    minutes = np.arange(eda.size) / EDA_HZ / 60
    smooth = np.convolve(eda, np.ones(4) / 4, "valid")
    peaks, _ = ss.find_peaks(smooth, prominence=0.01)
    responses = []
    for before, peak in zip([0, *peaks], peaks):
        trough = before + int(np.argmin(smooth[before:peak + 1]))
        amplitude, rise = smooth[peak] - smooth[trough], (peak - trough) / EDA_HZ
        if amplitude >= 0.05 and 0.5 <= rise <= 5.0:
            responses.append([int(peak), float(amplitude), float(rise)])
    return {"scl": float(np.median(eda)), "scl_slope": float(np.polyfit(minutes, eda, 1)[0]),
            "phasic": ss.sosfilt(ss.butter(2, 0.05, btype="high", fs=EDA_HZ, output="sos"), eda),
            "smoothed": smooth, "scr": responses,
            "temperature_slope": float(np.polyfit(np.arange(temperature.size) / TEMP_HZ / 60, temperature, 1)[0])}


def motion(acc):
    norm = np.linalg.norm(acc, axis=1)
    hz, density = ss.welch(norm, fs=ACC_HZ, nperseg=256)
    gravity = ss.sosfilt(ss.butter(2, 0.25, fs=ACC_HZ, output="sos"), acc - acc[0], axis=0) + acc[0]
    x, y, z = gravity[-1]
    return {"enmo": float(np.maximum(norm - 1, 0).mean()), "activity": float(norm.std()),
            "jerk": float(np.abs(np.diff(acc, axis=0)).sum(axis=1).mean() * ACC_HZ),
            "welch_hz": hz, "welch": density, "repeats": live.repeats(density[7:37]),
            "pitch_deg": float(np.degrees(np.arctan2(x, np.hypot(y, z)))),
            "roll_deg": float(np.degrees(np.arctan2(y, z)))}


def beats(rng):
    """400 beats with respiratory sinus arrhythmia, and missed, extra, early and misplaced ones."""
    n = 400
    intervals = 0.82 + 0.04 * np.sin(2 * np.pi * 0.25 * np.cumsum(np.full(n, 0.82))) + rng.normal(0, 0.012, n)
    times = np.cumsum(intervals)
    for at in (60, 300):
        times[at] -= 0.22
    times[140] += 0.3
    times = np.delete(times, [100, 221])
    times = np.sort(np.concatenate((times, [times[180] + 0.35, times[340] + 0.5])))
    peaks = np.rint(times * 1000).astype(int)
    found, _ = nk.signal_fixpeaks(peaks, sampling_rate=1000, method="kubios", iterative=False)
    seconds, gaps = peaks[1:] / 1000, np.diff(peaks).astype(float)
    hz = np.linspace(0.04, 0.4, 50)
    power = ss.lombscargle(seconds, gaps - gaps.mean(), 2 * np.pi * hz)
    return {"peaks_ms": peaks, "classes": classes(found),
            "lomb": {"times_s": seconds, "intervals_ms": gaps, "hz": hz, "power": power}}


def classes(found):
    return {name: [int(i) for i in found[name]] for name in ("ectopic", "missed", "extra", "longshort")}


def recorded(folder):
    """Windows of recordings, by name and the second in which they start."""
    names = sorted(path.stem for path in folder.glob("*.zip"))
    return [window_of(folder, name, start) for name in names for start in (300, 1500, 2700)]


def window_of(folder, name, start):
    bvp, acc, eda, temperature = (cut(folder / f"{name}.zip", file, start) for file in ("BVP", "ACC", "EDA", "TEMP"))
    bvp, eda, temperature = steps(bvp, 0.01) * 0.01, steps(eda, 1e-6) * 1e-6, steps(temperature, 0.01) * 0.01
    clean = band(np.rint(bvp / 0.01)) * 0.01
    peaks = nk.ppg_findpeaks(clean, sampling_rate=BVP_HZ, method="elgendi")["PPG_Peaks"]
    second = nk.ppg_findpeaks(clean, sampling_rate=BVP_HZ, method="charlton")["PPG_Peaks"]
    found, _ = nk.signal_fixpeaks(peaks, sampling_rate=BVP_HZ, method="kubios", iterative=False)
    time = get_time_domain_features(list(np.diff(peaks) / BVP_HZ * 1000))
    heart = {"heart_rate": 60000 / time["mean_nni"], "sdnn": time["sdnn"], "rmssd": time["rmssd"],
             "pnn50": 100 * time["nni_50"] / (len(peaks) - 2)}
    still = {key: value for key, value in skin(eda, temperature).items() if key not in ("phasic", "smoothed")}
    still["phasic_deviation"] = float(ss.sosfilt(*settled(ss.butter(2, 0.05, btype="high", fs=EDA_HZ, output="sos"), eda))[0].std())
    moved = motion(acc / 64)
    density = np.asarray(moved.pop("welch"))
    moved.pop("welch_hz")
    moved.pop("repeats")
    rhythm = density[7:37]
    top = int(rhythm.argmax())
    moved |= {"stereotypy_rate": (7 + top) * 0.125, "stereotypy_band": float(rhythm.sum() / density.sum()),
              "stereotypy": float(rhythm[max(0, top - 2):top + 3].sum() / density.sum()),
              "stereotypy_repeats": live.repeats(rhythm)}
    return {"recording": name, "start_s": start, "peaks": peaks, "msptd_peaks": second, "classes": classes(found),
            "heart": heart, "skin": still, "motion": moved}


def heard(folder):
    """What is found live while a detector still learns, and three times later."""
    return [moment for path in sorted(folder.glob("*.zip")) for moment in moments_of(path)]


def moments_of(path):
    (start, bvp), (_, acc), (_, eda), (_, temperature) = (whole(path, file) for file in ("BVP", "ACC", "EDA", "TEMP"))
    signals = {"bvp": steps(bvp, 0.01), "acceleration": steps(acc / 64, 1 / 1024), "eda": steps(eda, 1e-6),
               "temperature": steps(temperature, 0.01)}
    moments = [(start + after) // 10 * 10 for after in (590, 910, 1810, 2710)]
    return [{"recording": path.stem, "time_unix": moment, "features": live.features(signals, start, moment),
             "unknown": live.unknown(start, moment)}
            for moment in moments]


def settled(sections, signal):
    return sections, signal, -1, ss.sosfilt_zi(sections) * signal[0]


def cut(archive, file, start):
    rows = table(archive, file)
    hz = int(rows[1, 0])
    return column(rows[2 + start * hz:2 + (start + SECONDS) * hz])


def whole(archive, file):
    """When a channel begins (unix s), and its samples."""
    rows = table(archive, file)
    return int(rows[0, 0]), column(rows[2:])


def table(archive, file):
    with zipfile.ZipFile(archive) as files:
        return np.loadtxt(io.TextIOWrapper(files.open(f"{file}.csv")), delimiter=",", ndmin=2)


def column(rows):
    return rows if rows.shape[1] > 1 else rows[:, 0]


def plain(value):
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, list):
        return [plain(entry) for entry in value]
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, dict):
        return {name: plain(entry) for name, entry in value.items()}
    return value


def write(name, value):
    (HERE / name).write_text(json.dumps(plain(value), separators=(",", ":")) + "\n")


def main():
    rng = np.random.default_rng(20)
    window = synthetic(rng)
    bvp, eda = window["bvp"] * 0.01, window["eda"] * 1e-6
    temperature, acc = window["temperature"] * 0.01, window["acceleration"] / 1024
    reference = {"pulse": pulse(bvp), "skin": skin(eda, temperature), "motion": motion(acc)}
    write("window.json", {**window, "reference": reference})
    write("beats.json", beats(rng))
    if len(sys.argv) > 1:
        folder = pathlib.Path(sys.argv[1])
        write("recorded.json", {"windows": recorded(folder)})
        write("live.json", {"moments": heard(folder)})


if __name__ == "__main__":
    main()
