import type { Attempt } from './attempt.ts';

/** Measures a handler, and ends its attempt when its time is over. */
export class AttemptClock {
  readonly #attempt: Attempt;
  #startedAt: number | undefined = undefined;
  #timer: NodeJS.Timeout | undefined = undefined;

  constructor(attempt: Attempt) {
    this.#attempt = attempt;
  }

  start(): void {
    const attempt = this.#attempt;
    this.#startedAt = performance.now();
    this.#timer = setTimeout(() => attempt.abort('timeout'), Math.min(attempt.task.timeoutMs, 2 ** 31 - 1));
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  /** Whole milliseconds since the start; 0 before. */
  elapsedMs(): number {
    return this.#startedAt === undefined ? 0 : Math.round(performance.now() - this.#startedAt);
  }
}
