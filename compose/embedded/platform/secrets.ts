import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { PlatformError } from './platform-error.ts';
import { writePrivateFile } from './private-file.ts';

/** What the parts of one platform prove to each other; made once per data folder. */
export interface PlatformSecrets {
  readonly service: string;
  /** Makes the first account the administrator. */
  readonly setupToken: string;
  readonly authDatabase: string;
  readonly jobsDatabase: string;
  readonly productsDatabase: string;
}

const NAMES = ['service', 'setupToken', 'authDatabase', 'jobsDatabase', 'productsDatabase'] as const;

/**
 * The secrets in `file`, which is made at the first start.
 * @throws PlatformError when the file is there and unusable: new secrets would make what is stored unreadable
 */
export function readOrCreateSecrets(file: string): PlatformSecrets {
  const known = readSecrets(file);
  if (known && NAMES.every((name) => name in known)) return known as PlatformSecrets;
  const made = Object.fromEntries(NAMES.map((name) => [name, randomBytes(32).toString('hex')]));
  const secrets = { ...made, ...known } as PlatformSecrets;
  writePrivateFile(file, `${JSON.stringify(secrets, null, 2)}\n`);
  return secrets;
}

function readSecrets(file: string): Partial<PlatformSecrets> | undefined {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw damaged(file, (error as NodeJS.ErrnoException).code ?? 'unreadable', error);
  }
  try {
    const value: unknown = JSON.parse(text);
    const entries = Object.entries(value as object);
    if (entries.every(([, secret]) => typeof secret === 'string' && secret.length >= 32)) {
      return Object.fromEntries(entries);
    }
  } catch {
    // The parser's message would quote the file.
  }
  throw damaged(file, 'it is not what jobber wrote');
}

function damaged(file: string, why: string, cause?: unknown): PlatformError {
  return new PlatformError(
    'folder-unusable',
    `The platform's secrets in ${file} cannot be used (${why}): restore the file from a backup, or start in another folder with --data-dir.`,
    { cause },
  );
}
