/** The console's HTTP shapes. Times are milliseconds UTC by the server's clock. */

export type Millis = number;
export type Point = [Millis, number | null];

export type Level = 'no_reading' | 'learning' | 'settled' | 'rising' | 'high';
export type Role = 'carer' | 'support' | 'researcher' | 'manager' | 'administrator';
export type Outcome = 'calmed' | 'incident' | 'exercise' | 'excited' | 'device' | 'other';

export interface Card {
  person: string;
  name: string;
  device: string | null;
  level: Level;
  since: Millis;
  cause: string | null;
  causeText?: string | null;
  lastSampleAt: Millis | null;
  measuredAt: Millis | null;
  heartRate: number | null;
  eda: number | null;
  skinTemperature: number | null;
  activity: number | null;
  trend: Point[];
  completeness: number;
  battery: number | null;
  personal: boolean;
}

export interface Reason {
  text: string;
  feature: string;
  value: number;
  usual: number | null;
  unit: string;
  contribution: number;
}

export interface Alert {
  id: string;
  person: string;
  name: string;
  level: 'rising' | 'high';
  state: 'raised' | 'acknowledged' | 'resolved';
  raisedAt: Millis;
  endedAt: Millis | null;
  /** Until when it rings, unless somebody goes; none where it is silent, for instance because it came late. */
  ringsUntil: Millis | null;
  reasons: Reason[];
  quality: number | null;
  strategies: string[];
  acknowledgedBy: string | null;
  acknowledgedAt: Millis | null;
  resolvedBy: string | null;
  resolvedAt: Millis | null;
  outcome: Outcome | null;
  /** The server's order of what happened to alerts; also the event id. */
  sequence: number;
}

export interface Board {
  site: string;
  now: Millis;
  lastEvent: number;
  cards: Card[];
  alerts: Alert[];
}

export interface User {
  id: string;
  name: string;
  role: Role;
}

export interface Person {
  id: string;
  name: string;
  strategies: string[];
}

export interface Device {
  device: string;
  profile: string | null;
  connected: boolean;
  link: string | null;
  battery: number | null;
  rssi: number | null;
  gateway: string | null;
  person: string | null;
  lastSampleAt: Millis | null;
}

export interface Signals {
  heartRate: Point[];
  eda: Point[];
  skinTemperature: Point[];
  activity: Point[];
  score: Point[];
}
