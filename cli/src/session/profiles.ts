// Profiles say where a platform's daemons answer. $JOBBER_HOME/profiles.json:
//
//   {
//     "current": "local",
//     "profiles": {
//       "local": {
//         "auth": "http://127.0.0.1:3000", "jobs": "http://127.0.0.1:3001", "products": "http://127.0.0.1:3003",
//         "setupToken": "…"
//       }
//     }
//   }
//
// `jobber up` writes the profile `local` (0600, replaced as a whole). `setupToken` is there while the platform has no
// user yet: `jobber register` uses it, so that the owner of the machine becomes the administrator.
import { join } from 'node:path';
import { asTyped } from '../environment.ts';
import { usageFailure } from '../failure.ts';
import { didYouMean } from '../suggest.ts';
import { readPrivateFile, writePrivateFile } from './private-file.ts';

/** Base URLs of the daemons, without a trailing slash. */
export interface Addresses {
  readonly auth: string;
  readonly jobs: string;
  readonly products: string;
}

export type Daemon = keyof Addresses;

export interface Target {
  readonly profile: string;
  readonly addresses: Addresses;
  readonly setupToken: string | undefined;
  /** The flags with which a command means this platform, where it is not the one that is meant without any. */
  readonly asked?: string;
}

interface StoredProfile extends Addresses {
  setupToken?: string;
}

interface ProfilesFile {
  current: string;
  profiles: Record<string, StoredProfile>;
}

const LOCAL = 'local';
const DEFAULT_ADDRESSES: Addresses = {
  auth: 'http://127.0.0.1:3000',
  jobs: 'http://127.0.0.1:3001',
  products: 'http://127.0.0.1:3003',
};

/** Which platform a command talks to: an address given for all daemons wins over the profile's. */
export function resolveTarget(
  home: string,
  wanted: { profile: string | undefined; server: string | undefined },
): Target {
  const file = readProfiles(home);
  const profile = wanted.profile ?? file.current;
  if (wanted.server !== undefined) {
    const url = checkBaseUrl(wanted.server);
    const asked = `${wanted.profile === undefined ? '' : ` --profile ${profile}`} --server ${url}`;
    return { profile, addresses: { auth: url, jobs: url, products: url }, setupToken: undefined, asked };
  }
  const stored = file.profiles[profile];
  if (stored) {
    const { auth, jobs, products, setupToken } = stored;
    const asked = profile === file.current ? '' : ` --profile ${profile}`;
    return { profile, addresses: { auth, jobs, products }, setupToken, asked };
  }
  if (profile === LOCAL) return { profile, addresses: DEFAULT_ADDRESSES, setupToken: undefined };
  const names = Object.keys(file.profiles);
  throw usageFailure(
    `There is no profile ${profile} in ${profilesPath(home)}.${didYouMean(profile, names)} Make it with: ${asTyped(`login --profile ${profile} --server <url>`)}`,
    'PROFILE_NOT_FOUND',
  );
}

/** Remembers an address under a name and makes it the one that commands talk to. */
export function rememberProfile(home: string, name: string, addresses: Addresses): void {
  const file = readProfiles(home);
  save(home, { current: name, profiles: { ...file.profiles, [name]: { ...addresses } } });
}

/** The setup token works once. */
export function forgetSetupToken(home: string, name: string): void {
  const file = readProfiles(home);
  const stored = file.profiles[name];
  if (stored?.setupToken === undefined) return;
  const { auth, jobs, products } = stored;
  save(home, { ...file, profiles: { ...file.profiles, [name]: { auth, jobs, products } } });
}

/** @returns the URL without a trailing slash */
export function checkBaseUrl(text: string): string {
  const advice = 'give one like https://jobber.example.com or http://127.0.0.1:3000';
  const shown = text.replace(/\/\/[^/@]*@/, '//…@');
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw usageFailure(`"${shown}" is not an address: ${advice}`, 'INVALID_URL');
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw usageFailure(`"${shown}" is not an http:// or https:// address: ${advice}`, 'INVALID_URL');
  }
  if (url.username || url.password) {
    throw usageFailure(
      `"${shown}" holds a user name or password: log in with ${asTyped('login')} instead`,
      'INVALID_URL',
    );
  }
  if (url.search || url.hash) {
    throw usageFailure(
      `"${shown}" has a ? or # part, which an address of a server has not: ${advice}`,
      'INVALID_URL',
    );
  }
  return `${url.origin}${url.pathname}`.replace(/\/+$/, '');
}

function profilesPath(home: string): string {
  return join(home, 'profiles.json');
}

function readProfiles(home: string): ProfilesFile {
  const path = profilesPath(home);
  const text = readPrivateFile(path);
  if (text === undefined) return { current: LOCAL, profiles: {} };
  try {
    return parseProfiles(JSON.parse(text));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw usageFailure(
      `${path} is damaged: ${why}; mend it, or delete it and start ${asTyped('up')} again`,
      'PROFILES_DAMAGED',
    );
  }
}

function parseProfiles(value: unknown): ProfilesFile {
  if (!isRecord(value) || !isRecord(value['profiles'])) throw new Error('it has no "profiles"');
  const profiles = Object.entries(value['profiles']).map(([name, stored]) => {
    if (!isRecord(stored)) throw new Error(`the profile ${name} is no object`);
    const url = (daemon: Daemon) => {
      const text = stored[daemon];
      if (typeof text !== 'string') throw new Error(`the profile ${name} has no address "${daemon}"`);
      return checkBaseUrl(text);
    };
    const setupToken = stored['setupToken'];
    const addresses = { auth: url('auth'), jobs: url('jobs'), products: url('products') };
    return [name, { ...addresses, ...(typeof setupToken === 'string' ? { setupToken } : {}) }] as const;
  });
  const current = value['current'];
  return {
    current: typeof current === 'string' && current !== '' ? current : LOCAL,
    profiles: Object.fromEntries(profiles),
  };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function save(home: string, file: ProfilesFile): void {
  writePrivateFile(profilesPath(home), `${JSON.stringify(file, null, 2)}\n`);
}
