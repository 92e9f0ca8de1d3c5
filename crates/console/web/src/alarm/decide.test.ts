import { describe, expect, it } from 'vitest';
import { alert, NOW } from '../testing';
import { decide, OUTCOME_WITHIN_MS, PAUSE_MS, pauseFor, REMINDS_FOR_MS, type Situation } from './decide';

function situation(change: Partial<Situation> = {}): Situation {
  return {
    now: NOW,
    alerts: [],
    answered: new Set(),
    closed: new Set(),
    pause: null,
    lost: false,
    ...change,
  };
}

describe('what a tablet sounds', () => {
  it('is nothing while nothing is the matter', () => {
    expect(decide(situation())).toBe('none');
  });

  it('rings for a high alert until somebody goes', () => {
    const raised = alert();
    expect(decide(situation({ alerts: [raised] }))).toBe('high');
    expect(decide(situation({ alerts: [raised], answered: new Set([raised.id]) }))).toBe('none');
    expect(decide(situation({ alerts: [{ ...raised, state: 'acknowledged', acknowledgedAt: NOW }] }))).toBe(
      'none',
    );
  });

  it('stays silent for a rising one', () => {
    expect(decide(situation({ alerts: [alert({ level: 'rising', ringsUntil: null })] }))).toBe('none');
  });

  it('never rings for an alert that came late or has rung for as long as the house says', () => {
    expect(decide(situation({ alerts: [alert({ ringsUntil: null })] }))).toBe('none');
    expect(decide(situation({ alerts: [alert({ ringsUntil: NOW })] }))).toBe('none');
    expect(decide(situation({ alerts: [alert({ ringsUntil: NOW + 1 })] }))).toBe('high');
  });

  it('still rings when the alarm has passed and nobody has been', () => {
    expect(decide(situation({ alerts: [alert({ endedAt: NOW - 1000 })] }))).toBe('high');
  });

  it('reminds, one step lower, when nobody says what happened', () => {
    const went = alert({ state: 'acknowledged', ringsUntil: null, acknowledgedAt: NOW - OUTCOME_WITHIN_MS });
    expect(decide(situation({ alerts: [went] }))).toBe('none');
    expect(decide(situation({ alerts: [went], now: NOW + 1 }))).toBe('medium');
    expect(decide(situation({ alerts: [went], now: NOW + 1, closed: new Set([went.id]) }))).toBe('none');
    expect(decide(situation({ alerts: [went], now: went.raisedAt + REMINDS_FOR_MS }))).toBe('none');
  });

  it('sounds a technical fault, which an alert drowns', () => {
    expect(decide(situation({ lost: true }))).toBe('technical');
    expect(decide(situation({ lost: true, alerts: [alert()] }))).toBe('high');
  });
});

describe('a pause', () => {
  const first = alert();

  it('silences what sounds, and runs out', () => {
    const pause = pauseFor(situation({ alerts: [first], lost: true }));
    expect(decide(situation({ alerts: [first], lost: true, pause }))).toBe('none');
    expect(decide(situation({ alerts: [first], lost: true, pause, now: NOW + PAUSE_MS - 1 }))).toBe('none');
    expect(decide(situation({ alerts: [first], pause, now: NOW + PAUSE_MS }))).toBe('high');
  });

  it('is broken by another alert, by a rise and by a lost connection', () => {
    const pause = pauseFor(situation({ alerts: [first] }));
    expect(decide(situation({ alerts: [first, alert({ id: 'second' })], pause }))).toBe('high');
    expect(decide(situation({ alerts: [first], pause, lost: true }))).toBe('technical');

    const low = alert({ level: 'rising', ringsUntil: null });
    const early = pauseFor(situation({ alerts: [low] }));
    expect(decide(situation({ alerts: [alert()], pause: early }))).toBe('high');
  });
});
