"""What a detector that has heard a recording up to a moment is to find: each feature by its definition, from all samples
that came before the moment, with numpy and scipy and nothing of the detector's.

A sample counts where its time is before the moment. What needs later samples (a beat some tenths of a second, a skin
conductance response until it falls) counts from when those have come.
"""

import numpy as np
import scipy.signal as ss

from live_heart import BVP_HZ, WINDOW_S, heart

ACC_HZ, EDA_HZ, TEMP_HZ = 32, 4, 4
HOP_S = 10
LEARNING_S = 600
"""Until then a detector learns from every hop; later it chooses by what it has found, which is not known here."""


def unknown(start, moment):
    """What is not known of a moment."""
    return [] if moment - start <= LEARNING_S else ["heart_rate_residual"]


def features(signals, start, moment):
    """By name, for the minute that ends at a moment (unix s); none where there is too little. The signals begin at a
    start (unix s, whole): bvp and temperature in hundredths, eda in millionths, acceleration in 1/1024 g."""
    since = moment - start
    heard = {name: signals[name][: since * hz]
             for name, hz in (("bvp", BVP_HZ), ("acceleration", ACC_HZ), ("eda", EDA_HZ), ("temperature", TEMP_HZ))}
    found = heart(heard["bvp"].astype(np.int64))
    found |= skin(heard["eda"] * 1e-6)
    found |= warmth(heard["temperature"] * 0.01)
    found |= motion(heard["acceleration"].reshape(-1, 3) / 1024, start)
    if not unknown(start, moment):
        found["heart_rate_residual"] = beyond_effort(signals, start, moment)
    return {name: float(value) for name, value in found.items() if value is not None}


# Skin.


def skin(eda):
    n = eda.size
    bad = (eda < 0.05) | (eda > 60) | (np.abs(np.diff(eda, prepend=eda[0])) * EDA_HZ > 10)
    bads = np.flatnonzero(bad)
    after, around = bad.copy(), bad.copy()
    for at in bads:
        after[at:at + 5 * EDA_HZ + 1] = True
        around[max(0, at - 5 * EDA_HZ):at + 5 * EDA_HZ + 1] = True
    lately = n - WINDOW_S * EDA_HZ
    minute = eda[lately:][~around[lately:]]
    now = eda[n - 20 * EDA_HZ:][~around[n - 20 * EDA_HZ:]]
    valid_s = min(minute.size / (WINDOW_S * EDA_HZ), 1) * 60
    means = seconds(eda, EDA_HZ, after)
    for at in bads:
        means[max(0, (at - 5 * EDA_HZ) // EDA_HZ):at // EDA_HZ + 1] = np.nan
    phasic, responses = np.full(n, np.nan), []
    starts = [0, *(at + 1 for at in bads)]
    for first, end in zip(starts, [*bads, n]):
        part = np.arange(first, end)[~after[first:end]]
        if part.size == 0:
            continue
        high = ss.butter(2, 0.05, btype="high", fs=EDA_HZ, output="sos")
        phasic[part], _ = ss.sosfilt(high, eda[part], zi=ss.sosfilt_zi(high) * eda[part[0]])
        forgotten = end - 5 * EDA_HZ if end < n else n
        responses += [(part[peak], *rest) for peak, *rest in rises(eda[part]) if part[peak] < forgotten]
    phasic = phasic[lately:][~around[lately:]]
    recent = [(amplitude, rise) for at, amplitude, rise in responses if at >= lately]
    enough = valid_s >= 30
    changes = np.diff(means[-31:])
    changes = changes[~np.isnan(changes)]
    return {
        "scl": np.median(minute) if 2 * minute.size >= WINDOW_S * EDA_HZ else None,
        "scl_20s": np.median(now) if 2 * now.size >= 20 * EDA_HZ else None,
        "eda_rising": (changes > 0.001).mean() if changes.size >= 15 else None,
        "scl_log_slope": slope(np.log(means[-60:] + 0.1), 30),
        "scl_slope": slope(means[-180:], 60),
        "scr_rate": len(recent) * 60 / valid_s if enough else None,
        "scr_amplitude": sum(amplitude for amplitude, _ in recent) * 60 / valid_s if enough else None,
        "scr_rise": np.mean([rise for _, rise in recent]) if recent else None,
        "phasic_deviation": phasic.std() if enough else None,
    }


def rises(eda):
    """Responses that have ended: the place of the peak, its height over the trough, and the time from there."""
    smooth = np.convolve(eda, np.ones(4) / 4, "valid")
    peaks, of = ss.find_peaks(smooth, prominence=0.01, plateau_size=1)
    found, before = [], 0
    for peak, left in zip(peaks, of["left_edges"]):
        trough = before + int(smooth[before:left + 1].argmin())
        amplitude, rise = smooth[left] - smooth[trough], (left - trough) / EDA_HZ
        before = peak
        if amplitude >= 0.05 and 0.5 <= rise <= 5:
            found.append((left + 3, amplitude, rise))
    return found


# Skin temperature.


def warmth(celsius):
    means = seconds(celsius, TEMP_HZ, (celsius < 10) | (celsius > 45))
    minute = means[-60:][~np.isnan(means[-60:])]
    return {"skin_temperature": minute.mean() if minute.size >= 30 else None,
            "temperature_slope_3min": slope(means[-180:], 90), "temperature_slope_5min": slope(means[-300:], 150)}


def seconds(values, hz, out):
    """The mean of each second, of what is not out."""
    kept = np.where(out, np.nan, values).reshape(-1, hz)
    there = ~np.isnan(kept)
    count = there.sum(axis=1)
    return np.where(count > 0, np.nansum(kept, axis=1) / np.maximum(count, 1), np.nan)


def slope(means, fewest):
    """Per minute, of a value a second."""
    there = np.flatnonzero(~np.isnan(means))
    return np.polyfit(there / 60, means[there], 1)[0] if there.size >= fewest else None


# Movement.


def motion(acc, start):
    whole = np.linalg.norm(acc, axis=1)
    norm = whole[-WINDOW_S * ACC_HZ:]
    steps = np.abs(np.diff(acc, axis=0)).sum(axis=1)[-WINDOW_S * ACC_HZ:]
    low = ss.butter(2, 0.25, fs=ACC_HZ, output="sos")
    gravity = ss.sosfilt(low, acc - acc[0], axis=0) + acc[0]
    ends = gravity[ACC_HZ - 1::ACC_HZ][-WINDOW_S - 1:]
    (x, y, z), first = ends[-1], ends[1]
    cosine = np.dot(first, ends[-1]) / np.sqrt(np.dot(first, first) * np.dot(ends[-1], ends[-1]))
    deviations = norm.reshape(-1, ACC_HZ).std(axis=1)
    return {
        "enmo": np.maximum(norm - 1, 0).mean(), "activity": norm.std(), "jerk": steps.mean() * ACC_HZ,
        "movement_burst": np.log(deviations + 0.003).std(),
        "posture_pitch": np.degrees(np.arctan2(x, np.hypot(y, z))), "posture_roll": np.degrees(np.arctan2(y, z)),
        "posture_change": np.degrees(np.arccos(np.clip(cosine, -1, 1))),
        "posture_wander": np.linalg.norm(np.diff(ends, axis=0), axis=1).mean(),
    } | rhythm(whole, start) | breath(acc)


def rhythm(norm, start):
    """Spectra of 8 s that end with whole multiples of 4 s, those of the last minute."""
    now = start + norm.size // ACC_HZ
    ends = [end for end in range(max(start + 8, now - WINDOW_S + 1), now + 1) if end % 4 == 0]
    if len(ends) < 7:
        return {}
    density = sum(ss.welch(norm[(end - start - 8) * ACC_HZ:(end - start) * ACC_HZ], fs=ACC_HZ, nperseg=256)[1]
                  for end in ends)
    band = density[7:37]
    top = int(band.argmax())
    return {"stereotypy_rate": (7 + top) * 0.125, "stereotypy_band": band.sum() / density.sum(),
            "stereotypy": band[max(0, top - 2):top + 3].sum() / density.sum(), "stereotypy_repeats": repeats(band)}


def repeats(band):
    """The highest autocorrelation of what lies in the band, at the lags of its periods."""
    lags = np.arange(7, 37) / ACC_HZ
    return float((np.cos(2 * np.pi * np.outer(lags, np.arange(7, 37) * 0.125)) @ band).max() / band.sum())


def breath(acc):
    slowed = acc.reshape(-1, 4, 3).mean(axis=1)[-256:]
    density = ss.welch(slowed, fs=8, nperseg=256, axis=0)[1].sum(axis=1)
    smooth = np.convolve(density, np.ones(3) / 3, "same") + 1e-8
    quick, slow = smooth[10:49], smooth[5:10]
    middle = np.median(quick)
    line = np.log(quick.max() / middle)
    return {"breath_ratio": line - np.log(slow.max() / middle),
            "breath_line": line * np.exp(-max(np.log(middle) + 8.6, 0))}


# The heart and movement.

PRIOR, NOISE = np.diag([400.0, 3600.0, 3600.0, 400.0]), 100.0
"""Variances of what is believed of a level and three effects, and of a hop's rate."""


def beyond_effort(signals, start, moment):
    """The rate that movement does not explain: least squares over all hops before, each of which counts for less by what
    2 h forget; what is forgotten gives way to what was believed at first."""
    ends = [end for end in range(start // HOP_S * HOP_S, moment + 1, HOP_S) if end >= start + WINDOW_S]
    *hops, (rate, terms) = [effort(signals, start, end) for end in ends]
    known = [hop for hop in hops if hop[0] is not None]
    if len(known) < 30 or rate is None:
        return None
    keep = np.exp(-HOP_S / 7200)
    prior = np.linalg.inv(PRIOR)
    level = np.array([known[0][0], 0, 0, 0])
    matrix, right, effects = prior.copy(), prior @ level, level
    for before, of in known:
        expected = effects @ of
        told = expected + np.clip(before - expected, -20, 20)
        matrix = keep * matrix + (1 - keep) * prior + np.outer(of, of) / NOISE
        right = keep * right + (1 - keep) * (prior @ level) + of * told / NOISE
        effects = np.linalg.solve(matrix, right)
    return rate - effects @ terms


def effort(signals, start, moment):
    """The heart's rate of a minute, and 1, the deviation of norm(a) over 30 s and over 120 s, and stereotypy."""
    since = moment - start
    norm = np.linalg.norm(signals["acceleration"][: since * ACC_HZ].reshape(-1, 3) / 1024, axis=1)
    rate = heart(signals["bvp"][: since * BVP_HZ].astype(np.int64)).get("heart_rate")
    moved = [norm[max(0, norm.size - length * ACC_HZ):].std() for length in (30, 120)]
    return rate, np.array([1, *moved, rhythm(norm, start).get("stereotypy", 0)])
