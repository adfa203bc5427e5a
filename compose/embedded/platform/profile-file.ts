import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PlatformError } from './platform-error.ts';
import { writePrivateFile } from './private-file.ts';

/** Where the platform answers, as the CLI reads it from `$JOBBER_HOME/profiles.json`. */
export interface LocalProfile {
  readonly auth: string;
  readonly jobs: string;
  readonly products: string;
  /** There while nobody has used it: `jobber register` then makes the administrator. */
  readonly setupToken?: string;
}

/** The profile of a platform that was given no other name. */
export const LOCAL_PROFILE = 'local';

/**
 * Writes the profile of a platform on this machine; the other profiles stay, and so does the current one, if there is one.
 * @returns the current profile's name
 * @throws PlatformError `profile-damaged`
 */
export function writeLocalProfile(jobberHome: string, name: string, profile: LocalProfile): string {
  const path = join(jobberHome, 'profiles.json');
  const known = readProfiles(path);
  const current = typeof known.current === 'string' && known.current !== '' ? known.current : name;
  const content = { ...known, current, profiles: { ...known.profiles, [name]: profile } };
  writePrivateFile(path, `${JSON.stringify(content, null, 2)}\n`);
  return current;
}

/**
 * A name that somebody gave to a platform elsewhere is not taken from it; `local` is always that of this machine.
 * @throws PlatformError `profile-damaged`, `profile-taken`
 */
export function requireProfileOfThisMachine(jobberHome: string, name: string): void {
  const profiles = readProfiles(join(jobberHome, 'profiles.json')).profiles ?? {};
  const known: unknown = Object.hasOwn(profiles, name) ? profiles[name as keyof typeof profiles] : undefined;
  const address: unknown = isRecord(known) ? known['auth'] : undefined;
  if (name === LOCAL_PROFILE || typeof address !== 'string') return;
  if (URL.parse(address)?.hostname === '127.0.0.1') return;
  throw new PlatformError(
    'profile-taken',
    `The profile ${name} is that of ${address}: name another one with --profile.`,
  );
}

function readProfiles(path: string): { current?: unknown; profiles?: object } {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw damaged(path, (error as Error).message, error);
  }
  try {
    const value: unknown = JSON.parse(text);
    if (isRecord(value) && (value['profiles'] === undefined || isRecord(value['profiles']))) return value;
  } catch (error) {
    // The parser's message would quote the file, setup token included.
    throw damaged(path, 'it is not JSON', error);
  }
  throw damaged(path, 'it does not hold profiles');
}

function isRecord(value: unknown): value is Record<string, object> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function damaged(path: string, why: string, cause?: unknown): PlatformError {
  return new PlatformError(
    'profile-damaged',
    `The profiles in ${path} cannot be read (${why}): mend the file or delete it.`,
    {
      cause,
    },
  );
}
