// The interface of the package pulsar-client, as far as it is used, over queues in memory; tests can break it.
import type {
  NativeClient,
  NativeConsumer,
  NativeMessage,
  NativeProducer,
  PulsarClientPackage,
} from '../load-pulsar-client.ts';

interface Waiting {
  resolve(message: NativeMessage): void;
  reject(error: Error): void;
}

type Options = Readonly<Record<string, unknown>>;

export interface FakePulsar {
  /** Thrown by the next calls of createProducer and subscribe. */
  refusal: string | undefined;
  /** Sending fails so. */
  sendError: string | undefined;
  /** Of the client, its producers and its consumers, in the order in which they were made. */
  readonly options: Options[];
  readonly sent: Buffer[];
  readonly acknowledged: string[];
  readonly givenBack: string[];
  /** Calls of `receive` that were waiting at a time. */
  mostWaiting: number;
  /** A message comes from the broker. */
  arrive(text: string): void;
  /** What the import of the package would give. */
  readonly module: PulsarClientPackage;
}

/** One topic with one consumer. */
export function createFakePulsar(): FakePulsar {
  const queue: NativeMessage[] = [];
  const waiting: Waiting[] = [];

  function refuse(): void {
    if (fake.refusal) throw new Error(fake.refusal);
  }

  const producer: NativeProducer = {
    async send({ data }) {
      if (fake.sendError) throw new Error(fake.sendError);
      fake.sent.push(data);
    },
    isConnected: () => true,
    close: async () => {},
  };

  const consumer: NativeConsumer = {
    receive() {
      const message = queue.shift();
      if (message) return Promise.resolve(message);
      return new Promise((resolve, reject) => {
        waiting.push({ resolve, reject });
        fake.mostWaiting = Math.max(fake.mostWaiting, waiting.length);
      });
    },
    acknowledge: async (message) => void fake.acknowledged.push(message.getData().toString()),
    negativeAcknowledge: (message) => void fake.givenBack.push(message.getData().toString()),
    isConnected: () => true,
    async close() {
      for (const { reject } of waiting.splice(0))
        reject(new Error('Failed to receive message: AlreadyClosed'));
    },
  };

  class Client implements NativeClient {
    constructor(options: Options) {
      fake.options.push(options);
    }

    async createProducer(options: Options): Promise<NativeProducer> {
      fake.options.push(options);
      refuse();
      return producer;
    }

    async subscribe(options: Options): Promise<NativeConsumer> {
      fake.options.push(options);
      refuse();
      return consumer;
    }

    async close(): Promise<void> {}
  }

  class AuthenticationToken {
    readonly token: () => Promise<string>;

    constructor(options: { token: () => Promise<string> }) {
      this.token = options.token;
    }
  }

  const fake: FakePulsar = {
    refusal: undefined,
    sendError: undefined,
    options: [],
    sent: [],
    acknowledged: [],
    givenBack: [],
    mostWaiting: 0,
    module: { Client, AuthenticationToken },
    arrive(text) {
      const message: NativeMessage = { getData: () => Buffer.from(text) };
      const next = waiting.shift();
      if (next) next.resolve(message);
      else queue.push(message);
    },
  };
  return fake;
}
