import { acts } from '../alerts/acts.svelte';
import { clock } from '../live/clock.svelte';
import { live } from '../live/live.svelte';
import { session } from '../live/session.svelte';
import { decide, pauseFor, paused, type Pause, type Situation, type Sound } from './decide';
import { Player } from './player';
import { Wake } from './wake';

/** The tablet on watch: what it sounds, whether it can, and whether its screen stays on. */
class Watch {
  /** The sound is unlocked: an alert would be heard. */
  audible = $state(false);
  /** Somebody has begun a shift at this tablet. */
  begun = $state(false);
  awake = $state(false);
  /** What should sound now, whether or not it can. */
  sound = $state<Sound>('none');
  private pause = $state.raw<Pause | null>(null);

  private readonly player = new Player((ready) => (this.audible = ready));
  private readonly wake = new Wake((held) => (this.awake = held));

  constructor() {
    setInterval(() => this.sounding(), 200);
  }

  /** The start of a shift: a chime that must be heard, and a screen that stays on. */
  async begin(): Promise<boolean> {
    await this.wake.hold();
    if (!(await this.player.unlock())) return false;
    this.begun = true;
    this.player.once('chime');
    return true;
  }

  async end(): Promise<void> {
    this.begun = false;
    this.pause = null;
    await this.wake.release();
  }

  pauseSound(): void {
    this.pause = pauseFor(this.situation());
  }

  resumeSound(): void {
    this.pause = null;
  }

  /** Milliseconds of pause that are left. */
  get pauseLeft(): number {
    return paused(this.pause, clock.now) ? (this.pause?.until ?? 0) - clock.now : 0;
  }

  private sounding(): void {
    this.sound = decide(this.situation());
    this.player.keep(this.sound === 'none' ? null : this.sound);
    const root = document.documentElement;
    root.dataset.sound = this.sound;
    root.dataset.sounding = String(this.audible && this.sound !== 'none');
    root.dataset.soundUnlocked = String(this.audible);
  }

  private situation(): Situation {
    return {
      now: clock.read(),
      alerts: [...live.alerts.values()],
      answered: acts.answered,
      closed: acts.closed,
      pause: this.pause,
      // A tablet whose session ended during a watch sees as little as one without a connection.
      lost: live.lostSince !== null || (session.ended && this.begun),
    };
  }
}

export const watch = new Watch();
