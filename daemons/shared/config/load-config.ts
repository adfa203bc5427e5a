import type { z } from 'zod';

/** One setting: the environment variable, what it must look like, and whether its value may be shown. */
export interface Setting<T> {
  readonly variable: string;
  readonly schema: z.ZodType<T>;
  readonly secret: boolean;
}

// biome-ignore lint/suspicious/noExplicitAny: a record of settings of any value types
export type Settings = Record<string, Setting<any>>;

export type ConfigOf<S extends Settings> = {
  readonly [K in keyof S]: S[K] extends Setting<infer T> ? T : never;
};

export function setting<T>(
  variable: string,
  schema: z.ZodType<T>,
  options: { secret?: boolean } = {},
): Setting<T> {
  return { variable, schema, secret: options.secret ?? false };
}

/** All that is wrong with a configuration, one sentence a problem, each beginning with the variable's name. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join('\n'));
    this.problems = problems;
  }
}

/**
 * Reads settings from an environment. Pure: it looks only at its arguments. An empty variable counts as absent.
 * @throws ConfigError that names every problem at once; values of secrets are never part of it.
 */
export function loadConfig<S extends Settings>(
  settings: S,
  environment: Readonly<Record<string, string | undefined>>,
): ConfigOf<S> {
  const problems: string[] = [];
  const config: Record<string, unknown> = {};
  for (const [key, { variable, schema, secret }] of Object.entries(settings)) {
    const raw = environment[variable] === '' ? undefined : environment[variable];
    const parsed = schema.safeParse(raw);
    if (parsed.success) {
      config[key] = parsed.data;
      continue;
    }
    const expected = parsed.error.issues[0]?.message ?? 'is not valid';
    const got = raw === undefined ? 'it is not set' : secret ? 'its value is not shown' : `got ${quote(raw)}`;
    problems.push(`${variable} ${expected}; ${got}`);
  }
  if (problems.length > 0) throw new ConfigError(problems);
  return config as ConfigOf<S>;
}

function quote(raw: string): string {
  const shown = raw.length > 80 ? `${raw.slice(0, 80)}…` : raw;
  return JSON.stringify(shown);
}
