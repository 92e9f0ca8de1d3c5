import { describe, expect, it } from 'vitest';
import { duration, patterns, type Pattern } from './pattern';

const all: [string, Pattern][] = Object.entries(patterns);

describe('bursts', () => {
  it.each(all)('%s: pulses follow one another and end before the next burst', (_, pattern) => {
    pattern.pulses.forEach((pulse, i) => {
      const next = pattern.pulses[i + 1];
      if (next) expect(pulse.at + pulse.length).toBeLessThanOrEqual(next.at);
    });
    if (pattern.every !== null) expect(duration(pattern)).toBeLessThan(pattern.every);
  });

  it('has ten pulses of two tones for high priority, three for medium, two for a fault', () => {
    const count = (name: keyof typeof patterns) => patterns[name].pulses.length;
    expect([count('high'), count('medium'), count('technical')]).toEqual([10, 3, 2]);
    expect(new Set(patterns.high.pulses.map((pulse) => pulse.hertz)).size).toBe(2);
  });

  // Ranges of IEC 60601-1-8, table 3 and 4: frequency, pulse length, silence between bursts.
  it.each([
    ['high', 0.075, 0.2],
    ['medium', 0.125, 0.25],
  ] as const)('%s: within the ranges of the standard', (name, shortest, longest) => {
    const pattern: Pattern = patterns[name];
    for (const pulse of pattern.pulses) {
      expect(pulse.hertz).toBeGreaterThanOrEqual(150);
      expect(pulse.hertz).toBeLessThanOrEqual(1000);
      expect(pulse.length).toBeGreaterThanOrEqual(shortest);
      expect(pulse.length).toBeLessThanOrEqual(longest);
    }
    const silence = (pattern.every ?? 0) - duration(pattern);
    expect(silence).toBeGreaterThanOrEqual(2.5);
    expect(silence).toBeLessThanOrEqual(30);
  });
});
