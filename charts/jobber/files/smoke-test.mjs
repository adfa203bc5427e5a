// What `helm test` runs in the cluster: an account of its own logs in and runs both job types. Ends with 0 when both have the
// results that they must have.
import { randomUUID } from 'node:crypto';

// With a password that is kept it is the same account each time; without one, an account of this run's own.
const { TEST_PASSWORD: kept, AUTH_URL, JOBS_URL, PRODUCTS_URL } = process.env;
const auth = `${AUTH_URL || 'http://auth-http:3000'}/auth/graphql`;
const jobs = `${JOBS_URL || 'http://jobs-http:3001'}/jobs/graphql`;
const products = `${PRODUCTS_URL || 'http://products-http:3003'}/products/graphql`;
const EMAIL = kept ? 'helm-test@jobber.example' : `helm-test-${randomUUID()}@jobber.example`;
const PASSWORD = kept || randomUUID();
const LIMIT_MS = 240_000;
const giveUpAt = Date.now() + LIMIT_MS;

/** One request of GraphQL. A refusal that may pass is tried again. */
async function ask(url, query, variables, token) {
  for (;;) {
    const answer = await send(url, query, variables, token).catch((error) => ({
      errors: [{ message: error.cause?.code ?? error.message, extensions: { code: 503 } }],
    }));
    const refusal = answer.errors?.[0];
    if (!refusal) return answer.data;
    const { code, reason } = refusal.extensions ?? {};
    const passes = mayPass(code, reason);
    if (!passes || Date.now() > giveUpAt) {
      const when = passes ? `, still after ${LIMIT_MS / 1000} s` : '';
      throw Object.assign(new Error(`${url}: ${refusal.message}${when}`), { code });
    }
    await pause();
  }
}

/** A daemon may be about to start; and executors offer their job types to an empty database within a minute. */
function mayPass(code, reason) {
  return [429, 503].includes(code) || reason === 'JOB_TYPE_NOT_FOUND';
}

async function send(url, query, variables, token) {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) },
    body: JSON.stringify({ query, variables }),
    signal: AbortSignal.timeout(10_000),
  });
  return await response.json();
}

const pause = () => new Promise((resolve) => setTimeout(resolve, 500));

async function logIn(input) {
  const login = 'mutation ($input: LoginInput!) { login(loginInput: $input) { accessToken } }';
  const register = 'mutation ($input: CreateUserInput!) { createUser(createUserInput: $input) { id } }';
  const first = await ask(auth, login, { input }).catch((error) => error);
  if (!(first instanceof Error)) return first.login.accessToken;
  if (first.code !== 401) throw first;
  await ask(auth, register, { input });
  return (await ask(auth, login, { input })).login.accessToken;
}

/** Runs a job to its end. @returns its result */
async function run(name, data, token) {
  const execute = 'mutation ($input: ExecuteJobInput!) { executeJob(executeJobInput: $input) { id status } }';
  const { executeJob } = await ask(jobs, execute, { input: { name, data } }, token);
  for (;;) {
    const query = 'query ($id: Float!) { job(id: $id) { status completed size result } }';
    const { job } = await ask(jobs, query, { id: Number(executeJob.id) }, token);
    if (job.status === 'COMPLETED') return job.result;
    if (job.status !== 'IN_PROGRESS') throw new Error(`${name} ended as ${job.status}`);
    if (Date.now() > giveUpAt) throw new Error(`${name} has not ended after ${LIMIT_MS / 1000} s`);
    await pause();
  }
}

function require(holds, sentence) {
  if (!holds) throw new Error(`Not true: ${sentence}`);
  console.log(`ok  ${sentence}`);
}

const token = await logIn({ email: EMAIL, password: PASSWORD });
console.log(`ok  ${EMAIL} is logged in`);

const fibonacci = await run('Fibonacci', { iterations: 100 }, token);
require(JSON.stringify(fibonacci).includes('354224848179261915075'), 'the 100th Fibonacci number is right');

// With a sku the product is the same each time, whatever number of tests has run.
const product = {
  name: 'Helm test',
  category: 'Toys & Games',
  price: 14.25,
  stock: 1,
  rating: 5,
  description: 'Written by helm test',
  sku: 'helm-test',
};
await run('LoadProducts', [product], token);
const found = await ask(products, '{ products(filter: { sku: "helm-test" }) { sku price } }', {}, token);
const { price } = found.products.find(({ sku }) => sku === product.sku) ?? {};
require(Number(price) === 14.6775, 'the product is loaded, and its price has the charge of its category');
