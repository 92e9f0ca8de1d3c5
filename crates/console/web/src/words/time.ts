import type { Millis } from '../api/types';

const clock = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', hour12: false });
const clockSeconds = new Intl.DateTimeFormat('en-GB', {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  hour12: false,
});

/** `14:02` in the tablet's time zone. */
export function hourMinute(at: Millis): string {
  return clock.format(at);
}

/** `14:02:07` in the tablet's time zone. */
export function hourMinuteSecond(at: Millis): string {
  return clockSeconds.format(at);
}

/** A span in the largest unit that still says something: `7 s`, `4 min`, `2 h`, `3 days`. */
export function span(ms: Millis): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${hours} h`;
  return `${Math.floor(hours / 24)} days`;
}

/** How long ago, at least a second: no reading arrives the moment it is taken. */
export function ago(at: Millis, now: Millis): string {
  return `${span(Math.max(1000, now - at))} ago`;
}
