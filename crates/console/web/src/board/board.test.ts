import { describe, expect, it } from 'vitest';
import type { Alert, Card, Point } from '../api/types';
import { alert, card, NOW } from '../testing';
import { entries } from './entries';
import { shown, STALE_AFTER_MS } from './shown';
import { spark } from './spark';
import { summary } from './summary';

const view = { now: NOW, lostSince: null };

function board(cards: Card[], alerts: Alert[] = []) {
  return entries(cards, new Map(alerts.map((one) => [one.id, one])), view);
}

describe('what may be shown', () => {
  it('is the level as long as the data are fresh', () => {
    const fresh = card({ lastSampleAt: NOW - STALE_AFTER_MS });
    expect(shown(fresh, view)).toEqual({ level: 'settled', since: fresh.since, cause: null });
  });

  it('is never calm on stale data, whatever the server said last', () => {
    const stale = card({ lastSampleAt: NOW - STALE_AFTER_MS - 1 });
    expect(shown(stale, view)).toEqual({ level: 'no_reading', since: stale.lastSampleAt, cause: 'stale' });
    expect(shown(card({ lastSampleAt: null }), view).level).toBe('no_reading');
  });

  it('is nothing while the connection is lost', () => {
    const lost = { now: NOW, lostSince: NOW - 8000 };
    for (const level of ['settled', 'learning', 'rising', 'high'] as const) {
      expect(shown(card({ level }), lost)).toEqual({
        level: 'no_reading',
        since: NOW - 8000,
        cause: 'connection',
      });
    }
  });

  it('keeps the cause of what could not be seen before', () => {
    const away = card({ level: 'no_reading', cause: 'out_of_range', since: 5 });
    expect(shown(away, { now: NOW, lostSince: NOW - 1 })).toEqual({
      level: 'no_reading',
      since: 5,
      cause: 'out_of_range',
    });
  });
});

describe('who comes first', () => {
  const people = [
    card({ person: 'settled', name: 'A' }),
    card({ person: 'learning', name: 'B', level: 'learning' }),
    card({ person: 'unseen', name: 'C', level: 'no_reading', cause: 'off_wrist' }),
    card({ person: 'rising', name: 'D', level: 'rising' }),
    card({ person: 'helped', name: 'E', level: 'high' }),
    card({ person: 'alone', name: 'F', level: 'high' }),
  ];
  const alerts = [
    alert({ id: '1', person: 'alone' }),
    alert({ id: '2', person: 'helped', state: 'acknowledged', acknowledgedAt: NOW }),
  ];

  it('is who needs somebody and has nobody yet; the unseen stand before the calm', () => {
    const order = board(people, alerts).map((entry) => entry.card.person);
    expect(order).toEqual(['alone', 'helped', 'rising', 'unseen', 'learning', 'settled']);
  });

  it('is who waits longest among those who need somebody', () => {
    const two = [card({ person: 'x', name: 'A' }), card({ person: 'y', name: 'B' })];
    const waiting = [
      alert({ id: '1', person: 'x', raisedAt: NOW - 10 }),
      alert({ id: '2', person: 'y', raisedAt: NOW - 99 }),
    ];
    expect(board(two, waiting).map((entry) => entry.card.person)).toEqual(['y', 'x']);
  });

  it('is who needs somebody even when they cannot be seen any more', () => {
    const away = card({ person: 'away', name: 'Z', level: 'no_reading', cause: 'out_of_range' });
    const order = board([...people, away], [alert({ person: 'away' })]).map((entry) => entry.card.person);
    expect(order[0]).toBe('away');
  });

  it('does not depend on the order in which cards come', () => {
    const order = (cards: Card[]) => board(cards, alerts).map((entry) => entry.card.person);
    expect(order([...people].reverse())).toEqual(order(people));
  });
});

describe('the board in one sentence', () => {
  const unseen = card({ person: 'u', level: 'no_reading', cause: 'no_band' });

  it.each([
    ['nobody yet', [], [], 'Nobody here yet'],
    ['calm', [card()], [], 'No alerts'],
    ['only unseen', [unseen], [], "Can't see anyone"],
    ['rising', [card({ level: 'rising' })], [], '1 person rising'],
    ['high', [card({ level: 'high' })], [alert()], '1 person needs somebody now'],
    ['helped', [card({ level: 'high' })], [alert({ state: 'acknowledged' })], 'Somebody is with 1 person'],
  ])('%s', (_, cards, alerts, headline) => {
    expect(summary(board(cards, alerts), false).headline).toBe(headline);
  });

  it('counts the unseen beside the settled', () => {
    expect(summary(board([card(), unseen]), false).detail).toBe("1 settled · can't see 1");
  });

  it('claims nothing without a connection', () => {
    expect(summary(board([card()]), true).headline).toBe("Can't see anyone");
  });
});

describe('a trend', () => {
  const frame = { width: 100, height: 50, from: NOW - 600_000, until: NOW };
  const flat = (from: number, until: number): Point[] =>
    Array.from({ length: (until - from) / 10_000 + 1 }, (_, i) => [NOW + from + i * 10_000, 0.5]);

  it('is one line across the frame', () => {
    const drawn = spark(flat(-600_000, 0), frame);
    expect(drawn.lines).toHaveLength(1);
    expect(drawn.lines[0]).toMatch(/^M5 25L/);
    expect(drawn.last).toEqual({ x: 95, y: 25 });
  });

  it('breaks at a silence and at a missing score', () => {
    expect(spark([...flat(-600_000, -400_000), ...flat(-300_000, 0)], frame).lines).toHaveLength(2);
    const holed: Point[] = flat(-600_000, 0).map(([t, v], i) => [t, i === 20 ? null : v]);
    expect(spark(holed, frame).lines).toHaveLength(2);
  });

  it('keeps within the frame, and is nothing without data', () => {
    const wild = spark([[NOW, 7]], frame);
    expect(wild.last).toEqual({ x: 95, y: 5 });
    expect(spark([], frame)).toEqual({ lines: [], areas: [], last: null });
    expect(spark([[NOW, null]], frame).last).toBeNull();
  });
});
