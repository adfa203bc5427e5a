/** How far a handler says it is: `done` of `total`, in whatever unit it counts. */
export interface Progress {
  /** 0 to 2^53 - 1, perhaps with a fraction; never more than `total` where that is known. */
  readonly done: number;
  /** 0: not known. */
  readonly total: number;
  /** One line, or empty. */
  readonly note: string;
}

/** In characters (UTF-16 units); the rest is cut off. */
export const MAX_NOTE_LENGTH = 200;

/**
 * Progress within its limits, whatever was said: what is too large is clamped, a total that is none is not known, a note
 * that is no text is none.
 * @returns undefined when `done` is no number from 0 on: that says nothing
 */
export function boundProgress(done: unknown, total: unknown, note: unknown): Progress | undefined {
  if (!isNumber(done) || done < 0) return undefined;
  const most = isNumber(total) && total > 0 ? Math.min(total, Number.MAX_SAFE_INTEGER) : 0;
  return {
    done: Math.min(done, most || Number.MAX_SAFE_INTEGER),
    total: most,
    note: typeof note === 'string' ? boundNote(note) : '',
  };
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number' && !Number.isNaN(value);
}

/** One well-formed line: control characters and separators of lines are blanks. */
function boundNote(note: string): string {
  return note
    .slice(0, MAX_NOTE_LENGTH)
    .toWellFormed()
    .replaceAll(/[\p{Cc}\u2028\u2029]+/gu, ' ')
    .trim();
}
