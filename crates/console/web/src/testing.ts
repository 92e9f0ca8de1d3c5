import type { Alert, Card } from './api/types';

/** Examples for tests. */
export const NOW = Date.UTC(2026, 10, 24, 14, 2, 7);

export function alert(change: Partial<Alert> = {}): Alert {
  return {
    id: 'first',
    person: 'p-1',
    name: 'Mia',
    level: 'high',
    state: 'raised',
    raisedAt: NOW - 5000,
    endedAt: null,
    ringsUntil: NOW + 3_600_000,
    reasons: [],
    quality: 0.9,
    strategies: [],
    acknowledgedBy: null,
    acknowledgedAt: null,
    resolvedBy: null,
    resolvedAt: null,
    outcome: null,
    sequence: 1,
    ...change,
  };
}

export function card(change: Partial<Card> = {}): Card {
  return {
    person: 'p-1',
    name: 'Mia',
    device: 'c0ffee000001',
    level: 'settled',
    since: NOW - 600_000,
    cause: null,
    lastSampleAt: NOW - 1000,
    measuredAt: NOW - 1000,
    heartRate: 72,
    eda: 2.1,
    skinTemperature: 33.2,
    activity: 0.02,
    trend: [],
    completeness: 1,
    battery: 80,
    personal: true,
    ...change,
  };
}
