import type { Millis, Point } from '../api/types';

export interface Spark {
  /** One path per unbroken run: a gap in the data is a gap in the line. */
  lines: string[];
  areas: string[];
  last: { x: number; y: number } | null;
}

export interface Frame {
  width: number;
  height: number;
  from: Millis;
  until: Millis;
}

/** Room for the line's width and its end dot. */
const INSET = 5;

/** Two points further apart than this are not joined. */
const BREAK_MS = 30_000;

/** A trend of scores 0 to 1 as SVG paths. */
export function spark(trend: readonly Point[], frame: Frame): Spark {
  const runs = unbroken(trend.filter(([t]) => t >= frame.from && t <= frame.until + BREAK_MS));
  const placed = runs.map((run) => run.map(([t, v]) => place(t, v, frame)));
  const last = placed.at(-1)?.at(-1);
  return {
    lines: placed.map(line),
    areas: placed.map((run) => area(run, frame.height)),
    last: last ? { x: last[0], y: last[1] } : null,
  };
}

type Known = [Millis, number];

function unbroken(points: readonly Point[]): Known[][] {
  const runs: Known[][] = [];
  let run: Known[] = [];
  for (const [t, v] of points) {
    const previous = run.at(-1);
    const joined = v !== null && (previous === undefined || t - previous[0] <= BREAK_MS);
    if (!joined) {
      if (run.length > 0) runs.push(run);
      run = [];
    }
    if (v !== null) run.push([t, v]);
  }
  if (run.length > 0) runs.push(run);
  return runs;
}

function place(t: Millis, value: number, frame: Frame): [number, number] {
  const across = (t - frame.from) / (frame.until - frame.from);
  const up = Math.min(1, Math.max(0, value));
  return [
    round(INSET + Math.min(1, across) * (frame.width - 2 * INSET)),
    round(frame.height - INSET - up * (frame.height - 2 * INSET)),
  ];
}

function line(run: readonly [number, number][]): string {
  return run.map(([x, y], i) => `${i === 0 ? 'M' : 'L'}${x} ${y}`).join('');
}

function area(run: readonly [number, number][], floor: number): string {
  const first = run[0];
  const last = run.at(-1);
  return first && last ? `${line(run)}L${last[0]} ${floor}L${first[0]} ${floor}Z` : '';
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
