import type { Card, Level, Millis } from '../api/types';

/** What may be shown of a card right now: never calm on stale data, whatever was last heard. */
export interface Shown {
  level: Level;
  since: Millis;
  cause: string | null;
}

/** A little more than the server's 10 s, so that the server's own cause is the one that is read. */
export const STALE_AFTER_MS = 12_000;

export interface View {
  now: Millis;
  /** When the connection was last known to live, if it is lost now. */
  lostSince: Millis | null;
}

export function shown(card: Card, view: View): Shown {
  if (card.level === 'no_reading') return { level: 'no_reading', since: card.since, cause: card.cause };
  if (view.lostSince !== null) return blind(view.lostSince, 'connection');
  if (card.lastSampleAt === null || view.now - card.lastSampleAt > STALE_AFTER_MS) {
    return blind(card.lastSampleAt ?? card.since, 'stale');
  }
  return { level: card.level, since: card.since, cause: null };
}

function blind(since: Millis, cause: string): Shown {
  return { level: 'no_reading', since, cause };
}
