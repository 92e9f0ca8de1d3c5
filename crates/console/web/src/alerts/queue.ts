import type { Millis, Outcome } from '../api/types';

/** Something that somebody said while nobody answered. It holds no name and no reading. */
export interface Act {
  alert: string;
  /** Who said it: it is never sent in another person's name. */
  user: string;
  /** When it was said, by the server's clock as this tablet knew it. */
  at: Millis;
  kind: 'acknowledge' | 'resolve';
  outcome?: Outcome;
  note?: string;
}

const KEY = 'tidewatch.acts';

/** Longer than any shift: what is older tells nobody anything. */
const KEPT_MS = 24 * 3_600_000;

export type Shelf = Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>;

/** The acts that wait for the connection, oldest first; they survive a reload. */
export class ActQueue {
  constructor(private readonly shelf: Shelf) {}

  /** Adds an act; saying the same thing twice keeps the first, with its time. */
  add(act: Act): void {
    const acts = this.all();
    if (!acts.some((known) => same(known, act))) this.save([...acts, act]);
  }

  all(): Act[] {
    try {
      const stored: unknown = JSON.parse(this.shelf.getItem(KEY) ?? '[]');
      return Array.isArray(stored) ? stored.filter(isAct) : [];
    } catch {
      return [];
    }
  }

  /** What this person said and nobody has heard yet. */
  of(user: string, now: Millis): Act[] {
    const fresh = this.all().filter((act) => now - act.at < KEPT_MS);
    if (fresh.length !== this.all().length) this.save(fresh);
    return fresh.filter((act) => act.user === user);
  }

  remove(act: Act): void {
    this.save(this.all().filter((known) => !same(known, act)));
  }

  private save(acts: readonly Act[]): void {
    if (acts.length === 0) this.shelf.removeItem(KEY);
    else this.shelf.setItem(KEY, JSON.stringify(acts));
  }
}

function same(a: Act, b: Act): boolean {
  return a.alert === b.alert && a.user === b.user && a.kind === b.kind;
}

function isAct(value: unknown): value is Act {
  const act = value as Partial<Act> | null;
  return (
    typeof act === 'object' &&
    typeof act?.alert === 'string' &&
    typeof act.user === 'string' &&
    typeof act.at === 'number' &&
    (act.kind === 'acknowledge' || act.kind === 'resolve')
  );
}
