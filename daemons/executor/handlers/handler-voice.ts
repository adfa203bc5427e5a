import { boundProgress, type Progress } from '@jobber/shared/progress';

/** Where what a handler says goes to, bounded. */
export interface Listener {
  /** @param fields as JSON, because they may hold what cannot be sent between threads */
  log(message: string, fields: string | undefined): void;
  progress(progress: Progress): void;
}

/** What a handler may say while it runs. */
export interface HandlerVoice {
  log(message: unknown, fields?: unknown): void;
  progress(done: unknown, total?: unknown, note?: unknown): void;
  /** Nothing is heard after that, whoever still speaks. */
  end(): void;
}

/** Log lines of one task at most; the last of them says that there were more. */
export const MAX_LOG_LINES = 200;
const MAX_LOG_CHARS = 2_000;
/** Progress is passed on this often at most, in milliseconds; a task that is done sooner has none. */
export const PROGRESS_MS = 500;

/** Passes on log lines at once, and of its progress the last that was said. Nothing that a handler says makes it fail. */
export function createHandlerVoice(listener: Listener): HandlerVoice {
  let ended = false;
  let lines = 0;
  let said: [done: unknown, total: unknown, note: unknown] | undefined;
  let nextAt = performance.now() + PROGRESS_MS;
  let timer: NodeJS.Timeout | undefined;
  let complained = false;

  function log(message: unknown, fields?: unknown): void {
    if (ended) return;
    lines += 1;
    if (lines <= MAX_LOG_LINES) listener.log(asText(message).slice(0, MAX_LOG_CHARS), describeFields(fields));
  }

  function passOn(now: number): void {
    clearTimeout(timer);
    timer = undefined;
    if (!said) return;
    const progress = boundProgress(...said);
    said = undefined;
    nextAt = now + PROGRESS_MS;
    if (progress) listener.progress(progress);
    else if (!complained) {
      complained = true;
      log('progress was passed over: how much is done must be a number from 0 on');
    }
  }

  return {
    log,
    progress(done, total, note) {
      if (ended) return;
      said = [done, total, note];
      const now = performance.now();
      // A handler that computes lets no timer run: its next word is what passes it on.
      if (now >= nextAt) passOn(now);
      else timer ??= setTimeout(() => passOn(performance.now()), nextAt - now).unref();
    },
    end() {
      ended = true;
      clearTimeout(timer);
    },
  };
}

function asText(value: unknown): string {
  try {
    return String(value);
  } catch {
    return 'something that has no text';
  }
}

function describeFields(fields: unknown): string | undefined {
  if (fields === undefined) return undefined;
  try {
    return JSON.stringify(fields)?.slice(0, MAX_LOG_CHARS);
  } catch {
    return undefined;
  }
}
