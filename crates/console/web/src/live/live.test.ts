import { describe, expect, it } from 'vitest';
import type { Alert } from '../api/types';
import { alert, NOW } from '../testing';
import { isOpen, merge, openAlertOf, replace } from './merge';
import { LOST_AFTER_MS, Pulse, retryDelay } from './pulse';
import { placeOf } from './route.svelte';

const known = (...alerts: Alert[]): ReadonlyMap<string, Alert> => new Map(alerts.map((one) => [one.id, one]));

describe('alerts in server order', () => {
  const gone = alert({ state: 'acknowledged', acknowledgedBy: 'Sam', acknowledgedAt: NOW, sequence: 2 });

  it('take what is newer and ignore what is older', () => {
    expect(merge(known(alert()), gone).get('first')?.acknowledgedBy).toBe('Sam');
    expect(merge(known(gone), alert()).get('first')?.acknowledgedBy).toBe('Sam');
  });

  it('close what a full board no longer lists', () => {
    expect(replace(known(alert()), [], 1, NOW).size).toBe(0);
  });

  it('keep what is newer than the board, and what has just been resolved', () => {
    expect(replace(known(alert({ sequence: 9 })), [], 8, NOW).size).toBe(1);
    const resolved = alert({ state: 'resolved', resolvedAt: NOW - 1000 });
    expect(replace(known(resolved), [], 8, NOW).size).toBe(1);
    expect(replace(known(resolved), [], 8, NOW + 3_600_000).size).toBe(0);
  });

  it('leave a high one open when it has passed, but not a rising one', () => {
    expect(isOpen(alert({ endedAt: NOW }))).toBe(true);
    expect(isOpen(alert({ level: 'rising', endedAt: NOW }))).toBe(false);
    expect(isOpen(alert({ state: 'resolved' }))).toBe(false);
  });

  it('put the high one of a person before the rising one', () => {
    const rising = alert({ id: 'low', level: 'rising', raisedAt: 0 });
    expect(openAlertOf([rising, alert()], 'p-1')?.id).toBe('first');
    expect(openAlertOf([rising, alert()], 'p-2')).toBeNull();
  });
});

describe('the connection', () => {
  const at = (ms: number) => ({ monotonic: ms, wall: ms });

  it('is lost after eight seconds of silence, and back with a beat', () => {
    const pulse = new Pulse(at(0));
    expect(pulse.lost(at(LOST_AFTER_MS - 1))).toBe(false);
    expect(pulse.lost(at(LOST_AFTER_MS))).toBe(true);
    pulse.beat(at(LOST_AFTER_MS));
    expect(pulse.lost(at(LOST_AFTER_MS + 1))).toBe(false);
  });

  it('is lost after a sleep that only the wall clock saw, and when the wall clock was put back', () => {
    const pulse = new Pulse(at(100_000));
    expect(pulse.lost({ monotonic: 100_100, wall: 200_000 })).toBe(true);
    expect(pulse.lost({ monotonic: 110_000, wall: 50_000 })).toBe(true);
  });

  it('is tried again soon, then every five seconds', () => {
    expect([0, 1, 2, 3, 4, 50].map(retryDelay)).toEqual([500, 1000, 2000, 4000, 5000, 5000]);
  });
});

describe('places', () => {
  it.each([
    ['', 'board', ''],
    ['#/', 'board', ''],
    ['#/alert/0192f0c1', 'alert', '0192f0c1'],
    ['#/people', 'people', ''],
    ['#/nowhere/at/all', 'board', ''],
  ])('%s', (hash, page, id) => {
    expect(placeOf(hash)).toEqual({ page, id });
  });
});
