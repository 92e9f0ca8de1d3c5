import type { Level, Outcome, Role } from '../api/types';

/** A level as a carer says it. */
export const levelWord: Record<Level, string> = {
  high: 'High',
  rising: 'Rising',
  no_reading: "Can't see",
  learning: 'Learning',
  settled: 'Settled',
};

export const outcomeWord: Record<Outcome, string> = {
  calmed: 'Calmed',
  incident: 'Incident',
  exercise: 'Exercise',
  excited: 'Excited',
  device: 'Band fault',
  other: 'Something else',
};

export const outcomeMeaning: Record<Outcome, string> = {
  calmed: 'Upset, and help worked',
  incident: 'It came to an incident',
  exercise: 'Moving about, not upset',
  excited: 'Happy or excited',
  device: 'The band was wrong',
  other: 'None of these',
};

export const outcomes = Object.keys(outcomeWord) as Outcome[];

export const roleWord: Record<Role, string> = {
  carer: 'Carer',
  support: 'Support worker',
  researcher: 'Researcher',
  manager: 'Manager',
  administrator: 'Administrator',
};

export const roleMeaning: Record<Role, string> = {
  carer: 'Watches the board and answers alerts',
  support: 'Also pairs wristbands with people',
  researcher: 'Sees readings without names',
  manager: 'Sees who answered, and what came of it',
  administrator: 'Also makes accounts',
};

export const roles = Object.keys(roleWord) as Role[];

/** Whether this role gives bands to people and edits support plans. */
export function mayPair(role: Role): boolean {
  return role === 'support' || role === 'manager' || role === 'administrator';
}
