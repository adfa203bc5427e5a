import { setTimeout as delay } from 'node:timers/promises';
import type { Platform } from './platform.ts';

interface Answer {
  data?: Record<string, never> | null;
  errors?: { message: string; extensions?: { code?: number; reason?: string } }[];
}

export interface LoadedJob {
  readonly id: number;
  readonly items: number;
}

/** How long a request may be unanswered or refused as retryable while containers come and go, in milliseconds. */
const PATIENCE_MS = 120_000;

/** A user who talks GraphQL, and tries again what is refused for now. */
export class Client {
  readonly #addresses: Platform['addresses'];
  #token = '';

  constructor({ addresses }: Platform) {
    this.#addresses = addresses;
  }

  async enter(email: string, password: string): Promise<void> {
    const user = { email, password };
    await this.ask('auth', 'mutation ($i: CreateUserInput!) { createUser(createUserInput: $i) { id } }', {
      i: user,
    });
    const answer = await this.ask(
      'auth',
      'mutation ($i: LoginInput!) { login(loginInput: $i) { accessToken } }',
      { i: user },
    );
    this.#token = answer['login']['accessToken'];
  }

  /** Each item a product of its own; however often it is sent, it is one job. */
  async load(key: string, items: number): Promise<LoadedJob> {
    const data = Array.from({ length: items }, (_, index) => ({
      name: `${key}-${index}`,
      category: 'Grocery',
      price: 1.5,
      stock: 1,
      rating: 4,
      description: key,
    }));
    const input = { name: 'LoadProducts', data, idempotencyKey: key };
    return { id: await this.submit(input), items };
  }

  /** @returns the id of the job */
  async submit(input: object): Promise<number> {
    const answer = await this.ask(
      'jobs',
      'mutation ($i: ExecuteJobInput!) { executeJob(executeJobInput: $i) { id } }',
      { i: input },
    );
    return answer['executeJob']['id'];
  }

  /** @throws when it does not become COMPLETED with all its items within two minutes */
  async waitUntilCompleted({ id, items }: LoadedJob): Promise<void> {
    const deadline = Date.now() + PATIENCE_MS;
    for (;;) {
      const { job } = await this.ask(
        'jobs',
        'query ($id: Float!) { job(id: $id) { status completed failed } }',
        { id },
      );
      const { status, completed } = job as { status: string; completed: number };
      if (status === 'COMPLETED' && completed === items) return;
      if (status !== 'IN_PROGRESS' || Date.now() > deadline)
        throw new Error(`job ${id} should be completed; it is ${JSON.stringify(job)}`);
      await delay(200);
    }
  }

  // biome-ignore lint/suspicious/noExplicitAny: answers of any shape
  async ask(daemon: keyof Platform['addresses'], query: string, variables: object): Promise<any> {
    const deadline = Date.now() + PATIENCE_MS;
    for (;;) {
      const answer = await this.#send(daemon, query, variables);
      if (typeof answer !== 'string' && !answer.errors) return answer.data;
      const problem = typeof answer === 'string' ? answer : JSON.stringify(answer.errors);
      const retryable =
        typeof answer === 'string' || answer.errors?.every(({ extensions }) => extensions?.code === 503);
      if (!retryable || Date.now() > deadline)
        throw new Error(`${daemon} answered: ${problem.slice(0, 500)}`);
      await delay(200);
    }
  }

  async #send(
    daemon: keyof Platform['addresses'],
    query: string,
    variables: object,
  ): Promise<Answer | string> {
    try {
      const response = await fetch(`${this.#addresses[daemon]}/${daemon}/graphql`, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          ...(this.#token === '' ? {} : { authorization: `Bearer ${this.#token}` }),
        },
        body: JSON.stringify({ query, variables }),
        signal: AbortSignal.timeout(10_000),
      });
      return (await response.json()) as Answer;
    } catch (error) {
      return (error as Error).message;
    }
  }
}

/** Submits jobs one after the other until `stop`, which returns all that were accepted. */
export function keepLoading(client: Client, name: string): { stop(): Promise<LoadedJob[]> } {
  let stopped = false;
  const jobs: LoadedJob[] = [];
  const run = (async () => {
    while (!stopped) {
      jobs.push(await client.load(`${name}-${jobs.length}`, 20));
      await delay(50);
    }
  })();
  // Told by `stop`.
  run.catch(() => {});
  return {
    async stop() {
      stopped = true;
      await run;
      return jobs;
    },
  };
}
