import { patterns, type Pattern, type PatternName } from './pattern';

const RISE_S = 0.015;
const FALL_S = 0.04;

/** Plays bursts through WebAudio. Until somebody touches the tablet a browser keeps it silent. */
export class Player {
  private context: AudioContext | null = null;
  /** One gain per burst: cutting it silences what is already scheduled. */
  private burst: GainNode | null = null;
  private playing: PatternName | null = null;
  private nextAt = 0;

  /** `onChange`: the browser took the sound away, or gave it back. */
  constructor(private readonly onChange: (ready: boolean) => void) {}

  get ready(): boolean {
    return this.context?.state === 'running';
  }

  /** To be called from a touch: only that unlocks sound. */
  async unlock(): Promise<boolean> {
    if (this.context === null) {
      this.context = new AudioContext({ latencyHint: 'interactive' });
      this.context.addEventListener('statechange', () => this.onChange(this.ready));
    }
    await this.context.resume().catch(() => undefined);
    this.onChange(this.ready);
    return this.ready;
  }

  /** Plays once, over whatever is silent now. */
  once(name: PatternName): void {
    if (this.context) this.schedule(this.context, patterns[name]);
  }

  /** Keeps a sound going; to be called several times a second with what should sound now. */
  keep(name: PatternName | null): void {
    if (name !== this.playing) {
      this.cut();
      this.playing = name;
      this.nextAt = 0;
    }
    if (name === null || this.context === null || !this.ready) return;
    if (this.context.currentTime < this.nextAt) return;
    const pattern: Pattern = patterns[name];
    this.schedule(this.context, pattern);
    this.nextAt = this.context.currentTime + (pattern.every ?? Infinity);
  }

  private cut(): void {
    if (this.burst === null || this.context === null) return;
    this.burst.gain.setTargetAtTime(0, this.context.currentTime, 0.01);
    this.burst = null;
  }

  private schedule(context: AudioContext, pattern: Pattern): void {
    const burst = context.createGain();
    burst.gain.value = pattern.loudness;
    burst.connect(context.destination);
    this.burst = burst;
    const imaginary = new Float32Array([0, ...pattern.harmonics]);
    const wave = context.createPeriodicWave(new Float32Array(imaginary.length), imaginary);
    const start = context.currentTime + 0.03;
    for (const pulse of pattern.pulses) {
      const envelope = context.createGain();
      shape(envelope.gain, start + pulse.at, pulse.length);
      envelope.connect(burst);
      const tone = context.createOscillator();
      tone.setPeriodicWave(wave);
      tone.frequency.value = pulse.hertz;
      tone.connect(envelope);
      tone.start(start + pulse.at);
      tone.stop(start + pulse.at + pulse.length);
    }
  }
}

/** Rises and falls smoothly: a hard edge clicks, and a click frightens. */
function shape(gain: AudioParam, at: number, length: number): void {
  gain.setValueAtTime(0, at);
  gain.linearRampToValueAtTime(1, at + RISE_S);
  gain.setValueAtTime(1, at + length - FALL_S);
  gain.linearRampToValueAtTime(0, at + length);
}
