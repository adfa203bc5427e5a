import { Pool } from 'undici';
import type { Addresses } from '../client.ts';

/**
 * jobber's public door as a busy client uses it: GraphQL over kept-alive connections, logged in. Leaner than `fetch`,
 * because the client shares the machine with what it measures.
 */
export interface Door {
  readonly userId: string;
  jobs<T>(query: string, variables?: object): Promise<T>;
  /** Follows the job's events. @returns its last state */
  untilEnded(jobId: number): Promise<{ status: string; completed: number }>;
  /** Logs in again: an access token lasts 15 minutes. */
  renew(): Promise<void>;
  close(): Promise<void>;
}

export interface DoorOptions {
  /** Makes the first user of the platform its administrator. */
  readonly setupToken?: string;
  readonly connections: number;
}

const CREATE_USER = 'mutation ($i: CreateUserInput!) { createUser(createUserInput: $i) { id } }';
const LOGIN = 'mutation ($i: LoginInput!) { login(loginInput: $i) { id accessToken } }';

/** Registers a user and logs in. */
export async function openDoor(addresses: Addresses, options: DoorOptions): Promise<Door> {
  const { setupToken, connections } = options;
  const email = `bench-${crypto.randomUUID()}@example.com`;
  const password = crypto.randomUUID();
  const auth = new Pool(addresses.auth, { connections: 1 });
  // A connection for each submitter and one for whoever looks on.
  const jobs = new Pool(addresses.jobs, { connections: connections + 1 });
  let authorization = '';
  let userId = '';

  async function renew(): Promise<void> {
    const { login } = await ask<{ login: { id: string; accessToken: string } }>(
      auth,
      '/auth/graphql',
      LOGIN,
      {
        i: { email, password },
      },
    );
    userId = login.id;
    authorization = `Bearer ${login.accessToken}`;
  }

  await ask(auth, '/auth/graphql', CREATE_USER, {
    i: { email, password, ...(setupToken && { setupToken }) },
  });
  await renew();
  return {
    get userId() {
      return userId;
    },
    jobs: (query, variables) => ask(jobs, '/jobs/graphql', query, variables, authorization),
    async untilEnded(jobId) {
      const { statusCode, body } = await jobs.request({
        method: 'GET',
        path: `/jobs/${jobId}/events`,
        headers: { authorization },
      });
      if (statusCode !== 200) throw new Error(`events of job ${jobId}: ${statusCode} ${await body.text()}`);
      let text = '';
      for await (const chunk of body.setEncoding('utf8')) text += chunk;
      const last = /^data: ?(.*)$/m.exec(text.slice(text.lastIndexOf('\ndata:') + 1))?.[1];
      const state = JSON.parse(last ?? '{}') as { status: string; completed: number; endedAt: string | null };
      if (!state.endedAt) throw new Error(`the events of job ${jobId} ended before the job`);
      return state;
    },
    renew,
    async close() {
      await Promise.all([auth.close(), jobs.close()]);
    },
  };
}

/** @throws Error with the message of the first error in the answer */
async function ask<T>(
  pool: Pool,
  path: string,
  query: string,
  variables: object = {},
  authorization?: string,
): Promise<T> {
  const { body } = await pool.request({
    method: 'POST',
    path,
    headers: { 'content-type': 'application/json', ...(authorization && { authorization }) },
    body: JSON.stringify({ query, variables }),
  });
  const { data, errors } = (await body.json()) as { data: T; errors?: { message: string }[] };
  if (errors?.[0]) throw new Error(errors[0].message);
  return data;
}
