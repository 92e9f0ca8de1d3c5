import type { Alert, Device, Outcome, Person, Role, Signals, User } from './types';

/** The server answered, and said no. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    message: string,
    /** The field that the server names, if any. */
    readonly what: string | null,
  ) {
    super(message);
  }
}

/** Nobody answered: the network, the server, or something between is away. */
export class Unreachable extends Error {}

const TIMEOUT_MS = 6000;

async function call<T>(method: string, path: string, body?: unknown): Promise<T> {
  const response = await send(method, path, body);
  if (response.ok) return (await parsed(response)) as T;
  // A gateway that stands before a dead server is as good as silence.
  if (response.status >= 502 && response.status <= 504) throw new Unreachable('the server is away');
  const said = (await parsed(response)) as { error?: string; what?: string } | null;
  throw new Refused(
    response.status,
    said?.error ?? `the server refused (${response.status})`,
    said?.what ?? null,
  );
}

async function send(method: string, path: string, body: unknown): Promise<Response> {
  const headers: Record<string, string> = { Accept: 'application/json' };
  if (method !== 'GET') headers['X-Tidewatch'] = '1';
  if (body !== undefined) headers['Content-Type'] = 'application/json';
  const request: RequestInit = { method, headers, cache: 'no-store', credentials: 'same-origin' };
  if (body !== undefined) request.body = JSON.stringify(body);
  try {
    return await fetch(path, { ...request, signal: AbortSignal.timeout(TIMEOUT_MS) });
  } catch {
    throw new Unreachable('no answer');
  }
}

async function parsed(response: Response): Promise<unknown> {
  const text = await response.text().catch(() => '');
  try {
    return text === '' ? null : JSON.parse(text);
  } catch {
    return null;
  }
}

const part = encodeURIComponent;

export const api = {
  setupNeeded: () => call<{ needed: boolean }>('GET', '/api/setup'),
  setUp: (name: string, password: string) => call<unknown>('POST', '/api/setup', { name, password }),

  session: () => call<User>('GET', '/api/session'),
  signIn: (name: string, password: string) => call<unknown>('POST', '/api/session', { name, password }),
  signOut: () => call<unknown>('DELETE', '/api/session'),

  /** `at`: when it was said, for an act that waited for the connection. */
  acknowledge: (id: string, at?: number) =>
    call<{ won: boolean; alert: Alert }>('POST', `/api/alerts/${part(id)}/acknowledge`, at ? { at } : {}),
  resolve: (id: string, outcome: Outcome, note?: string, at?: number) =>
    call<Alert>('POST', `/api/alerts/${part(id)}/resolve`, {
      outcome,
      ...(note ? { note } : {}),
      ...(at ? { at } : {}),
    }),

  people: () => call<Person[]>('GET', '/api/people'),
  createPerson: (name: string, strategies: string[]) =>
    call<Person>('POST', '/api/people', { name, strategies }),
  updatePerson: (id: string, name: string, strategies: string[]) =>
    call<Person>('PUT', `/api/people/${part(id)}`, { name, strategies }),
  signals: (person: string, minutes: number) =>
    call<Signals>('GET', `/api/people/${part(person)}/signals?minutes=${minutes}`),

  devices: () => call<Device[]>('GET', '/api/devices'),
  assign: (device: string, person: string) => call<unknown>('POST', '/api/assignments', { device, person }),
  unassign: (device: string) => call<unknown>('DELETE', `/api/assignments/${part(device)}`),

  users: () => call<User[]>('GET', '/api/users'),
  createUser: (name: string, password: string, role: Role) =>
    call<User>('POST', '/api/users', { name, password, role }),
};
