/** Keeps the screen on while the tablet watches; a browser drops the lock whenever the page is hidden. */
export class Wake {
  private lock: WakeLockSentinel | null = null;
  private wanted = false;

  /** `onChange`: whether the screen now stays on. */
  constructor(private readonly onChange: (held: boolean) => void) {
    document.addEventListener('visibilitychange', () => void this.acquire());
  }

  async hold(): Promise<void> {
    this.wanted = true;
    await this.acquire();
  }

  async release(): Promise<void> {
    this.wanted = false;
    await this.lock?.release().catch(() => undefined);
  }

  private async acquire(): Promise<void> {
    if (!this.wanted || this.lock !== null || document.visibilityState !== 'visible') return;
    // Only a secure page has wake locks: over plain HTTP the tablet's own setting must keep it awake.
    if (!('wakeLock' in navigator)) return this.onChange(false);
    try {
      this.lock = await navigator.wakeLock.request('screen');
    } catch {
      return this.onChange(false);
    }
    this.lock.addEventListener('release', () => {
      this.lock = null;
      this.onChange(false);
      void this.acquire();
    });
    this.onChange(true);
  }
}
