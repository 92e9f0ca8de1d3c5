interface Cause {
  /** Follows "Can't see since 14:02 – ". */
  why: string;
  /** What somebody in the room can do about it. */
  remedy: string;
}

const causes: Record<string, Cause> = {
  out_of_range: {
    why: 'out of range',
    remedy: 'Check on them in person. The band is too far from a receiver.',
  },
  off_wrist: { why: 'band is off the wrist', remedy: 'Offer the band again, if they want it.' },
  frozen: { why: 'a sensor is stuck', remedy: 'Loosen and refasten the band so that it sits flat.' },
  silent: { why: 'band is silent', remedy: 'Take the band near a receiver. Charge it if it stays silent.' },
  band: { why: 'band fault', remedy: 'Charge the band, or give another one.' },
  connecting: { why: 'band is connecting', remedy: 'Wait a moment.' },
  no_slot: { why: 'receiver is full', remedy: 'Tell IT: this receiver has too many bands.' },
  adapter: { why: 'Bluetooth is off at the receiver', remedy: 'Tell IT: the receiver has lost Bluetooth.' },
  gateway: { why: 'receiver is off', remedy: 'Check that the receiver box has power.' },
  broker: { why: 'house network fault', remedy: 'Tell IT: the receiver cannot reach Tidewatch.' },
  store: { why: 'Tidewatch cannot save', remedy: 'Tell IT: the store is away.' },
  detector: { why: 'Tidewatch is not judging', remedy: 'Check on them in person, and tell IT.' },
  starting: { why: 'just started', remedy: 'Wait a moment.' },
  garbage: { why: 'band sends nonsense', remedy: 'Give another band, and tell IT.' },
  released: { why: 'no receiver looks after the band', remedy: 'Tell IT: the band belongs to no receiver.' },
  refused: { why: "didn't want the band", remedy: 'That is their choice. Nothing to do.' },
  no_band: { why: 'no band', remedy: 'Give a band under People & bands.' },
  poor_quality: { why: 'signal too poor', remedy: 'Check that the band sits flat and snug.' },
  stale: { why: 'readings stopped', remedy: 'Check on them in person.' },
  connection: { why: 'tablet has no connection', remedy: 'Check on them in person.' },
};

const aliases: Record<string, string> = {
  adapter_down: 'adapter',
  gateway_down: 'gateway',
  unassigned: 'no_band',
  low_quality: 'poor_quality',
  poor_signal: 'poor_quality',
  no_signal: 'silent',
  disconnected: 'out_of_range',
};

/** Words for a cause; one that this version does not know is shown as it came. */
export function causeWords(cause: string | null): Cause {
  const key = cause ?? 'stale';
  const known = causes[aliases[key] ?? key];
  return known ?? { why: key.replaceAll('_', ' '), remedy: 'Check on them in person.' };
}
