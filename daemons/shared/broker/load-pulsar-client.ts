import { ConfigError } from '@jobber/shared/config';

// The parts of the package `pulsar-client` that are used. Its own types can't be imported: it need not be installed.

export interface NativeClient {
  createProducer(options: Readonly<Record<string, unknown>>): Promise<NativeProducer>;
  subscribe(options: Readonly<Record<string, unknown>>): Promise<NativeConsumer>;
  close(): Promise<unknown>;
}

export interface NativeProducer {
  /** `data` must be a Buffer: a string is sent as an empty message. */
  send(message: { data: Buffer }): Promise<unknown>;
  isConnected(): boolean;
  close(): Promise<unknown>;
}

export interface NativeMessage {
  getData(): Buffer;
}

export interface NativeConsumer {
  /** Without a time limit: with one it would block a thread. `close` rejects those that are waiting. */
  receive(): Promise<NativeMessage>;
  acknowledge(message: NativeMessage): Promise<unknown>;
  negativeAcknowledge(message: NativeMessage): void;
  isConnected(): boolean;
  close(): Promise<unknown>;
}

export interface PulsarClientPackage {
  readonly Client: new (options: Readonly<Record<string, unknown>>) => NativeClient;
  readonly AuthenticationToken: new (options: { token: () => Promise<string> }) => object;
}

const PACKAGE = 'pulsar-client';
const ALTERNATIVE = 'or use ws:// or wss:// with the same broker, which needs no package';

type ImportPackage = () => Promise<unknown>;

const importInstalled: ImportPackage = () => import(PACKAGE);

/**
 * @param importPackage for tests
 * @throws ConfigError that tells whether the package is absent or was not built for this machine, and what to do
 */
export async function loadPulsarClient(importPackage = importInstalled): Promise<PulsarClientPackage> {
  try {
    // It is no ES module: everything is in `default`.
    return ((await importPackage()) as { default: PulsarClientPackage }).default;
  } catch (error) {
    throw new ConfigError([
      `PULSAR_SERVICE_URL needs the package ${PACKAGE}, which ${whatIsWrong(error)}, ${ALTERNATIVE}`,
    ]);
  }
}

/**
 * For programs that do without `pulsar://` where it can't be had.
 * @param importPackage for tests
 * @returns why the official client can't be used here, and what to do; undefined when it can
 */
export async function whyNoPulsarClient(importPackage = importInstalled): Promise<string | undefined> {
  return await importPackage().then(
    () => undefined,
    (error: unknown) => `the package ${PACKAGE} ${whatIsWrong(error)}`,
  );
}

function whatIsWrong(error: unknown): string {
  const { code, message = String(error) } = error as NodeJS.ErrnoException;
  if (code === 'ERR_MODULE_NOT_FOUND' && message.includes(PACKAGE)) {
    return `is not installed: run \`npm install --no-save ${PACKAGE}@1.18.0\``;
  }
  if (code === 'MODULE_NOT_FOUND' || /bindings file/.test(message)) {
    return (
      'is installed without its native part (its download or build failed): ' +
      `run \`npm rebuild ${PACKAGE}\` and see what it says`
    );
  }
  return `can't be loaded (${message.split('\n')[0]?.slice(0, 200)})`;
}
