import type { Alert } from '../api/types';
import { isOpen } from '../live/merge';
import type { Place } from '../live/route.svelte';

interface Said {
  closed: ReadonlySet<string>;
}

/**
 * The high alerts that want a panel here, in the order in which they were raised. An answer moves none of
 * them: a button must not slip from under a thumb that is on its way to another.
 */
export function openHigh(alerts: ReadonlyMap<string, Alert>, said: Said, place: Place): Alert[] {
  return (
    [...alerts.values()]
      .filter((alert) => alert.level === 'high' && isOpen(alert) && !said.closed.has(alert.id))
      // The page of an alert is itself the panel of that alert.
      .filter((alert) => !(place.page === 'alert' && place.id === alert.id))
      .sort((a, b) => a.raisedAt - b.raisedAt || a.id.localeCompare(b.id))
  );
}
