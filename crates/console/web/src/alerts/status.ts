import type { Alert, Millis } from '../api/types';
import { hourMinuteSecond } from '../words/time';

export interface Going {
  /** "Sam is going, 14:02:07" */
  words: string;
  /** Said at this tablet, and not heard by the server yet. */
  unsent: boolean;
}

/** Who is going, by the server's word, or else by what was said here. */
export function going(alert: Alert, saidHere: Millis | undefined, me: string): Going | null {
  if (alert.acknowledgedBy !== null && alert.acknowledgedAt !== null) {
    return { words: goingWords(alert.acknowledgedBy, alert.acknowledgedAt), unsent: false };
  }
  return saidHere === undefined ? null : { words: goingWords(me, saidHere), unsent: true };
}

function goingWords(name: string, at: Millis): string {
  return `${name} is going, ${hourMinuteSecond(at)}`;
}
