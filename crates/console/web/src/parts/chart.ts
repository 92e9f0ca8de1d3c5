import type { Point } from '../api/types';

/** Two points further apart than this are not joined: a gap in the data is a gap in the line. */
const BREAK_S = 30;

/** Points as uPlot takes them: seconds and values, with a hole put into every gap. */
export function columns(points: readonly Point[]): [number[], (number | null)[]] {
  const times: number[] = [];
  const values: (number | null)[] = [];
  for (const [t, value] of points) {
    const seconds = t / 1000;
    const previous = times.at(-1);
    if (previous !== undefined && seconds - previous > BREAK_S) {
      times.push((previous + seconds) / 2);
      values.push(null);
    }
    times.push(seconds);
    values.push(value);
  }
  return [times, values];
}

/** The chart for those who cannot see it. */
export function spanOf(points: readonly Point[], decimals: number): string {
  const values = points.flatMap(([, value]) => (value === null ? [] : [value]));
  const last = values.at(-1);
  if (last === undefined) return 'no readings';
  const words = (value: number) => value.toFixed(decimals);
  return `from ${words(Math.min(...values))} to ${words(Math.max(...values))}, now ${words(last)}`;
}
