import { waiting } from '../alarm/decide';
import type { Alert } from '../api/types';
import { isOpen } from '../live/merge';
import type { Place } from '../live/route.svelte';

interface Said {
  answered: ReadonlySet<string>;
  closed: ReadonlySet<string>;
}

/** The high alerts that want a panel here: those that nobody answered first, then the earliest. */
export function openHigh(alerts: ReadonlyMap<string, Alert>, said: Said, place: Place): Alert[] {
  const first = (alert: Alert) => Number(waiting(alert, said.answered));
  return (
    [...alerts.values()]
      .filter((alert) => alert.level === 'high' && isOpen(alert) && !said.closed.has(alert.id))
      // The page of an alert is itself the panel of that alert.
      .filter((alert) => !(place.page === 'alert' && place.id === alert.id))
      .sort((a, b) => first(b) - first(a) || a.raisedAt - b.raisedAt)
  );
}
