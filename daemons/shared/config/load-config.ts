import type { z } from 'zod';

/** One setting: the environment variable, what it must look like, and whether its value may be shown. */
export interface Setting<T> {
  readonly variable: string;
  readonly schema: z.ZodType<T>;
  readonly secret: boolean;
  /** What is accepted beyond that in development, with a warning. */
  readonly toleratedInDevelopment: z.ZodType<T> | undefined;
}

// biome-ignore lint/suspicious/noExplicitAny: a record of settings of any value types
export type Settings = Record<string, Setting<any>>;

export type ConfigOf<S extends Settings> = {
  readonly [K in keyof S]: S[K] extends Setting<infer T> ? T : never;
};

export function setting<T>(
  variable: string,
  schema: z.ZodType<T>,
  options: { secret?: boolean; toleratedInDevelopment?: z.ZodType<T> } = {},
): Setting<T> {
  return {
    variable,
    schema,
    secret: options.secret ?? false,
    toleratedInDevelopment: options.toleratedInDevelopment,
  };
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
  for (const [key, setting] of Object.entries(settings)) {
    const { variable, secret } = setting;
    const raw = rawValue(variable, environment);
    const strictly = setting.schema.safeParse(raw);
    const tolerated = strictly.success ? undefined : tolerantParse(setting, raw, environment);
    const parsed = tolerated?.success ? tolerated : strictly;
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

/**
 * One sentence for each value that is accepted only because this is development (NODE_ENV=development), such as a
 * published secret. For the log; values of secrets are never part of it.
 */
export function developmentWarnings(
  settings: Settings,
  environment: Readonly<Record<string, string | undefined>>,
): string[] {
  return Object.values(settings).flatMap((setting) => {
    const raw = rawValue(setting.variable, environment);
    const parsed = setting.schema.safeParse(raw);
    if (parsed.success || !tolerantParse(setting, raw, environment)?.success) return [];
    return [`${setting.variable} ${parsed.error.issues[0]?.message}; tolerated because NODE_ENV=development`];
  });
}

function tolerantParse<T>(
  { toleratedInDevelopment }: Setting<T>,
  raw: string | undefined,
  environment: Readonly<Record<string, string | undefined>>,
): z.ZodSafeParseResult<T> | undefined {
  return environment['NODE_ENV'] === 'development' ? toleratedInDevelopment?.safeParse(raw) : undefined;
}

function rawValue(
  variable: string,
  environment: Readonly<Record<string, string | undefined>>,
): string | undefined {
  return environment[variable] === '' ? undefined : environment[variable];
}

function quote(raw: string): string {
  const shown = raw.length > 80 ? `${raw.slice(0, 80)}…` : raw;
  return JSON.stringify(shown);
}
