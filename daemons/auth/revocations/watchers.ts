import { AppError, refuse } from '@jobber/shared/errors';
import { createOutbox, type Outbox } from '@jobber/shared/grpc';
import type { Logger } from '@jobber/shared/log';

/** A message to a watcher; see `WatchRevocationsResponse` for its fields. */
export interface RevocationMessage {
  readonly number: number;
  readonly confirmed: number;
  readonly sessionIds: string[];
}

/** The daemons that keep identities and are connected to this replica of Auth. */
export interface Watchers {
  /** The messages for one more watcher, until it is gone, cut off, or `endAll`. */
  watch(
    acknowledgements: AsyncIterable<number>,
    gone: AbortSignal,
  ): AsyncGenerator<RevocationMessage, void, undefined>;
  /** Tells all watchers; resolves when none keeps these sessions any more, after `MAX_WAIT_MS` at the latest. */
  revoke(sessionIds: readonly string[]): Promise<void>;
  /**
   * Takes note of what has been acknowledged by now. The function that it returns confirms that, and so lets the watchers
   * keep identities for a while longer: call it when nothing was revoked in between that they have not been told.
   */
  prepareConfirmation(): () => void;
  endAll(reason: string): void;
  readonly count: number;
}

/**
 * A watcher may keep identities until 900 ms after the confirmed acknowledgement was sent, by its clock. That is before
 * this many milliseconds have passed since the confirmation was sent, by ours: nobody keeps any for longer than this.
 */
export const MAX_WAIT_MS = 1_000;
/** Every replica of Jobs and Products is one. */
const MAX_WATCHERS = 1_000;

interface Watcher {
  readonly outbox: Outbox<RevocationMessage>;
  sent: number;
  acknowledged: number;
  acknowledgedAt: number;
  confirmed: number;
  /** Until then it may keep identities, if it does not hear from us. */
  keepsUntil: number;
  readonly onAcknowledged: Set<() => void>;
}

export function createWatchers({ log }: { log: Logger }): Watchers {
  const watchers = new Set<Watcher>();
  /** Of those that are gone. Their daemons may not have noticed yet. */
  let othersKeepUntil = 0;

  function send(watcher: Watcher, sessionIds: readonly string[] = []): void {
    watcher.sent += 1;
    const { outbox, sent, confirmed } = watcher;
    outbox.send({ number: sent, confirmed, sessionIds: [...sessionIds] });
  }

  function remove(watcher: Watcher): void {
    if (!watchers.delete(watcher)) return;
    othersKeepUntil = Math.max(othersKeepUntil, watcher.keepsUntil);
    watcher.outbox.end();
    for (const tell of watcher.onAcknowledged) tell();
  }

  function cutOff(watcher: Watcher): void {
    remove(watcher);
    log.warn(
      { limitMs: MAX_WAIT_MS },
      'a daemon does not acknowledge revocations in time; its stream is cut',
    );
  }

  async function hear(watcher: Watcher, acknowledgements: AsyncIterable<number>): Promise<void> {
    for await (const number of acknowledgements) {
      if (number > watcher.sent) {
        refuse('INVALID_INPUT', `At most message ${watcher.sent} can be acknowledged; got ${number}`);
      }
      watcher.acknowledged = Math.max(watcher.acknowledged, number);
      watcher.acknowledgedAt = performance.now();
      for (const tell of watcher.onAcknowledged) tell();
    }
  }

  async function* watch(acknowledgements: AsyncIterable<number>, gone: AbortSignal) {
    if (watchers.size >= MAX_WATCHERS) {
      throw new AppError('UNAVAILABLE', `At most ${MAX_WATCHERS} daemons can watch revocations`);
    }
    const watcher: Watcher = {
      outbox: createOutbox(),
      sent: 0,
      acknowledged: 0,
      acknowledgedAt: performance.now(),
      confirmed: 0,
      keepsUntil: 0,
      onAcknowledged: new Set(),
    };
    const leave = () => remove(watcher);
    let failure: unknown;
    watchers.add(watcher);
    gone.addEventListener('abort', leave);
    hear(watcher, acknowledgements)
      .catch((error: unknown) => {
        failure = error;
      })
      .finally(leave);
    try {
      send(watcher);
      yield* watcher.outbox;
      if (failure && !gone.aborted) throw failure;
    } finally {
      gone.removeEventListener('abort', leave);
      leave();
    }
  }

  /** Resolves when the watcher has acknowledged what has been sent to it, or is gone. */
  async function untilAcknowledged(watcher: Watcher): Promise<void> {
    const awaited = watcher.sent;
    await new Promise<void>((resolve) => {
      const look = () => {
        if (watcher.acknowledged < awaited && watchers.has(watcher)) return;
        clearTimeout(timer);
        watcher.onAcknowledged.delete(look);
        resolve();
      };
      const timer = setTimeout(() => cutOff(watcher), MAX_WAIT_MS);
      watcher.onAcknowledged.add(look);
    });
  }

  return {
    watch,
    async revoke(sessionIds) {
      const told = [...watchers];
      const latest = performance.now() + MAX_WAIT_MS;
      for (const watcher of told) send(watcher, sessionIds);
      await Promise.all(told.map(untilAcknowledged));
      const keepFor = Math.min(othersKeepUntil, latest) - performance.now();
      if (keepFor > 0) await new Promise((resolve) => setTimeout(resolve, keepFor));
    },
    prepareConfirmation() {
      const acknowledged = new Map([...watchers].map((watcher) => [watcher, watcher.acknowledged]));
      return () => {
        const now = performance.now();
        for (const [watcher, number] of acknowledged) {
          if (!watchers.has(watcher)) continue;
          if (now - watcher.acknowledgedAt > MAX_WAIT_MS) {
            cutOff(watcher);
            continue;
          }
          if (number > watcher.confirmed) watcher.keepsUntil = now + MAX_WAIT_MS;
          watcher.confirmed = number;
          send(watcher);
        }
      };
    },
    endAll(reason) {
      if (watchers.size > 0) log.info({ watchers: watchers.size, reason }, 'streams of revocations end');
      for (const watcher of [...watchers]) remove(watcher);
    },
    get count() {
      return watchers.size;
    },
  };
}
