/** Something that was started: how to end it in order, and how to end it at once. */
export interface Release {
  stop(): Promise<void> | void;
  kill(): Promise<void> | void;
}

/**
 * Ends what was started, in the opposite order.
 * `stop` waits for one after the other and may be called twice; `kill` may be called while it is at it. Both go on
 * after a failure and reject with the first one.
 */
export function releaseInOrder(started: readonly Release[]): {
  stop(): Promise<void>;
  kill(): Promise<void>;
} {
  const reversed = started.toReversed();
  let stopping: Promise<void> | undefined;
  return {
    stop() {
      stopping ??= inTurn(reversed, (release) => release.stop());
      return stopping;
    },
    kill: () => inTurn(reversed, (release) => release.kill()),
  };
}

async function inTurn(
  releases: readonly Release[],
  end: (release: Release) => Promise<void> | void,
): Promise<void> {
  const errors: unknown[] = [];
  for (const release of releases) {
    try {
      await end(release);
    } catch (error) {
      errors.push(error);
    }
  }
  if (errors.length > 0) throw errors[0];
}
