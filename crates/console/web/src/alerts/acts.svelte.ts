import { SvelteMap, SvelteSet } from 'svelte/reactivity';
import { api, Refused, Unreachable } from '../api/client';
import type { Alert, Millis, Outcome, User } from '../api/types';
import { clock } from '../live/clock.svelte';
import { live } from '../live/live.svelte';
import { notices } from '../live/notices.svelte';
import { hourMinuteSecond } from '../words/time';
import { ActQueue, type Act } from './queue';

/** What people at this tablet say about alerts: shown at once, sent now or as soon as somebody listens. */
class Acts {
  /** Alerts answered here and not yet heard by the server, with the time. */
  readonly going = new SvelteMap<string, Millis>();
  /** Alerts closed here and not yet heard by the server. */
  readonly closed = new SvelteSet<string>();
  /** How many acts wait for the connection. */
  waiting = $state(0);

  get answered(): ReadonlySet<string> {
    return new Set(this.going.keys());
  }

  private readonly queue = new ActQueue(localStorage);
  private sending = false;

  /** Shows again what was said before a reload and has not been heard yet. */
  recall(user: User): void {
    for (const act of this.queue.of(user.id, clock.read())) this.show(act);
    this.count(user);
  }

  forget(): void {
    this.going.clear();
    this.closed.clear();
    this.waiting = 0;
  }

  async acknowledge(alert: Alert, user: User): Promise<void> {
    await this.say({ alert: alert.id, user: user.id, at: clock.read(), kind: 'acknowledge' }, user);
  }

  async resolve(alert: Alert, user: User, outcome: Outcome, note: string): Promise<void> {
    const act: Act = { alert: alert.id, user: user.id, at: clock.read(), kind: 'resolve', outcome };
    await this.say(note === '' ? act : { ...act, note }, user);
  }

  /** Sends what waited, in the order in which it was said. */
  async reconcile(user: User): Promise<void> {
    if (this.sending) return;
    this.sending = true;
    try {
      for (const act of this.queue.of(user.id, clock.read())) {
        await this.send(act, true);
        this.queue.remove(act);
      }
    } catch {
      // Still away: what is left keeps its place and its time.
    } finally {
      this.sending = false;
      this.count(user);
    }
  }

  private async say(act: Act, user: User): Promise<void> {
    this.show(act);
    try {
      await this.send(act, false);
    } catch {
      this.queue.add(act);
      this.count(user);
      notices.say('Not sent yet. It goes out as soon as the connection is back.', 'fault');
    }
  }

  private show(act: Act): void {
    if (act.kind === 'acknowledge') this.going.set(act.alert, act.at);
    else this.closed.add(act.alert);
  }

  /** Throws `Unreachable` only; a refusal is said and done with. */
  private async send(act: Act, late: boolean): Promise<void> {
    try {
      if (act.kind === 'acknowledge') await this.sendGoing(act, late);
      else
        live.take(await api.resolve(act.alert, act.outcome ?? 'other', act.note, late ? act.at : undefined));
    } catch (error) {
      if (error instanceof Unreachable || !(error instanceof Refused)) throw error;
      // Signed out meanwhile: it stays in the queue for the same person.
      if (error.status === 401) throw new Unreachable('signed out');
      notices.say(`That was not taken: ${error.message}`, 'fault');
    }
    // From here on the server's word counts: an alert that rises again must ring here too.
    this.withdraw(act);
  }

  private async sendGoing(act: Act, late: boolean): Promise<void> {
    const { won, alert } = await api.acknowledge(act.alert, late ? act.at : undefined);
    live.take(alert);
    if (won || alert.acknowledgedBy === null || alert.acknowledgedAt === null) return;
    notices.say(`${alert.acknowledgedBy} was first, at ${hourMinuteSecond(alert.acknowledgedAt)}.`, 'news');
  }

  private withdraw(act: Act): void {
    if (act.kind === 'acknowledge') this.going.delete(act.alert);
    else this.closed.delete(act.alert);
  }

  private count(user: User): void {
    this.waiting = this.queue.of(user.id, clock.read()).length;
  }
}

export const acts = new Acts();
