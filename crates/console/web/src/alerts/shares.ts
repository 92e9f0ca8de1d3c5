import type { Reason } from '../api/types';

/** Reasons by weight, each with its share of what speaks for the alert. */
export function shares(reasons: readonly Reason[]): { reason: Reason; share: number }[] {
  const total = reasons.reduce((sum, reason) => sum + Math.max(0, reason.contribution), 0);
  return [...reasons]
    .sort((a, b) => b.contribution - a.contribution)
    .map((reason) => ({ reason, share: total > 0 ? Math.max(0, reason.contribution) / total : 0 }));
}

/** How far the data behind an alert can be trusted, in words. */
export function qualityWords(quality: number | null): string {
  if (quality === null) return 'The quality of the data is not known.';
  const percent = `${Math.round(quality * 100)} %`;
  if (quality >= 0.9) return `Good data: ${percent} of the readings are usable.`;
  if (quality >= 0.7) return `Fair data: ${percent} of the readings are usable.`;
  return `Poor data: only ${percent} of the readings are usable. Look for yourself.`;
}
