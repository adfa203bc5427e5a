import { StorageUnavailableError } from './object-storage.ts';

/** What the SDK throws, as far as it is looked at. */
interface S3Failure {
  readonly name?: string;
  readonly code?: string;
  readonly message?: string;
  readonly $metadata?: { readonly httpStatusCode?: number };
}

/** Codes that no waiting mends: the settings have to be changed. */
const REFUSALS = new Set(['CredentialsProviderError', 'RegionMissing']);

/**
 * An error of the SDK as ours: a missing object has the code ENOENT, as a missing file has, and all else is a storage that
 * does not serve. Its texts can name hosts and keys; only its codes are taken.
 */
export function throwAsOurs(error: unknown): never {
  if (error instanceof StorageUnavailableError) throw error;
  const { name } = error as S3Failure;
  if (name === 'NoSuchKey' || name === 'NotFound')
    throw Object.assign(new Error('The object does not exist', { cause: error }), { code: 'ENOENT' });
  throw new StorageUnavailableError(codeOf(error as S3Failure), { cause: error });
}

/** Whether the storage answered and refused (wrong credentials, no such bucket), so that to wait is no use. */
export function isRefusal(error: StorageUnavailableError): boolean {
  const status = (error.cause as S3Failure | undefined)?.$metadata?.httpStatusCode ?? 0;
  return REFUSALS.has(error.code) || (status >= 300 && status < 500 && status !== 429);
}

function codeOf({ name, code, message = '', $metadata }: S3Failure): string {
  if (/^Region is missing/.test(message)) return 'RegionMissing';
  const word = code ?? name ?? '';
  if (/^[A-Za-z][\w.]{1,60}$/.test(word) && word !== 'Error' && word !== 'Unknown') return word;
  return $metadata?.httpStatusCode ? `HTTP ${$metadata.httpStatusCode}` : 'no answer';
}
