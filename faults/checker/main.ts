// The checker: what a platform did, judged from outside. It imports nothing of the product.
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import type { Evidence, StoredJob } from './evidence.ts';
import { assembleHistory, type CallEvent, type History, type Poll, readLines } from './history.ts';
import { type BrokerView, readBroker } from './read-broker.ts';
import { type DatabaseUrls, readDatabases } from './read-databases.ts';
import { type PublicDoor, readJobsPublicly, readProductsPublicly, readPublicJobs } from './read-public.ts';
import { renderVerdict } from './render-verdict.ts';
import { decide, LIMITS } from './verdict.ts';

const USAGE = `node faults/checker/main.ts --calls FILE --polls FILE [--json FILE] [--answer-ms N] [--recovery-ms N]

Judges a history of calls and a history of reads of \`job\` (NDJSON; faults/checker/history.ts describes the lines)
against what is stored. Exit code 0: valid; 1: not; 2: wrong usage; 3: what is stored
could not be read. Where it may read comes from the environment, because an address holds a password:
  CHECKER_JOBS_DATABASE_URL, CHECKER_PRODUCTS_DATABASE_URL, CHECKER_AUTH_DATABASE_URL   roles that may only read
  CHECKER_JOBS_URL, CHECKER_PRODUCTS_URL, CHECKER_TOKEN                                 the public door
  CHECKER_BROKER_ADMIN_URL, CHECKER_BROKER_TOPIC_PREFIX                                 the broker, where there is one
Either the first or the second three, or all; with the public door alone, leases, keys and the ledger are not seen.`;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      calls: { type: 'string' },
      polls: { type: 'string' },
      json: { type: 'string' },
      'answer-ms': { type: 'string' },
      'recovery-ms': { type: 'string' },
    },
  });
  const databases = databaseUrls();
  const door = publicDoor();
  if (!values.calls || !values.polls || !(databases || door)) {
    process.stderr.write(`${USAGE}\n`);
    return 2;
  }
  const history = assembleHistory(await readLines<CallEvent>(values.calls));
  const polls = await readLines<Poll>(values.polls);
  const evidence = await collect(history, databases, door);
  const verdict = decide(
    { history, polls, evidence },
    {
      answerMs: Number(values['answer-ms'] ?? LIMITS.answerMs),
      recoveryMs: Number(values['recovery-ms'] ?? LIMITS.recoveryMs),
    },
  );
  if (values.json) writeFileSync(values.json, `${JSON.stringify(verdict, null, 2)}\n`);
  process.stdout.write(renderVerdict(verdict));
  return verdict.valid ? 0 : 1;
}

async function collect(
  history: History,
  databases: DatabaseUrls | undefined,
  door: PublicDoor | undefined,
): Promise<Evidence> {
  const accepted = acceptedJobs(history);
  if (databases) {
    const stored = await readDatabases(databases);
    const broker = brokerView();
    const topics = broker && (await readBroker(broker));
    return { ...stored, topics, publicJobs: door ? await readPublicJobs(door, accepted) : new Map() };
  }
  if (!door) throw new Error('Neither a database nor the public door can be read.');
  const jobs: StoredJob[] = await readJobsPublicly(door, accepted);
  const loads = jobs.filter(({ type }) => type === 'load-products').map(({ id }) => id);
  return {
    jobs,
    products: await readProductsPublicly(door, loads),
    effects: undefined,
    users: undefined,
    publicJobs: new Map(),
  };
}

function acceptedJobs({ intents }: History): number[] {
  const calls = [...intents.values()].flatMap((intent) => intent.calls);
  return [...new Set(calls.flatMap(({ outcome }) => (outcome.kind === 'accepted' ? [outcome.jobId] : [])))];
}

function databaseUrls(): DatabaseUrls | undefined {
  const jobs = process.env['CHECKER_JOBS_DATABASE_URL'];
  const products = process.env['CHECKER_PRODUCTS_DATABASE_URL'];
  const auth = process.env['CHECKER_AUTH_DATABASE_URL'];
  return jobs && products && auth ? { jobs, products, auth } : undefined;
}

function brokerView(): BrokerView | undefined {
  const adminUrl = process.env['CHECKER_BROKER_ADMIN_URL'];
  return adminUrl ? { adminUrl, topicPrefix: process.env['CHECKER_BROKER_TOPIC_PREFIX'] ?? '' } : undefined;
}

function publicDoor(): PublicDoor | undefined {
  const jobsUrl = process.env['CHECKER_JOBS_URL'];
  const productsUrl = process.env['CHECKER_PRODUCTS_URL'];
  const token = process.env['CHECKER_TOKEN'];
  return jobsUrl && productsUrl && token ? { jobsUrl, productsUrl, token } : undefined;
}

process.exitCode = await main().catch((error: unknown) => {
  process.stderr.write(`No verdict: ${error instanceof Error ? error.message : String(error)}\n`);
  return 3;
});
