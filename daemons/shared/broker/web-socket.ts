import { readFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { describeUnknownError } from '@jobber/shared/errors';
import type { Logger } from '@jobber/shared/log';
import WebSocket from 'ws';
import { type BrokerConfig, currentToken } from './broker-config.ts';
import { explainConnectionFailure } from './explain-connection-failure.ts';
import { explainRefusal } from './explain-refusal.ts';

/** A connection to the broker's WebSocket API that is made again whenever it is lost, until it is closed. */
export interface KeptWebSocket {
  /** False: it is not connected, and nothing was sent. */
  send(command: object): boolean;
  /** Why nothing can be sent; undefined while it can. */
  problem(): string | undefined;
  /** Drops the connection, and makes it again; without one there is nothing to drop, and it is being made already. */
  renew(problem: string): void;
  close(): Promise<void>;
}

export interface WebSocketEvents {
  /** Connected, for the first time or again. */
  onOpen(): void;
  onFrame(frame: Readonly<Record<string, unknown>>): void;
  /** Not connected any more. What was sent and not answered has no known outcome. */
  onLost(): void;
}

export interface WebSocketTiming {
  readonly connectWithinMs: number;
  readonly pingEveryMs: number;
  /** A connection over which nothing has come for so long, not even the answer to a ping, is dropped. */
  readonly silentForMs: number;
  readonly minPauseMs: number;
  readonly maxPauseMs: number;
}

export const TIMING: WebSocketTiming = {
  connectWithinMs: 10_000,
  pingEveryMs: 5_000,
  silentForMs: 15_000,
  minPauseMs: 200,
  maxPauseMs: 10_000,
};
/** The largest messages of a broker have 5 MiB unless it is told otherwise, and a third more in base64. */
const LARGEST_FRAME = 64 * 1024 * 1024;
const CLOSES_WITHIN_MS = 1_000;
const CONNECTING = 'the broker is not connected yet';

/** @param path what follows the address of the broker, such as /ws/v2/producer/persistent/public/default/fibonacci-jobs */
export function keepWebSocket(options: {
  config: BrokerConfig;
  path: string;
  events: WebSocketEvents;
  log: Logger;
  timing?: WebSocketTiming;
}): KeptWebSocket {
  const { config, path, events, log, timing = TIMING } = options;
  let socket: WebSocket | undefined;
  let isOpen = false;
  let closed = false;
  let problem: string | undefined = CONNECTING;
  let told: string | undefined;
  let failures = 0;
  let retry: NodeJS.Timeout | undefined;
  let watchdog: NodeJS.Timeout | undefined;

  function connect(): void {
    let current: WebSocket;
    try {
      current = open(config, path, timing);
    } catch (error) {
      lost(undefined, fileProblem(error));
      return;
    }
    socket = current;
    let heardAt = performance.now();
    const heard = () => {
      heardAt = performance.now();
    };
    watchdog = setInterval(() => {
      if (performance.now() - heardAt > timing.silentForMs) {
        give(`the broker has not answered for ${timing.silentForMs / 1000} s`);
      } else if (isOpen) current.ping();
    }, timing.pingEveryMs);
    watchdog.unref();

    const give = (why: string) => lost(current, why);

    current.on('open', () => {
      isOpen = true;
      failures = 0;
      problem = undefined;
      if (told !== undefined) log.info({ path }, 'the broker is connected again');
      told = undefined;
      events.onOpen();
    });
    current.on('pong', heard);
    current.on('ping', heard);
    current.on('message', (data) => {
      heard();
      const frame = parseFrame(String(data));
      if (frame) events.onFrame(frame);
    });
    current.on('unexpected-response', (_request, response) => {
      void readRefusal(response).then((text) => give(explainRefusal(response.statusCode ?? 0, text)));
    });
    current.on('error', (error) => give(explainConnectionFailure(error, LARGEST_FRAME)));
    current.on('close', (code, reason) => give(closeProblem(code, String(reason))));
  }

  /** Once for each connection: what comes later of it is an echo. */
  function lost(of: WebSocket | undefined, why: string): void {
    if (of !== socket || closed) return;
    clearInterval(watchdog);
    socket = undefined;
    of?.removeAllListeners();
    // A late error of a connection that is given up concerns nobody.
    of?.on('error', () => {});
    of?.terminate();
    problem = why;
    if (told !== why) log.warn({ path, problem: why }, 'the broker is not connected; trying again');
    told = why;
    if (isOpen) {
      isOpen = false;
      events.onLost();
    }
    if (closed) return;
    const pause = Math.min(timing.maxPauseMs, timing.minPauseMs * 2 ** Math.min(failures, 16));
    failures += 1;
    retry = setTimeout(connect, pause * (0.5 + Math.random() / 2));
  }

  connect();
  return {
    send(command) {
      if (!isOpen || !socket) return false;
      socket.send(JSON.stringify(command), () => {});
      return true;
    },
    problem: () => problem,
    renew(why) {
      if (isOpen) lost(socket, why);
    },
    async close() {
      if (closed) return;
      closed = true;
      problem = 'it is closed';
      clearTimeout(retry);
      clearInterval(watchdog);
      const last = socket;
      socket = undefined;
      const wasOpen = isOpen;
      isOpen = false;
      if (wasOpen) events.onLost();
      if (last) await closeInOrder(last, wasOpen);
    },
  };
}

function open(config: BrokerConfig, path: string, timing: WebSocketTiming): WebSocket {
  const { token, tlsCaFile, serviceUrl } = config;
  return new WebSocket(`${serviceUrl}${path}`, {
    headers: token ? { authorization: `Bearer ${currentToken(token)}` } : {},
    ...(tlsCaFile !== undefined && { ca: readFileSync(tlsCaFile) }),
    handshakeTimeout: timing.connectWithinMs,
    maxPayload: LARGEST_FRAME,
    followRedirects: false,
    perMessageDeflate: false,
  });
}

/** The broker takes back at once what was delivered and not acknowledged. */
async function closeInOrder(socket: WebSocket, wasOpen: boolean): Promise<void> {
  socket.removeAllListeners();
  socket.on('error', () => {});
  if (!wasOpen) return socket.terminate();
  await new Promise<void>((resolve) => {
    const patience = setTimeout(() => {
      socket.terminate();
      resolve();
    }, CLOSES_WITHIN_MS);
    socket.once('close', () => {
      clearTimeout(patience);
      resolve();
    });
    socket.close(1000);
  });
}

function parseFrame(text: string): Record<string, unknown> | undefined {
  try {
    const frame: unknown = JSON.parse(text);
    return typeof frame === 'object' && frame !== null ? (frame as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

async function readRefusal(response: IncomingMessage): Promise<string> {
  let text = '';
  try {
    for await (const chunk of response) {
      text += String(chunk);
      if (text.length > 10_000) break;
    }
  } catch {
    // The status says enough.
  }
  return text;
}

function closeProblem(code: number, reason: string): string {
  if (code === 1009)
    return 'the broker has refused a message because of its size (webSocketMaxTextFrameSize)';
  return `the broker has ended the connection (${code}${reason ? `: ${reason.slice(0, 200)}` : ''})`;
}

function fileProblem(error: unknown): string {
  const { code, path } = error as NodeJS.ErrnoException & { path?: string };
  return code && path ? `${path} can't be read: ${code}` : describeUnknownError(error);
}
