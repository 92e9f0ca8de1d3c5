import { urgency, type Entry } from './order';

export interface Summary {
  headline: string;
  detail: string;
}

/** The board in one sentence. It never claims calm for people who cannot be seen. */
export function summary(entries: readonly Entry[], lost: boolean): Summary {
  if (entries.length === 0)
    return { headline: 'Nobody here yet', detail: 'Add people under People & bands.' };
  if (lost)
    return {
      headline: "Can't see anyone",
      detail: 'This tablet has no connection. Check on people in person.',
    };
  return { headline: headline(entries), detail: detail(entries) };
}

function headline(entries: readonly Entry[]): string {
  const needing = entries.filter((entry) => urgency(entry) === 0).length;
  if (needing > 0) return `${people(needing)} ${needing === 1 ? 'needs' : 'need'} somebody now`;
  const helped = entries.filter((entry) => urgency(entry) === 1).length;
  if (helped > 0) return `Somebody is with ${people(helped)}`;
  const rising = entries.filter((entry) => entry.shown.level === 'rising').length;
  if (rising > 0) return `${people(rising)} rising`;
  const unseen = entries.filter((entry) => entry.shown.level === 'no_reading').length;
  return unseen === entries.length ? "Can't see anyone" : 'No alerts';
}

function detail(entries: readonly Entry[]): string {
  const count = (level: string) => entries.filter((entry) => entry.shown.level === level).length;
  const parts: [number, (n: number) => string][] = [
    [count('high'), (n) => `${n} high`],
    [count('rising'), (n) => `${n} rising`],
    [count('settled'), (n) => `${n} settled`],
    [count('learning'), (n) => `${n} learning`],
    [count('no_reading'), (n) => `can't see ${n}`],
  ];
  return parts
    .filter(([n]) => n > 0)
    .map(([n, words]) => words(n))
    .join(' · ');
}

function people(n: number): string {
  return n === 1 ? '1 person' : `${n} people`;
}
