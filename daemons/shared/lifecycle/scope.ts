import { describeUnknownError } from '@jobber/shared/errors';
import type { Logger } from '@jobber/shared/log';

/** What has been opened and must be released, in exact reverse order. */
export interface Scope {
  /** Registers a release. After `release` has begun, it is run at once. */
  defer(name: string, release: () => Promise<void> | void): void;
  /** Walks back over all releases, goes on after a failing one, and rejects with the first error. May be called twice. */
  release(): Promise<void>;
}

export function createScope(log: Logger): Scope {
  const releases: { name: string; release: () => Promise<void> | void }[] = [];
  let releasing: Promise<void> | undefined;

  async function walkBack(): Promise<void> {
    let firstError: unknown;
    for (let next = releases.pop(); next; next = releases.pop()) {
      const started = performance.now();
      try {
        await next.release();
        log.debug({ part: next.name, ms: Math.round(performance.now() - started) }, 'released');
      } catch (error) {
        log.error({ part: next.name, error: describeUnknownError(error) }, 'release failed');
        firstError ??= error;
      }
    }
    if (firstError !== undefined) throw firstError;
  }

  return {
    defer(name, release) {
      releases.push({ name, release });
      if (!releasing) return;
      const before = releasing;
      // Whatever became of the others; the first error stays the one that is told.
      releasing = before.then(walkBack, () => walkBack().finally(() => before));
      releasing.catch(() => {});
    },
    release() {
      releasing ??= walkBack();
      return releasing;
    },
  };
}
