import type { Alert, Millis } from '../api/types';

/** What the tablet should be sounding right now. */
export type Sound = 'high' | 'medium' | 'technical' | 'none';

export interface Pause {
  until: Millis;
  /** What was sounding when it was paused; anything new breaks through. */
  covers: readonly string[];
}

export interface Situation {
  now: Millis;
  alerts: readonly Alert[];
  /** Alerts that somebody at this tablet has answered, sent or not. */
  answered: ReadonlySet<string>;
  /** Alerts whose outcome was given at this tablet, sent or not. */
  closed: ReadonlySet<string>;
  pause: Pause | null;
  lost: boolean;
}

export const PAUSE_MS = 60_000;

/** Answered but without an outcome for this long: it sounds again, one step lower. */
export const OUTCOME_WITHIN_MS = 180_000;

/** What was answered a shift ago and never closed stays on the screen, but no longer sounds. */
export const REMINDS_FOR_MS = 12 * 3_600_000;

const TECHNICAL = 'technical';

export function decide(situation: Situation): Sound {
  const covered = new Set(paused(situation.pause, situation.now) ? situation.pause?.covers : []);
  const sounds = situation.alerts
    .filter((alert) => !covered.has(key(alert)))
    .map((alert) => soundOf(alert, situation));
  if (sounds.includes('high')) return 'high';
  if (sounds.includes('medium')) return 'medium';
  return situation.lost && !covered.has(TECHNICAL) ? 'technical' : 'none';
}

/** Silence for what sounds now, for a while. */
export function pauseFor(situation: Situation): Pause {
  const covers = situation.alerts.map(key);
  return {
    until: situation.now + PAUSE_MS,
    covers: situation.lost ? [...covers, TECHNICAL] : covers,
  };
}

export function paused(pause: Pause | null, now: Millis): boolean {
  return pause !== null && now < pause.until;
}

/** Whether this alert waits for somebody to say that they go. */
export function waiting(alert: Alert, answered: ReadonlySet<string>): boolean {
  return alert.level === 'high' && alert.state === 'raised' && !answered.has(alert.id);
}

function soundOf(alert: Alert, situation: Situation): Sound {
  const { now, answered, closed } = situation;
  if (alert.level !== 'high' || alert.state === 'resolved' || closed.has(alert.id)) return 'none';
  if (waiting(alert, answered)) return alert.ringsUntil !== null && now < alert.ringsUntil ? 'high' : 'none';
  return overdue(alert, now) && now - alert.raisedAt < REMINDS_FOR_MS ? 'medium' : 'none';
}

/** Whether somebody went, and has not said what happened for too long. */
export function overdue(alert: Alert, now: Millis): boolean {
  return (
    alert.state === 'acknowledged' &&
    alert.acknowledgedAt !== null &&
    now - alert.acknowledgedAt > OUTCOME_WITHIN_MS
  );
}

/** A pause covers one alert in one state at one level: a rise or a reminder is news. */
function key(alert: Alert): string {
  return `${alert.id} ${alert.level} ${alert.state}`;
}
