// The only file of the CLI that reads the environment.

export interface Environment {
  /** JOBBER_HOME: where profiles and credentials are kept. */
  readonly home: string | undefined;
  /** JOBBER_SERVER: as --server. */
  readonly server: string | undefined;
  /** JOBBER_PROFILE: as --profile. */
  readonly profile: string | undefined;
  readonly configHome: string | undefined;
  readonly dataHome: string | undefined;
}

/** An empty variable counts as one that is not set. */
export function readEnvironment(env: NodeJS.ProcessEnv = process.env): Environment {
  return {
    home: env['JOBBER_HOME'] || undefined,
    server: env['JOBBER_SERVER'] || undefined,
    profile: env['JOBBER_PROFILE'] || undefined,
    configHome: env['XDG_CONFIG_HOME'] || undefined,
    dataHome: env['XDG_DATA_HOME'] || undefined,
  };
}

/** A command as whoever reads a hint can type it: with `npx` in front when this one came that way. */
export function asTyped(command: string, env: NodeJS.ProcessEnv = process.env): string {
  return `${env['npm_command'] === 'exec' ? 'npx ' : ''}jobber ${command}`;
}
