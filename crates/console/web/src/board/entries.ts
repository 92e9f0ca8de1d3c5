import type { Alert, Card } from '../api/types';
import { openAlertOf } from '../live/merge';
import { byUrgency, type Entry } from './order';
import { shown, type View } from './shown';

/** The board as it may be shown right now, who needs somebody first at the top. */
export function entries(cards: Iterable<Card>, alerts: ReadonlyMap<string, Alert>, view: View): Entry[] {
  return [...cards]
    .map((card) => ({
      card,
      shown: shown(card, view),
      alert: openAlertOf(alerts.values(), card.person),
    }))
    .sort(byUrgency);
}
