"""The heart of a recording as a detector that heard it up to a moment is to find it: see live.py."""

import numpy as np
import scipy.signal as ss
import scipy.stats as st

BVP_HZ, WINDOW_S = 64, 60
BEFORE_S = 61
"""A detector that hears a first sample begins a minute before, and a second for those that come late."""
HALF = 54
"""Samples from one that came to the middle of the pulse's band: half of its length."""


def band(steps):
    """The band of a pulse wave at 64 Hz, by two triangular windows; what came first stood before."""
    padded = np.pad(steps, (HALF, 0), mode="edge")
    short, long = (np.convolve(np.ones(width, int), np.ones(width, int)) for width in (3, 55))
    short = np.pad(short, (len(long) - len(short)) // 2)
    return (np.convolve(padded, short, "valid") / 3**2 - np.convolve(padded, long, "valid") / 55**2) * 0.01


def heart(bvp):
    """By name, for the minute that ends with the last of the samples, which come in whole seconds."""
    since = bvp.size // BVP_HZ
    wave = band(bvp)
    beats = systoles(wave)
    blocks = agreements(wave, beats)
    log, told = intervals(beats)
    judged = classify(log)
    minute, lately = (window(judged, since - length) for length in (WINDOW_S, 20))
    clean, clean_lately = (covered(beats, length) for beats, length in ((minute, WINDOW_S), (lately, 20)))
    within = [part for end, part in blocks if end > since - WINDOW_S]
    agreement = np.mean(within) if within else None
    found = {"heart_rate_tracked": tracked(told, since), "pulse_clean": clean, "pulse_clean_20s": clean_lately,
             "pulse_agreement": agreement}
    if clean < 0.6:
        return found
    kept = steady(minute)
    heights = [beat["amplitude"] for beat in minute if beat["clean"] and beat["amplitude"] > 0]
    found["heart_rate"] = rate(kept)
    found["pulse_amplitude"] = np.median(heights) if len(heights) >= 10 else None
    if clean_lately >= 0.3:
        found["heart_rate_20s"] = rate(steady(lately))
    if agreement is None or agreement >= 0.6:
        found |= variability(kept)
    return found


def systoles(wave):
    """Elgendi's waves, where the mean square of all that came takes the place of the whole's until a minute has come,
    and that of a trailing minute after. A beat is known when the window around the wave's end is full."""
    squares = np.maximum(wave, 0) ** 2
    memory, mean, means = 60 * BVP_HZ, 0.0, np.zeros(wave.size)
    for at, square in enumerate(squares):
        mean += (square - mean) / min(at + 1, memory)
        means[at] = mean
    beat, peak = 43, 7
    padded = np.pad(squares, (beat, 0))
    sums = np.concatenate(([0.0], np.cumsum(padded)))
    newest = np.arange(beat - 1, wave.size)
    middle = newest - beat // 2
    of = lambda width: (sums[middle + beat + width // 2 + 1] - sums[middle + beat - width // 2]) / width
    above = of(peak) > of(beat) + 0.02 * means[newest]
    turns = np.flatnonzero(above[1:] != above[:-1]) + 1
    found, rise, last, low_from = [], None, -np.inf, middle[0] if middle.size else 0
    for turn in turns:
        at = middle[turn]
        if above[turn]:
            rise = at
            continue
        begun, rise = rise, None
        if begun is None or not 7 <= at - begun <= 2 * BVP_HZ:
            continue
        block = wave[begun - 1:at - 1]
        tops, _ = ss.find_peaks(block)
        if tops.size == 0:
            continue
        top = begun - 1 + int(tops[np.argmax(ss.peak_prominences(block, tops)[0])])
        if top - last <= 0.3 * BVP_HZ:
            continue
        found.append({"at": moment_of(top, *wave[top - 1:top + 2]), "rise": steepest(wave, top),
                      "amplitude": wave[top] - wave[low_from:at + 1].min(), "known": newest[turn]})
        last, low_from = top, at
    return found


def steepest(wave, top):
    """The moment of the steepest rise in the 0.375 s before a peak, by slopes over five samples; before the first sample
    there is nothing."""
    places = np.arange(top - 25, top + 2)
    value = lambda at: np.where(at < 0, 0, wave[np.maximum(at, 0)])
    slopes = value(places + 2) - value(places - 2)
    at = int(np.flatnonzero(slopes[1:-1] == slopes[1:-1].max())[-1]) + 1
    return moment_of(places[at], *slopes[at - 1:at + 2])


def moment_of(sample, before, at, after):
    """The top of a parabola through three values around a sample, s from the start, in whole microseconds."""
    curvature = before - 2 * at + after
    shift = np.clip((before - after) / (2 * curvature), -0.5, 0.5) if curvature < 0 else 0
    return (int(sample) * 15625 + int(shift * 15625)) / 1e6


def intervals(beats):
    """Of each beat but the first the interval that it ends, s, to the microsecond: those between 30 and 200 beats/min,
    and all of them with the second in which they were told."""
    log, told, broken = [], [], True
    for before, beat in zip(beats, beats[1:]):
        interval = round(beat["rise"] - before["rise"], 6)
        second = (beat["known"] + HALF) // BVP_HZ
        told.append((second, interval))
        if not 0.3 <= interval <= 2:
            broken = True
            continue
        log.append({**beat, "interval": interval, "told": second, "joined": not broken})
        broken = False
    return log, told


def classify(log):
    """Lipponen and Tarvainen's classes, each by what came before the beat and the two after it. Beats that wait for more
    than 65 s for those two are given up, and what came before with them."""
    judged, heard = [], []
    for beat in log:
        if heard and heard[-2:][0]["at"] < beat["told"] - 65:
            judged += judge(heard)
            heard = []
        heard.append(beat)
    return judged + judge(heard)


def judge(beats):
    spans = np.array([beat["interval"] for beat in beats])
    steps = np.diff(spans, prepend=spans[:1])
    judged, distances, candidate = [], [], False
    quartiles = lambda values: 5.2 * np.subtract(*np.quantile(np.abs(values[-91:]), (0.75, 0.25))) / 2
    over = lambda value, threshold: value / threshold if threshold else np.nan
    for newest in range(2, len(beats)):
        at = newest - 2
        median = np.median(spans[max(0, newest - 10):newest + 1])
        distance = spans[at] - median
        distances.append(distance * (2 if distance < 0 else 1))
        normal = True
        if newest >= 3:
            step, far = quartiles(steps[:newest + 1]), quartiles(np.array(distances))
            changes = [over(value, step) for value in steps[newest - 3:newest + 1]]
            normal, candidate = verdict(changes, over(distances[-1], far), candidate)
        judged.append({**beats[at], "clean": normal})
    return judged


def verdict(changes, distance, candidate):
    """Whether a beat is normal, and whether the next one is a candidate for a long or short one."""
    before, here, *after = changes
    away = abs(distance) > 3
    if candidate:
        candidate = False
    else:
        if abs(here) <= 1:
            return True, False
        if here > 1 and max(before, after[0]) < -0.13 * here - 0.17:
            return False, False
        if here < -1 and min(before, after[0]) > -0.13 * here + 0.17:
            return False, False
        if np.isnan(here) and not away:
            return True, False
        candidate = abs(after[0]) < abs(after[1])
    known = not np.isnan(after).any()
    long = here > 1 and known and min(after) < -1
    short = here < -1 and known and max(after) > 1
    # Extra, missed, long or short: not normal, all of them.
    return not (long or short or away), candidate


def window(judged, since):
    return [beat for beat in judged if beat["at"] >= since]


def covered(beats, length):
    return min(sum(beat["interval"] for beat in beats if beat["clean"]) / length, 1.0)


def steady(beats):
    """With those clean alone that lie near the median (the upper one of two) of the clean ones."""
    clean = sorted(beat["interval"] for beat in beats if beat["clean"])
    median = clean[len(clean) // 2] if clean else 0
    return [{**beat, "clean": beat["clean"] and abs(beat["interval"] - median) <= 0.25 * median} for beat in beats]


def rate(beats):
    clean = [beat["interval"] for beat in beats if beat["clean"]]
    return 60 / np.mean(clean) if len(clean) >= 5 else None


def variability(beats):
    clean = np.array([beat["interval"] for beat in beats if beat["clean"]]) * 1000
    pairs = [(one, other) for one, other in zip(beats, beats[1:])
             if one["clean"] and other["clean"] and other["joined"]]
    steps = np.array([other["interval"] - one["interval"] for one, other in pairs]) * 1000
    found = {"sdnn": clean.std(ddof=1) if clean.size >= 10 else None}
    if steps.size >= 10:
        found |= {"rmssd": np.sqrt((steps**2).mean()), "pnn50": 100 * (np.abs(steps) > 50).mean()}
    return found


def agreements(wave, beats):
    """When blocks of 6 s end, and the part of the beats in them that both detectors have: those of the first one count
    that were known a second after the block's end, and later ones in the next."""
    length, found, first = 6 * BVP_HZ, [], 0
    for start in range(0, wave.size, length):
        if start + length + BVP_HZ > wave.size:
            break
        ours = []
        while first < len(beats) and beats[first]["known"] < start + length + BVP_HZ - 1 \
                and beats[first]["at"] < (start + length) / BVP_HZ:
            ours.append(beats[first]["at"])
            first += 1
        theirs = [(start + peak) / BVP_HZ for peak in maxima(wave[start:start + length])]
        same = sum(any(abs(one - other) <= 0.15 for other in theirs) for one in ours)
        every = len(ours) + len(theirs)
        found.append(((start + length) / BVP_HZ, min(2 * same / every, 1.0) if every else 0.0))
    return found


def maxima(block):
    """MSPTDfast: higher than both neighbours at every distance up to the one at which most are."""
    thin = ss.detrend(block[::3])
    hz = BVP_HZ / 3
    half = (thin.size + 1) // 2 - 1
    scales = [scale for scale in range(1, half + 1) if half / scale / (thin.size / hz) >= 0.5]
    tops = np.zeros((len(scales), thin.size), bool)
    for row, scale in zip(tops, scales):
        row[scale:-scale] = (thin[scale:-scale] > thin[:-2 * scale]) & (thin[scale:-scale] > thin[2 * scale:])
    every = tops[:int(tops.sum(axis=1).argmax()) + 1].all(axis=0)
    near = int(np.ceil(hz * 0.15))
    found = []
    for peak in np.flatnonzero(every) * 3:
        first = max(0, peak - near)
        found.append(first + int(block[first:peak + near + 1].argmax()))
    return found


def tracked(told, since):
    """A Bayes filter over the logarithm of the rate, second by second."""
    grid = np.linspace(np.log(42), np.log(180), 74)
    belief = st.norm.pdf(grid, np.log(75), 0.25)
    belief /= belief.sum()
    side = np.exp(-0.5 * ((grid[1] - grid[0]) / 0.005) ** 2)
    sides = np.full(grid.size, 2.0)
    sides[[0, -1]] = 1
    without, place = 20, 0
    for second in range(-BEFORE_S, since):
        while place < len(told) and told[place][0] == second:
            interval = told[place][1]
            place += 1
            if 0.3 <= interval <= 2:
                belief = belief * (2 + np.exp(-0.5 * ((grid - np.log(60 / interval)) / 0.08) ** 2))
                without = 0
        without += 1
        around = np.pad(belief, 1)
        shared = (belief + side * (around[:-2] + around[2:])) / (1 + sides * side)
        belief = 0.995 * shared / belief.sum() + 0.005 / grid.size
    return np.exp((belief * grid).sum() / belief.sum()) if without < 20 else None
