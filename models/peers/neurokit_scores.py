#!/usr/bin/env python3
"""Scores of two detectors made of NeuroKit2 features, for `tidewatch study evaluate --compare`.

    neurokit_scores.py RECORDINGS EPISODES_CSV OUT [--crop SEED]

RECORDINGS is a folder of E4 exports (RECORDING.zip). Writes OUT/logistic/RECORDING.csv and OUT/forest/RECORDING.csv
(time_unix,score), each person scored by a model of the whole recordings of all others. The rows are those of
`tidewatch study replay`: one every 10 s of the (cropped) recording, empty until a window is full. A score rests on the
trailing 60 s alone; each feature is also held against the person's own past (mean and standard deviation of all earlier
rows), so that nothing looks ahead. What is missing is taken to be usual. Time since the start is no feature.
"""
import argparse, csv, hashlib, io, pathlib, warnings, zipfile
import neurokit2 as nk
import numpy as np
from sklearn.base import clone
from sklearn.ensemble import RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

WINDOW_S, HOP_S = 60, 10
warnings.simplefilter("ignore")


def crop_seconds(recording, seed):
    return int(hashlib.sha256(f"{seed}:{recording}".encode()).hexdigest(), 16) % 601


def load(path):
    """Channels of an E4 export: {name: (start, rate, samples)}."""
    channels = {}
    with zipfile.ZipFile(path) as archive:
        for member in archive.namelist():
            name = pathlib.PurePosixPath(member).name
            if name in ("BVP.csv", "EDA.csv", "ACC.csv", "TEMP.csv"):
                rows = np.loadtxt(io.TextIOWrapper(archive.open(member)), delimiter=",", ndmin=2)
                channels[name[:-4]] = (rows[0, 0], rows[1, 0], rows[2:])
    return channels


def window(channel, end):
    """The samples of the window that ends at a moment; none where it is not full."""
    start, rate, samples = channel
    last = int(round((end - start) * rate))
    first = last - int(WINDOW_S * rate)
    return samples[first:last] if first >= 0 and last <= len(samples) else None


def heart(bvp):
    clean = nk.ppg_clean(bvp[:, 0], sampling_rate=64)
    peaks = nk.ppg_findpeaks(clean, sampling_rate=64)["PPG_Peaks"]
    if len(peaks) < 20:
        return [np.nan] * 4
    hrv = nk.hrv_time(peaks, sampling_rate=64)
    rate = 60 / np.diff(peaks / 64)
    return [rate.mean(), hrv["HRV_RMSSD"][0], hrv["HRV_SDNN"][0], hrv["HRV_pNN50"][0]]


def skin(eda):
    signals, info = nk.eda_process(eda[:, 0], sampling_rate=4)
    heights = np.nan_to_num(info["SCR_Amplitude"])
    return [np.median(eda), signals["EDA_Tonic"].diff().mean(), len(info["SCR_Peaks"]), heights.sum(), signals["EDA_Phasic"].std()]


def features(channels, end):
    parts = []
    for name, measure, count in (("BVP", heart, 4), ("EDA", skin, 5)):
        samples = window(channels[name], end) if name in channels else None
        try:
            parts += [np.nan] * count if samples is None else measure(samples)
        except (ValueError, IndexError, ZeroDivisionError, KeyError):
            parts += [np.nan] * count
    acc, temp = window(channels["ACC"], end), window(channels["TEMP"], end)
    parts.append(np.nan if acc is None else np.linalg.norm(acc / 64, axis=1).std())
    parts += [np.nan] * 2 if temp is None else [temp.mean(), np.polyfit(np.arange(len(temp)) / 240, temp[:, 0], 1)[0]]
    return parts


def against_past(rows):
    """Each row, and each row against the mean and deviation of the rows before it."""
    past = np.full_like(rows, np.nan)
    for at in range(6, len(rows)):
        mean, deviation = np.nanmean(rows[:at], axis=0), np.nanstd(rows[:at], axis=0)
        past[at] = np.clip((rows[at] - mean) / (deviation + 1e-9), -5, 5)
    return np.hstack([rows, past])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recordings", type=pathlib.Path)
    parser.add_argument("episodes", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--crop", type=int)
    args = parser.parse_args()
    episodes = {}
    for row in csv.DictReader(args.episodes.open()):
        episodes.setdefault(row["recording"], []).append((float(row["start_unix_utc"]), float(row["end_unix_utc"])))
    people = {}
    for path in sorted(args.recordings.glob("*.zip")):
        if path.stem not in episodes:
            continue
        channels = load(path)
        first = min(start for start, _, _ in channels.values())
        last = max(start + len(samples) / rate for start, rate, samples in channels.values())
        times = np.arange(np.floor(first / HOP_S) * HOP_S + HOP_S, last + 1e-6, HOP_S)
        rows = np.array([features(channels, end) for end in times], float)
        inside = np.array([any(a <= t - HOP_S / 2 <= b for a, b in episodes[path.stem]) for t in times])
        begin = first + (0 if args.crop is None else crop_seconds(path.stem, args.crop))
        kept = times > begin
        scored = np.where((times >= begin + WINDOW_S)[:, None], rows, np.nan)[kept]
        people[path.stem] = (against_past(rows), inside, times[kept], against_past(scored))
        print(path.stem, len(times), flush=True)
    logistic = LogisticRegression(C=0.1, class_weight="balanced", max_iter=2000)
    forest = RandomForestClassifier(300, min_samples_leaf=20, class_weight="balanced", random_state=0, n_jobs=2)
    models = {
        "logistic": lambda: make_pipeline(StandardScaler(), SimpleImputer(), clone(logistic)),
        "forest": lambda: make_pipeline(SimpleImputer(), clone(forest)),
    }
    for name, make in models.items():
        folder = args.out / name
        folder.mkdir(parents=True, exist_ok=True)
        for left_out, (_, _, times, rows) in people.items():
            others = [people[person] for person in people if person != left_out]
            x, y = np.vstack([x for x, *_ in others]), np.concatenate([y for _, y, *_ in others])
            known = np.isfinite(x).any(axis=1)
            scores = make().fit(x[known], y[known]).predict_proba(rows)[:, 1]
            said = [f"{score:.6f}" if row.any() else "" for score, row in zip(scores, np.isfinite(rows))]
            lines = [f"{time:.0f},{score}\n" for time, score in zip(times, said)]
            (folder / f"{left_out}.csv").write_text("time_unix,score\n" + "".join(lines))


if __name__ == "__main__":
    main()
