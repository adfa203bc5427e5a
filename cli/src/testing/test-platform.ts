// A platform for tests of the CLI: one server that speaks the contract of the three daemons, and does what a test says.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Job, JobTypeInfo } from '../api/jobs.ts';

export interface Call {
  path: string;
  operation: string;
  variables: Record<string, unknown>;
  /** The body as it came. */
  text: string;
  authorization: string | undefined;
}

interface Refusal {
  code: number;
  reason: string;
  message: string;
  details?: unknown;
}

export interface TestPlatform extends AsyncDisposable {
  url: string;
  calls: Call[];
  /** By GraphQL operation name (Login, Me, Run, …): answers or refuses. */
  answers: Record<string, (variables: Record<string, unknown>, call: Call) => unknown>;
  /** Holds a GraphQL answer back. */
  delay: (call: Call) => Promise<void> | undefined;
  /** What `POST /jobs/uploads/file` and `GET /jobs/:id/events` do. */
  upload: (body: Buffer, response: ServerResponse) => void;
  events: (id: number, response: ServerResponse) => void;
  /** Everything else, before the contract: true when it has answered. */
  before: (request: IncomingMessage, response: ServerResponse) => boolean;
}

export class RefusalError extends Error {
  readonly refusal: Refusal;

  constructor(refusal: Refusal) {
    super(refusal.message);
    this.refusal = refusal;
  }
}

export function refuse(code: number, reason: string, message: string, details?: unknown): never {
  throw new RefusalError({ code, reason, message, details });
}

export const FIBONACCI: JobTypeInfo = {
  name: 'Fibonacci',
  slug: 'fibonacci',
  description: 'Computes a Fibonacci number.',
  version: 1,
  inputSchema: {
    type: 'object',
    properties: {
      iterations: { type: 'integer', minimum: 0, maximum: 100_000, description: 'Which number' },
    },
    required: ['iterations'],
  },
  defaultItem: { iterations: 10 },
  available: true,
};

export function jobOf(fields: Partial<Job> = {}): Job {
  return {
    id: 12,
    name: 'Fibonacci',
    slug: 'fibonacci',
    size: 1,
    completed: 1,
    failed: 0,
    status: 'COMPLETED',
    owner: 'u1',
    startedAt: '2026-03-01T10:00:00.000Z',
    endedAt: '2026-03-01T10:00:01.500Z',
    runAt: null,
    priority: 0,
    timeout: null,
    maxAttempts: null,
    backoff: null,
    uniqueFor: null,
    tags: [],
    round: 1,
    ...fields,
  };
}

export const TOKENS = {
  accessToken: 'access-1',
  refreshToken: 'refresh-1',
  expiresAt: '2999-01-01T00:00:00.000Z',
};

const USER = { id: 'u1', email: 'ada@example.com', roles: ['member'], createdAt: '2026-03-01T10:00:00.000Z' };

export async function startTestPlatform(): Promise<TestPlatform> {
  const running = jobOf({ status: 'IN_PROGRESS', completed: 0, endedAt: null });
  const report = {
    ...jobOf(),
    result: { number: '55', digits: 2, ms: 0.1 },
    counters: {},
    errors: [],
    running: [],
    history: [],
    historySize: 0,
  };
  const platform: Omit<TestPlatform, typeof Symbol.asyncDispose> = {
    url: '',
    calls: [],
    answers: {
      Register: () => ({ createUser: USER }),
      Login: () => ({ login: { id: 'u1', email: USER.email, ...TOKENS } }),
      Refresh: () => ({ refresh: { ...TOKENS, accessToken: 'access-2', refreshToken: 'refresh-2' } }),
      Me: () => ({ me: USER }),
      Logout: () => ({ logout: true }),
      JobTypes: () => ({ jobsMetadata: [FIBONACCI] }),
      Run: () => ({ executeJob: { ...running, existing: false } }),
      Job: () => ({ job: jobOf() }),
      JobReport: () => ({ job: report }),
      Jobs: () => ({ jobs: [jobOf()] }),
      Cancel: () => ({ cancelJob: jobOf({ status: 'CANCELLED' }) }),
      Retry: () => ({ retryJob: { ...running, round: 2 } }),
      History: () => ({ job: { history: [] } }),
      DeadLetters: () => ({ deadLetters: [] }),
      DeadLetterIds: () => ({ deadLetters: [] }),
      Products: () => ({ products: [] }),
      Categories: () => ({ categories: [{ name: 'Grocery', charge: '2' }] }),
    },
    delay: () => undefined,
    upload: (body, response) => {
      const filename = 'upload-1.json';
      const records = 3;
      sendJson(response, 201, {
        message: 'Uploaded',
        filename,
        originalName: 'p.json',
        size: body.length,
        records,
      });
    },
    events: (_id, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(`event: job\ndata: ${JSON.stringify(running)}\n\n`);
      response.end(`event: job\ndata: ${JSON.stringify(jobOf())}\n\n`);
    },
    before: () => false,
  };
  const server = createServer((request, response) => {
    void answer(platform as TestPlatform, request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  platform.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return Object.assign(platform, {
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  });
}

async function answer(
  platform: TestPlatform,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (platform.before(request, response)) return;
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const body = Buffer.concat(chunks);
  const path = request.url ?? '';
  const events = /^\/jobs\/(\d+)\/events$/.exec(path);
  const { authorization } = request.headers;
  if (path === '/jobs/uploads/file' || events) {
    platform.calls.push({
      path,
      operation: events ? 'events' : 'upload',
      variables: {},
      text: '',
      authorization,
    });
    if (events) platform.events(Number(events[1]), response);
    else platform.upload(body, response);
    return;
  }
  const text = body.toString('utf8');
  const { query, variables } = JSON.parse(text) as { query: string; variables: Record<string, unknown> };
  const operation = /^(?:query|mutation) (\w+)/.exec(query)?.[1] ?? '';
  const call = { path, operation, variables, text, authorization };
  platform.calls.push(call);
  await platform.delay(call);
  try {
    const data = platform.answers[operation]?.(variables, call);
    sendJson(response, 200, { data });
  } catch (error) {
    const { code, reason, message, details } = (error as RefusalError).refusal;
    sendJson(response, 200, { data: null, errors: [{ message, extensions: { code, reason, details } }] });
  }
}

export function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
