/** Someone wants this process to end. */
export interface Interruptions {
  /** Aborted by the first request, with what it was as its reason: stop in order. */
  readonly first: AbortSignal;
  /** Aborted by a second one: stop at once. */
  readonly second: AbortSignal;
  /** Counts as a request. */
  interrupt(cause: string): void;
  /** The work is done. From now on a signal ends the process, with the exit code that is set. */
  dispose(): void;
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
/** One Ctrl-C can arrive twice, from the terminal and from npm: what follows that soon is the same request. */
const SAME_REQUEST_MS = 500;
const LOOK_FOR_PARENT_EVERY_MS = 250;

/**
 * Listens for signals. When npm started this process, the end of the shell between them counts as well: npm passes a
 * SIGTERM on to that shell only, which ends without a word to us.
 */
export function watchInterruptions(environment: NodeJS.ProcessEnv): Interruptions {
  const first = new AbortController();
  const second = new AbortController();
  let firstAt = 0;
  let done = false;

  function interrupt(cause: string): void {
    // The handlers stay: without them a late key press would make a killed process of one that ends in order.
    if (done) process.exit();
    const now = performance.now();
    if (!first.signal.aborted) {
      firstAt = now;
      first.abort(cause);
    } else if (now - firstAt > SAME_REQUEST_MS) second.abort(cause);
  }

  for (const signal of SIGNALS) process.on(signal, interrupt);
  const parent = process.ppid;
  const timer =
    environment['npm_execpath'] === undefined && environment['npm_lifecycle_event'] === undefined
      ? undefined
      : setInterval(() => {
          if (process.ppid === parent) return;
          clearInterval(timer);
          interrupt('the end of npm');
        }, LOOK_FOR_PARENT_EVERY_MS).unref();

  return {
    first: first.signal,
    second: second.signal,
    interrupt,
    dispose() {
      done = true;
      clearInterval(timer);
    },
  };
}
