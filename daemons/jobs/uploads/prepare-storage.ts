import { ConfigError } from '@jobber/shared/config';
import type { Logger } from '@jobber/shared/log';
import { prepareLocalStorage } from './local-storage.ts';
import { StorageUnavailableError } from './object-storage.ts';
import type { StorageLocation } from './open-storage.ts';
import { isRefusal } from './s3-errors.ts';
import type { S3Location } from './s3-location.ts';

/**
 * Shows that uploads can be stored, before anybody relies on it. A bucket that does not answer is waited for by nobody:
 * uploads are refused as retryable until it does, and all else works.
 * @throws ConfigError when no waiting helps
 */
export async function prepareStorage(location: StorageLocation, log: Logger): Promise<void> {
  if (location.kind === 'folder') await prepareFolder(location.folder);
  else await prepareBucket(location, log);
}

async function prepareFolder(folder: string): Promise<void> {
  await prepareLocalStorage(folder).catch(({ code, message }: NodeJS.ErrnoException) => {
    throw new ConfigError([
      `JOBS_UPLOADS_DIR must be a folder that can be written to; got ${code ?? message} for ${JSON.stringify(folder)}`,
    ]);
  });
}

async function prepareBucket(location: S3Location, log: Logger): Promise<void> {
  const { probeS3Storage } = await import('./s3-storage.ts');
  const { bucket, endpoint = 'AWS' } = location;
  try {
    await probeS3Storage(location);
    log.info({ bucket, endpoint }, 'uploads are kept in a bucket');
  } catch (error) {
    if (!(error instanceof StorageUnavailableError)) throw error;
    if (isRefusal(error)) {
      throw new ConfigError([
        `JOBS_UPLOADS_URL must name a bucket that may be written to, listed and deleted from; ${endpoint} refused ${bucket}: ${error.code}${adviceOn(error.code)}`,
      ]);
    }
    log.warn(
      { bucket, endpoint, code: error.code },
      'the storage of uploads does not answer; uploads are refused as retryable until it does',
    );
  }
}

function adviceOn(code: string): string {
  switch (code) {
    case 'InvalidAccessKeyId':
    case 'SignatureDoesNotMatch':
    case 'ExpiredToken':
    case 'InvalidToken':
      return '; check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN';
    case 'CredentialsProviderError':
      return '; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give the pod or the machine a role';
    case 'AccessDenied':
      return '; the role needs s3:PutObject, GetObject, DeleteObject, ListBucket, ListBucketMultipartUploads and AbortMultipartUpload';
    case 'NoSuchBucket':
      return '; make it first';
    case 'RegionMissing':
      return '; add ?region= to the URL, or set AWS_REGION';
    case 'PermanentRedirect':
    case 'AuthorizationHeaderMalformed':
      return '; the bucket is in another region';
    default:
      return '';
  }
}
