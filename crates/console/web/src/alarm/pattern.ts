/**
 * Bursts after the manner of IEC 60601-1-8 (no conformity is claimed): ten pulses for high priority, three
 * for medium. Technical faults have a rounder, falling pair, so that nobody takes one for the other.
 */

export interface Pulse {
  /** Seconds after the burst begins. */
  at: number;
  /** Seconds at full strength, rise and fall included. */
  length: number;
  hertz: number;
}

export interface Pattern {
  pulses: readonly Pulse[];
  /** Seconds from the beginning of one burst to the beginning of the next; null: once only. */
  every: number | null;
  /** Strength of each harmonic, the fundamental first. */
  harmonics: readonly number[];
  /** 0 to 1. */
  loudness: number;
}

/** Sharp enough to be placed in a room by ear. */
const bright = [1, 0.7, 0.55, 0.45, 0.3, 0.2];
const round = [1, 0.12, 0.05];

const UPPER = 784;
const LOWER = 587;

export const patterns = {
  high: {
    pulses: [...five(0), ...five(1.9)],
    every: 5.9,
    harmonics: bright,
    loudness: 0.9,
  },
  medium: {
    pulses: evenly([LOWER, LOWER, UPPER], 0.2, 0.2),
    every: 20,
    harmonics: bright,
    loudness: 0.55,
  },
  technical: {
    pulses: evenly([392, 262], 0.32, 0.1),
    every: 16,
    harmonics: round,
    loudness: 0.7,
  },
  chime: {
    pulses: evenly([523, 659, 784], 0.3, 0.02),
    every: null,
    harmonics: round,
    loudness: 0.5,
  },
} as const satisfies Record<string, Pattern>;

export type PatternName = keyof typeof patterns;

/** Three pulses, a breath, two pulses: the shape of "general, high priority". */
function five(start: number): Pulse[] {
  const [length, gap] = [0.15, 0.1];
  const step = length + gap;
  const breath = 2 * gap + length;
  const onsets = [0, step, 2 * step, 2 * step + length + breath, 3 * step + length + breath];
  const tones = [UPPER, LOWER, UPPER, UPPER, LOWER];
  return onsets.map((at, i) => ({ at: start + at, length, hertz: tones[i] ?? UPPER }));
}

function evenly(tones: readonly number[], length: number, gap: number): Pulse[] {
  return tones.map((hertz, i) => ({ at: i * (length + gap), length, hertz }));
}

/** Seconds until the last pulse has ended. */
export function duration(pattern: Pattern): number {
  return Math.max(...pattern.pulses.map((pulse) => pulse.at + pulse.length));
}
