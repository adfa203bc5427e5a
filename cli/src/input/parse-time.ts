import { usageFailure } from '../failure.ts';
import { cleanText } from '../render/clean-text.ts';

const UNITS: Record<string, number> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

export interface DurationRule {
  /** In milliseconds; by default 1. */
  readonly minimum?: number;
  /** In milliseconds, and as the message names it. */
  readonly maximum?: { readonly milliseconds: number; readonly text: string };
}

/**
 * `30` (seconds), `500ms`, `30s`, `5m`, `2h`, `1d`, `1w`, `1h30m`, in milliseconds.
 *
 * @param name what the message names, for example --delay
 */
export function parseDuration(name: string, text: string, rule: DurationRule = {}): number {
  const milliseconds = readDuration(text);
  const problem =
    milliseconds === undefined
      ? explainDuration(text)
      : milliseconds < (rule.minimum ?? 1)
        ? 'is too short'
        : milliseconds > (rule.maximum?.milliseconds ?? Number.MAX_SAFE_INTEGER)
          ? 'is too long'
          : undefined;
  if (milliseconds !== undefined && problem === undefined) return milliseconds;
  const limit = rule.maximum === undefined ? '' : `, at most ${rule.maximum.text}`;
  throw usageFailure(
    `${name} must be a time like 30s, 5m or 2h${limit}: "${shown(text)}" ${problem}`,
    'INVALID_TIME',
  );
}

/** A date, a date with time, or how long ago: 2026-03-01, 2026-03-01T14:00, 2h. As ISO time. */
export function parseMoment(name: string, text: string, now: number): string {
  const ago = /^\d+$/.test(text) ? undefined : readDuration(text);
  const moment = ago === undefined ? readDate(text) : new Date(now - ago);
  if (moment !== undefined && !Number.isNaN(moment.getTime())) return moment.toISOString();
  throw usageFailure(
    `${name} must be a date like 2026-03-01, a time like 2026-03-01T14:00, or how long ago like 2h: "${shown(text)}" is not`,
    'INVALID_TIME',
  );
}

/** A date, or a date with time, that may be in the future: 2026-03-01, 2026-03-01T14:00, 2026-03-01T14:00:00Z. */
export function parseDate(name: string, text: string): Date {
  const date = readDate(text);
  if (date !== undefined) return date;
  const years = /^[-+]?\d{5,}-/.test(text) ? 'has a year of more than four digits' : 'is not';
  const advice = readDuration(text) === undefined ? '' : ', but how long: that is given with --delay';
  throw usageFailure(
    `${name} must be a date like 2026-03-01 or a time like 2026-03-01T14:00 or 2026-03-01T14:00:00Z: "${shown(text)}" ${years}${advice}`,
    'INVALID_TIME',
  );
}

function readDuration(text: string): number | undefined {
  if (/^\d{1,12}$/.test(text)) return Number(text) * 1_000;
  if (!/^(\d{1,12}(ms|s|m|h|d|w))+$/.test(text)) return undefined;
  return [...text.matchAll(/(\d+)([a-z]+)/g)].reduce(
    (sum, [, amount, unit = '']) => sum + Number(amount) * (UNITS[unit] ?? 0),
    0,
  );
}

function explainDuration(text: string): string {
  if (text.trim() === '') return 'is empty';
  if (text.startsWith('-')) return 'is negative';
  const unit = /^\d+([a-z]+)$/i.exec(text)?.[1];
  if (unit !== undefined && UNITS[unit] === undefined) {
    return `has the unit ${unit.slice(0, 20)}, which is none of ${Object.keys(UNITS).join(', ')}`;
  }
  return /^\d+(\.\d+)?[a-z]*$/.test(text) ? 'is not made of whole numbers that fit' : 'is not';
}

/** A date alone is meant in the user's own time, as everything that is shown. */
function readDate(text: string): Date | undefined {
  const [, year, month, day] = /^(\d{4})-(\d{2})-(\d{2})(?=$|[T ])/.exec(text) ?? [];
  if (year === undefined) return undefined;
  // Date reads 2026-02-30 as the second of March.
  const inMonth = new Date(Date.UTC(Number(year), Number(month), 0)).getUTCDate();
  if (Number(day) > inMonth) return undefined;
  const date = new Date(text.length === 10 ? `${text}T00:00` : text);
  return Number.isNaN(date.getTime()) ? undefined : date;
}

function shown(text: string): string {
  return cleanText(text).slice(0, 60);
}
