/** Just enough of a client: one user, logged in, talking GraphQL over HTTP with kept-alive connections. */
export interface BenchClient {
  readonly token: string;
  jobs<T>(query: string, variables?: object): Promise<T>;
  upload(fileName: string, content: Blob): Promise<{ filename: string; records: number }>;
  /** Follows the job's events until it has ended. @returns its last state */
  untilEnded(jobId: number): Promise<JobEvent>;
}

export interface JobEvent {
  readonly id: number;
  readonly status: string;
  readonly size: number;
  readonly completed: number;
  readonly failed: number;
}

export interface Addresses {
  readonly auth: string;
  readonly jobs: string;
  readonly products: string;
}

/** Registers a user of its own and logs in. */
export async function connect(addresses: Addresses): Promise<BenchClient> {
  const email = `bench-${crypto.randomUUID()}@example.com`;
  const password = crypto.randomUUID();
  const auth = `${addresses.auth}/auth/graphql`;
  await graphql(auth, 'mutation ($i: CreateUserInput!) { createUser(createUserInput: $i) { id } }', {
    i: { email, password },
  });
  const { login } = await graphql<{ login: { accessToken: string } }>(
    auth,
    'mutation ($i: LoginInput!) { login(loginInput: $i) { accessToken } }',
    { i: { email, password } },
  );
  const token = login.accessToken;
  const authorization = `Bearer ${token}`;

  return {
    token,
    jobs: (query, variables) => graphql(`${addresses.jobs}/jobs/graphql`, query, variables, authorization),
    async upload(fileName, content) {
      const form = new FormData();
      form.append('file', content, fileName);
      const response = await fetch(`${addresses.jobs}/jobs/uploads/file`, {
        method: 'POST',
        body: form,
        headers: { authorization },
      });
      if (response.status !== 201) throw new Error(await response.text());
      return (await response.json()) as { filename: string; records: number };
    },
    async untilEnded(jobId) {
      const response = await fetch(`${addresses.jobs}/jobs/${jobId}/events`, { headers: { authorization } });
      if (!response.ok || !response.body) throw new Error(`events: ${response.status}`);
      let text = '';
      let last: JobEvent | undefined;
      for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
        text += chunk;
        const events = text.split('\n\n');
        text = events.pop() ?? '';
        for (const event of events) {
          const data = /^data: ?(.*)$/m.exec(event)?.[1];
          if (data !== undefined) last = JSON.parse(data) as JobEvent;
        }
      }
      if (!last || last.status === 'IN_PROGRESS') throw new Error(`job ${jobId}: the events ended too early`);
      return last;
    },
  };
}

interface GraphqlError {
  readonly message: string;
  readonly extensions?: { readonly code: number };
}

/** @throws an Error whose cause is the code of the answer */
async function graphql<T>(
  url: string,
  query: string,
  variables: object = {},
  authorization?: string,
): Promise<T> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(authorization && { authorization }) },
    body: JSON.stringify({ query, variables }),
  });
  const { data, errors } = (await response.json()) as { data: T; errors?: GraphqlError[] };
  if (errors?.[0]) throw new Error(errors[0].message, { cause: errors[0].extensions?.code });
  return data;
}

export const EXECUTE_JOB =
  'mutation ($i: ExecuteJobInput!) { executeJob(executeJobInput: $i) { id status } }';
