/** The server's time, as this tablet knows it: ages and times are the same on every tablet. */
class Clock {
  /** Server time, renewed every half second. */
  now = $state(Date.now());
  private offset = 0;

  constructor() {
    setInterval(() => (this.now = this.read()), 500);
  }

  /** Server time this very moment. */
  read(): number {
    return Date.now() + this.offset;
  }

  /** Takes the server's time from a message that just arrived. */
  set(serverNow: number): void {
    this.offset = serverNow - Date.now();
    this.now = serverNow;
  }
}

export const clock = new Clock();
