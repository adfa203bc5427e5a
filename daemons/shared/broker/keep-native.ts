import type { Logger } from '@jobber/shared/log';

/** A producer or consumer of the official client that is made again when it can't be made, until it is closed. */
export interface KeptNative<T> {
  /** Undefined while there is none. */
  current(): T | undefined;
  /** Resolves when it was made for the first time, or closed. */
  readonly begun: Promise<void>;
  problem(): string | undefined;
  /** It is of no use any more: another one is made. */
  discard(part: T, why: unknown): void;
  close(): Promise<void>;
}

interface NativePart {
  isConnected(): boolean;
  close(): Promise<unknown>;
}

const MIN_PAUSE_MS = 200;
const MAX_PAUSE_MS = 10_000;
const CLOSES_WITHIN_MS = 2_000;

/** Once made, the client itself connects it again after a loss. */
export function keepNative<T extends NativePart>(options: {
  topic: string;
  make: () => Promise<T>;
  onMade?: (part: T) => void;
  /** What the client has logged of a failure: its errors often say no more than TimeOut. */
  complaint?: () => string | undefined;
  log: Logger;
}): KeptNative<T> {
  const { topic, make, onMade, complaint, log } = options;
  let part: T | undefined;
  let problem: string | undefined = 'the broker is not connected yet';
  let closed = false;
  let failures = 0;
  let retry: NodeJS.Timeout | undefined;
  let making: Promise<void> = Promise.resolve();
  const begun = Promise.withResolvers<void>();

  async function tryToMake(): Promise<void> {
    try {
      const made = await make();
      if (closed) return void (await closeSoon(made));
      part = made;
      if (failures > 0) log.info({ topic }, 'the broker is connected again');
      failures = 0;
      problem = undefined;
      begun.resolve();
      onMade?.(made);
    } catch (error) {
      if (!closed) again(error);
    }
  }

  function again(error: unknown): void {
    const why = explainNativeError(error, complaint?.());
    if (why !== problem) log.warn({ topic, problem: why }, 'the broker is not connected; trying again');
    problem = why;
    const pause = Math.min(MAX_PAUSE_MS, MIN_PAUSE_MS * 2 ** Math.min(failures, 16));
    failures += 1;
    retry = setTimeout(
      () => {
        making = tryToMake();
      },
      pause * (0.5 + Math.random() / 2),
    );
  }

  making = tryToMake();
  return {
    current: () => part,
    begun: begun.promise,
    problem: () => problem ?? (part?.isConnected() ? undefined : 'the connection to the broker is lost'),
    discard(discarded, why) {
      if (part !== discarded || closed) return;
      part = undefined;
      void closeSoon(discarded);
      again(why);
    },
    async close() {
      if (closed) return;
      closed = true;
      problem = 'it is closed';
      begun.resolve();
      clearTimeout(retry);
      const last = part;
      part = undefined;
      if (last) await closeSoon(last);
      else await withinLimit(making);
    },
  };
}

/** The client's errors carry no code: their text begins with a name. */
export function explainNativeError(error: unknown, complaint?: string): string {
  const said = (error instanceof Error ? error.message : String(error)).slice(0, 300);
  const text = complaint === undefined ? said : `${said}, ${complaint}`;
  if (/ConsumerBusy/i.test(text)) {
    return (
      `another program holds the subscription with another type than Shared (${text}): ` +
      'stop that program, or choose another PULSAR_TOPIC_PREFIX'
    );
  }
  if (/Handshake failed/i.test(text)) {
    return (
      `no TLS connection to the broker comes about (${text}): ` +
      'check PULSAR_TLS_CA_FILE, and the host and the port in PULSAR_SERVICE_URL'
    );
  }
  if (/Authentication/i.test(text)) {
    return `the broker refuses the token (${text}): check PULSAR_TOKEN or PULSAR_TOKEN_FILE`;
  }
  if (/Authorization/i.test(text)) {
    return `the token does not allow to produce to or consume from the topic (${text}): grant its role both on the namespace`;
  }
  if (/Schema/i.test(text)) {
    return `the topic has a schema of somebody else's (${text}): remove the schema, or choose another PULSAR_TOPIC_PREFIX`;
  }
  // A broker that refuses the token ends the connection, and the client only tries again until its time is over.
  if (/TimeOut|Disconnected/i.test(text)) {
    return `the broker does not answer, or refuses the token (${text}): check PULSAR_SERVICE_URL and PULSAR_TOKEN or PULSAR_TOKEN_FILE`;
  }
  return `the broker can't be reached: ${text}`;
}

async function closeSoon(part: NativePart): Promise<void> {
  await withinLimit(Promise.resolve(part.close()).catch(() => {}));
}

async function withinLimit(work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, CLOSES_WITHIN_MS);
  });
  await Promise.race([work, limit]);
  clearTimeout(timer);
}
