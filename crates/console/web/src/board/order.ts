import type { Alert, Card } from '../api/types';
import type { Shown } from './shown';

/** A person on the board: what the server said, what may be shown, and the open alert, if any. */
export interface Entry {
  card: Card;
  shown: Shown;
  alert: Alert | null;
}

const rank = { rising: 2, no_reading: 3, learning: 4, settled: 5 } as const;

/** 0: nobody is going yet. 1: high, and somebody is. Then rising, unseen, learning, settled. */
export function urgency(entry: Entry): number {
  const { alert, shown } = entry;
  if (alert?.level === 'high' && alert.state === 'raised') return 0;
  if (alert?.level === 'high' && alert.state === 'acknowledged') return 1;
  return shown.level === 'high' ? 1 : rank[shown.level];
}

/** Who needs somebody first. Names keep the rest still, so that a card does not move under a thumb. */
export function byUrgency(a: Entry, b: Entry): number {
  return (
    urgency(a) - urgency(b) ||
    (urgency(a) === 0 ? raisedAt(a) - raisedAt(b) : 0) ||
    a.card.name.localeCompare(b.card.name, 'en-GB') ||
    a.card.person.localeCompare(b.card.person)
  );
}

function raisedAt(entry: Entry): number {
  return entry.alert?.raisedAt ?? 0;
}
