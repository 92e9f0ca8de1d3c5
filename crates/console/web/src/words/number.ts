import type { Device } from '../api/types';

/** A percentage with its narrow space: `98 %`. */
export function percent(fraction: number): string {
  return `${Math.round(Math.min(1, Math.max(0, fraction)) * 100)} %`;
}

/** A number with as many decimals as a person can use; a dash when there is none. */
export function figure(value: number | null, decimals: number): string {
  return value === null || !Number.isFinite(value) ? '–' : value.toFixed(decimals);
}

/** A reason's own words, with the micro sign where a keyboard had none. */
export function plain(text: string): string {
  return text.replace(/(?<!\p{L})[u\u03bc](?=S(?!\p{L}))/gu, 'µ');
}

/** A band's short name: the last four of its address, as printed on it. */
export function bandName(device: string): string {
  return `Band ${device.slice(-4).toUpperCase()}`;
}

/** Signal strength in bars of 0 to 4, and in a word. */
export function signalBars(rssi: number | null): { bars: number; word: string } {
  if (rssi === null) return { bars: 0, word: 'no signal' };
  if (rssi >= -60) return { bars: 4, word: 'strong' };
  if (rssi >= -70) return { bars: 3, word: 'good' };
  if (rssi >= -80) return { bars: 2, word: 'fair' };
  return { bars: 1, word: 'weak' };
}

/** Free bands first, then the nearest: the one in somebody's hand is on top. */
export function byNearness(a: Device, b: Device): number {
  const worn = Number(a.person !== null) - Number(b.person !== null);
  return worn !== 0 ? worn : (b.rssi ?? -200) - (a.rssi ?? -200) || a.device.localeCompare(b.device);
}
