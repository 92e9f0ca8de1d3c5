/** Without a tick for this long the connection counts as lost; banner and sound follow within 10 s. */
export const LOST_AFTER_MS = 8000;

/** Two clocks: one that survives a changed wall clock, one that counts while the tablet sleeps. */
export interface Clocks {
  monotonic: number;
  wall: number;
}

/** Whether the server has been heard lately. */
export class Pulse {
  private heard: Clocks;

  constructor(at: Clocks) {
    this.heard = at;
  }

  beat(at: Clocks): void {
    this.heard = at;
  }

  lost(at: Clocks): boolean {
    return this.silence(at) >= LOST_AFTER_MS;
  }

  silence(at: Clocks): number {
    return Math.max(at.monotonic - this.heard.monotonic, at.wall - this.heard.wall);
  }
}

/** How long to wait before the next attempt: soon at first, never longer than 5 s. */
export function retryDelay(attempt: number): number {
  return Math.min(5000, 500 * 2 ** Math.min(attempt, 4));
}
