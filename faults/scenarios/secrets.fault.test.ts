import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { waitUntil } from '../wait-until.ts';
import { submitInBackground } from './background.ts';
import { useWorld } from './test-world.ts';

const world = useWorld('secrets');

test('no secret is read in a log, a metric, an argument list or an error, also when connections and logins fail', async () => {
  const { platform, client, during, hold } = world.get();
  const answers: string[] = [];
  const ask = async (url: string, query: string, variables: object, token?: string) => {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) },
      body: JSON.stringify({ query, variables }),
      signal: AbortSignal.timeout(12_000),
    }).catch((error: Error) => new Response(error.message));
    answers.push(await response.text());
  };
  const login = 'mutation ($i: LoginInput!) { login(loginInput: $i) { id } }';
  const [password = ''] = client.secrets;
  const askAll = async () => {
    const { auth, jobsDirect, products } = platform.urls;
    await ask(`${auth}/auth/graphql`, login, { i: { email: 'nobody@example.com', password } });
    await ask(`${auth}/auth/graphql`, login, { i: { email: { $ne: password }, password } });
    for (const token of [`${client.token}x`, client.token.split('.').reverse().join('.'), client.token]) {
      await ask(`${jobsDirect}/jobs/graphql`, '{ job(id: 1e300) { id } }', {}, token);
      await ask(`${products}/products/graphql`, '{ products(limit: -1) { id } }', {}, token);
    }
  };
  const background = submitInBackground(world.get());
  await askAll();
  await during({ name: 'each daemon starts without its database, and is asked' }, async () => {
    await platform.databases.crash();
    for (const daemon of platform.daemons) daemon.signal('SIGKILL');
    await waitUntil('all of them answer', async () => {
      const alive = platform.daemons.map(({ origin, daemon }) => fetch(`${origin}/${daemon}/live`));
      return (await Promise.all(alive)).every(({ status }) => status === 200);
    });
    await askAll();
  });
  await background;
  await hold();
  const secrets = [platform.serviceSecret, ...client.secrets];
  expect(answers.length).toBeGreaterThan(0);
  expect(answers.filter((answer) => secrets.some((secret) => answer.includes(secret)))).toEqual([]);
});

test('a secret that is planted in a log is found', async () => {
  const { platform, leaks } = world.get();
  const [daemon] = platform.daemons;
  const logFile = daemon?.logFile ?? '';
  const before = readFileSync(logFile);
  appendFileSync(logFile, `{"msg":"connecting with ${new URL(platform.databases.urls.jobs).password}"}\n`);
  expect(await leaks()).toEqual([expect.stringContaining(logFile)]);
  writeFileSync(logFile, before);
  expect(await leaks()).toEqual([]);
});
