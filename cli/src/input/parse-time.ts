import { usageFailure } from '../failure.ts';
import { cleanText } from '../render/clean-text.ts';

const UNITS: Record<string, number> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `30` (seconds), `500ms`, `30s`, `5m`, `2h`, `1d`, in milliseconds. */
export function parseDuration(name: string, text: string): number {
  const match = /^(\d{1,9})(ms|s|m|h|d)?$/.exec(text);
  const milliseconds = Number(match?.[1]) * (UNITS[match?.[2] ?? 's'] ?? 0);
  if (match && milliseconds > 0) return milliseconds;
  throw usageFailure(
    `${name} must be a time like 30s, 5m or 2h: "${cleanText(text).slice(0, 60)}" is not`,
    'INVALID_TIME',
  );
}

/** A date, a date with time, or how long ago: 2026-03-01, 2026-03-01T14:00, 2h. As ISO time. */
export function parseMoment(name: string, text: string, now: number): string {
  const ago = /^(\d{1,9})(s|m|h|d)$/.exec(text);
  // A date alone is meant in the user's own time, as everything that is shown.
  const local = /^\d{4}-\d{2}-\d{2}$/.test(text) ? `${text}T00:00` : text;
  const moment = ago ? now - Number(ago[1]) * (UNITS[ago[2] ?? ''] ?? 0) : Date.parse(local);
  if ((ago || /^\d{4}-\d{2}-\d{2}/.test(text)) && !Number.isNaN(new Date(moment).getTime())) {
    return new Date(moment).toISOString();
  }
  throw usageFailure(
    `${name} must be a date like 2026-03-01, a time like 2026-03-01T14:00, or how long ago like 2h: "${cleanText(text).slice(0, 60)}" is not`,
    'INVALID_TIME',
  );
}
