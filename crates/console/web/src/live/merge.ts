import type { Alert, Millis } from '../api/types';

/** Resolved alerts stay this long, so that whoever looks at one sees how it ended. */
const RESOLVED_KEPT_MS = 15 * 60_000;

/** Takes an alert in server order: what is older than what is known changes nothing. */
export function merge(known: ReadonlyMap<string, Alert>, alert: Alert): ReadonlyMap<string, Alert> {
  const present = known.get(alert.id);
  if (present && present.sequence > alert.sequence) return known;
  return new Map(known).set(alert.id, alert);
}

/** Takes a full board: an alert that it does not list is closed, unless it is newer than the board. */
export function replace(
  known: ReadonlyMap<string, Alert>,
  open: readonly Alert[],
  lastEvent: number,
  now: Millis,
): ReadonlyMap<string, Alert> {
  const listed = new Set(open.map((alert) => alert.id));
  const kept = [...known.values()].filter(
    (alert) => listed.has(alert.id) || alert.sequence > lastEvent || recentlyResolved(alert, now),
  );
  const start: ReadonlyMap<string, Alert> = new Map(kept.map((alert) => [alert.id, alert]));
  return open.reduce(merge, start);
}

function recentlyResolved(alert: Alert, now: Millis): boolean {
  return alert.state === 'resolved' && now - (alert.resolvedAt ?? 0) < RESOLVED_KEPT_MS;
}

/** The open alert that matters most for a person: high before rising, then the earliest. */
export function openAlertOf(alerts: Iterable<Alert>, person: string): Alert | null {
  const open = [...alerts].filter((alert) => alert.person === person && isOpen(alert));
  return open.sort((a, b) => weight(b) - weight(a) || a.raisedAt - b.raisedAt)[0] ?? null;
}

/** A high alert stays open until somebody says what happened; a rising one passes by itself. */
export function isOpen(alert: Alert): boolean {
  return alert.state !== 'resolved' && (alert.level === 'high' || alert.endedAt === null);
}

function weight(alert: Alert): number {
  return alert.level === 'high' ? 1 : 0;
}
