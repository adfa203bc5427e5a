import { existsSync, globSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { readEnvironment } from '../cli/src/environment.ts';
import { readTable } from '../scripts/markdown-blocks.ts';

type Environment = Record<string, string | undefined>;
type LoadConfig = (environment: Environment) => Record<string, unknown>;

const repository = new URL('..', import.meta.url);
const page = readFileSync(new URL('configuration.md', import.meta.url), 'utf8');
const SECRET = '0f4a8c1d9e7b36251a2b3c4d5e6f7081';
const REQUIRED: Environment = {
  SERVICE_SECRET: SECRET,
  AUTH_DATABASE_URL: 'postgresql://auth@localhost/auth',
  JOBS_DATABASE_URL: 'postgresql://jobs@localhost/jobs',
  PRODUCTS_DATABASE_URL: 'postgresql://products@localhost/products',
};

const daemons = globSync('daemons/*/config.ts', { cwd: repository }).map((path) => path.split('/')[1] ?? '');

test.each(daemons)('every variable that %s reads is documented, and no other', async (daemon) => {
  const load = await loaderOf(daemon);
  const read = recorder();
  // Without anything it reads all it could want, and then names what is missing.
  expect(() => load(read.environment)).toThrow();
  const documented = [...readTable(page, 'common'), ...readTable(page, daemon)].map(([variable]) => variable);
  expect(documented.sort()).toEqual([...read.variables].sort());
});

test.each(daemons)('the documented defaults of %s are those of the code', async (daemon) => {
  const load = await loaderOf(daemon);
  const rows = [...readTable(page, 'common'), ...readTable(page, daemon)];
  // A default that depends on the machine is written in words.
  const isValue = (text: string) => /^\S+$/.test(text) && text !== 'required';
  const defaults = Object.fromEntries(
    rows.flatMap(([variable = '', value = '']) => (isValue(value) ? [[variable, value]] : [])),
  );
  expect(withoutEnvironment(load({ ...REQUIRED, ...defaults }))).toEqual(withoutEnvironment(load(REQUIRED)));
});

test.each(daemons)('%s has no other required variables than the documented ones', async (daemon) => {
  const load = await loaderOf(daemon);
  const rows = [...readTable(page, 'common'), ...readTable(page, daemon)];
  const required = rows.filter(([, value]) => value === 'required').map(([variable = '']) => variable);
  const environment = Object.fromEntries(required.map((variable) => [variable, REQUIRED[variable]]));
  expect(() => load(environment)).not.toThrow();
  for (const variable of required) {
    expect(() => load({ ...environment, [variable]: undefined })).toThrow(variable);
  }
});

test.each(daemons)('%s/.env.example sets variables that exist, to values that start it', async (daemon) => {
  const load = await loaderOf(daemon);
  const file = new URL(`daemons/${daemon}/.env.example`, repository);
  expect(existsSync(file)).toBe(true);
  const lines = readFileSync(file, 'utf8').split('\n');
  const environment = Object.fromEntries(
    lines.flatMap((line) => {
      const [, variable, value] = /^([A-Z_]+)=(.*)$/.exec(line) ?? [];
      return variable === undefined ? [] : [[variable, value]];
    }),
  );
  expect(() => load(environment)).not.toThrow();
  const documented = [...readTable(page, 'common'), ...readTable(page, daemon)].map(([variable]) => variable);
  expect(documented).toEqual(expect.arrayContaining(Object.keys(environment)));
});

test('every variable that the CLI reads is documented, and no other', () => {
  const read = recorder();
  readEnvironment(read.environment);
  const documented = readTable(page, 'cli').map(([variable]) => variable);
  expect(documented.sort()).toEqual([...read.variables].sort());
});

async function loaderOf(daemon: string): Promise<LoadConfig> {
  const module: Record<string, unknown> = await import(`../daemons/${daemon}/config.ts`);
  const load = Object.entries(module).find(([name]) => /^load\w*Config$/.test(name))?.[1];
  if (typeof load !== 'function') throw new Error(`daemons/${daemon}/config.ts exports no load…Config`);
  return load as LoadConfig;
}

/** An empty environment that remembers what was looked up. */
function recorder(): { environment: Environment; variables: Set<string> } {
  const variables = new Set<string>();
  const environment = new Proxy<Environment>(
    {},
    {
      get(_, variable) {
        variables.add(String(variable));
        return undefined;
      },
    },
  );
  return { environment, variables };
}

/** What the executor hands on to handlers repeats the environment itself. */
function withoutEnvironment({ publicEnvironment: _, ...settings }: Record<string, unknown>) {
  return settings;
}
