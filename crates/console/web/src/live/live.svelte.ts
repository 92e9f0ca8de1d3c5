import { SvelteMap } from 'svelte/reactivity';
import type { Alert, Board, Card, Millis } from '../api/types';
import { clock } from './clock.svelte';
import { merge, replace } from './merge';
import { LOST_AFTER_MS, Pulse, retryDelay, type Clocks } from './pulse';

/** The state of the house as the server tells it, event by event. */
class Live {
  readonly cards = new SvelteMap<string, Card>();
  alerts = $state.raw<ReadonlyMap<string, Alert>>(new Map());
  site = $state('');
  /** A full board has been heard at least once. */
  ready = $state(false);
  /** Server time when the connection was last alive, if it is lost now. */
  lostSince = $state<Millis | null>(null);

  private source: EventSource | null = null;
  private pulse = new Pulse(clocks());
  private lastEvent: number | null = null;
  private lastAlive: Millis = clock.read();
  private attempt = 0;
  private openedAt = 0;
  private greeted = false;
  private retry: ReturnType<typeof setTimeout> | undefined;
  private watchdog: ReturnType<typeof setInterval> | undefined;
  private onReturn: () => void = () => undefined;
  private onSilence: () => void = () => undefined;

  /** `onReturn`: the server speaks again; `onSilence`: an attempt failed, so the session may have ended. */
  start(onReturn: () => void, onSilence: () => void): void {
    this.stop();
    this.onReturn = onReturn;
    this.onSilence = onSilence;
    this.pulse = new Pulse(clocks());
    this.lastAlive = clock.read();
    this.watchdog = setInterval(() => this.look(), 500);
    addEventListener('online', this.reopen);
    this.open();
  }

  /** Forgets everything: the next person at this tablet starts from nothing. */
  stop(): void {
    clearInterval(this.watchdog);
    clearTimeout(this.retry);
    removeEventListener('online', this.reopen);
    this.close();
    this.cards.clear();
    this.alerts = new Map();
    this.ready = false;
    this.lostSince = null;
    this.lastEvent = null;
  }

  /** Takes an alert from an answer to a request; the event that says the same changes nothing. */
  take(alert: Alert): void {
    this.alerts = merge(this.alerts, alert);
  }

  /** Asks for a full board again, for instance after people or bands have changed. */
  refresh(): void {
    this.lastEvent = null;
    this.reopen();
  }

  private open(): void {
    const resume = this.lastEvent === null ? '' : `?since=${this.lastEvent}`;
    const source = new EventSource(`/api/events${resume}`);
    this.source = source;
    this.openedAt = performance.now();
    this.greeted = false;
    source.addEventListener('tick', (event) =>
      this.heard(event, (said: { now: Millis }) => clock.set(said.now)),
    );
    source.addEventListener('board', (event) => this.heard(event, (board: Board) => this.setBoard(board)));
    source.addEventListener('card', (event) =>
      this.heard(event, (card: Card) => this.cards.set(card.person, card)),
    );
    source.addEventListener('alert', (event) => this.heard(event, (alert: Alert) => this.setAlert(alert)));
    source.onerror = () => this.failed(source);
  }

  private heard<T>(event: MessageEvent<string>, take: (value: T) => void): void {
    this.pulse.beat(clocks());
    this.attempt = 0;
    take(JSON.parse(event.data) as T);
    this.lastAlive = clock.read();
    this.lostSince = null;
    if (!this.greeted) this.onReturn();
    this.greeted = true;
  }

  private setBoard(board: Board): void {
    clock.set(board.now);
    this.site = board.site;
    this.lastEvent = Math.max(this.lastEvent ?? 0, board.lastEvent);
    this.alerts = replace(this.alerts, board.alerts, board.lastEvent, board.now);
    const present = new Set(board.cards.map((card) => card.person));
    for (const person of this.cards.keys()) if (!present.has(person)) this.cards.delete(person);
    for (const card of board.cards) this.cards.set(card.person, card);
    this.ready = true;
  }

  private setAlert(alert: Alert): void {
    this.lastEvent = Math.max(this.lastEvent ?? 0, alert.sequence);
    this.take(alert);
  }

  private failed(source: EventSource): void {
    if (source !== this.source) return;
    this.close();
    this.retry = setTimeout(() => this.open(), retryDelay(this.attempt++));
    this.onSilence();
  }

  /** Silence without an error happens too: an access point that dies closes nothing. */
  private look(): void {
    if (!this.pulse.lost(clocks())) return;
    this.lostSince ??= this.lastAlive;
    if (performance.now() - this.openedAt > LOST_AFTER_MS) this.reopen();
  }

  private readonly reopen = (): void => {
    clearTimeout(this.retry);
    this.close();
    this.open();
  };

  private close(): void {
    this.source?.close();
    this.source = null;
  }
}

function clocks(): Clocks {
  return { monotonic: performance.now(), wall: Date.now() };
}

export const live = new Live();
