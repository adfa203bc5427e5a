import type { WatchRevocationsRequest, WatchRevocationsResponse } from '@jobber/proto/auth/v1/auth';
import { createOutbox } from '@jobber/shared/grpc';

/** Auth's side of `WatchRevocations`, for tests: it confirms every acknowledgement at once. */
export interface FakeRevocations {
  watchRevocations(
    requests: AsyncIterable<WatchRevocationsRequest>,
  ): AsyncGenerator<WatchRevocationsResponse, void, undefined>;
  /** Resolves when whoever watches has forgotten the session. */
  revoke(sessionId: string): Promise<void>;
  /** Ends the streams that there are. */
  endStreams(): void;
}

const CONFIRM_EVERY_MS = 100;

export function createFakeRevocations(): FakeRevocations {
  const streams = new Set<{ tell(sessionIds: string[]): Promise<void>; end(): void }>();

  async function* watchRevocations(requests: AsyncIterable<WatchRevocationsRequest>) {
    const outbox = createOutbox<WatchRevocationsResponse>();
    const waiting = new Map<number, () => void>();
    let sent = 0;
    let confirmed = 0;
    function send(sessionIds: string[]): void {
      sent += 1;
      outbox.send({ number: sent, confirmed, sessionIds });
    }
    function end(): void {
      streams.delete(stream);
      outbox.end();
      for (const done of waiting.values()) done();
    }
    const stream = {
      tell: (sessionIds: string[]) =>
        new Promise<void>((resolve) => {
          send(sessionIds);
          waiting.set(sent, resolve);
        }),
      end,
    };
    async function hear(): Promise<void> {
      for await (const { acknowledged } of requests) {
        confirmed = acknowledged;
        waiting.get(acknowledged)?.();
        waiting.delete(acknowledged);
      }
    }
    streams.add(stream);
    hear()
      .catch(() => {})
      .finally(end);
    const timer = setInterval(() => send([]), CONFIRM_EVERY_MS);
    try {
      send([]);
      yield* outbox;
    } finally {
      clearInterval(timer);
      end();
    }
  }

  return {
    watchRevocations,
    async revoke(sessionId) {
      await Promise.all([...streams].map((stream) => stream.tell([sessionId])));
    },
    endStreams() {
      for (const stream of [...streams]) stream.end();
    },
  };
}
