import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import {
  AbortMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  ListMultipartUploadsCommand,
  type ListMultipartUploadsCommandOutput,
  PutObjectCommand,
  paginateListObjectsV2,
  S3Client,
} from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { isObjectName, type ObjectStorage, type StoredObject } from './object-storage.ts';
import { throwAsOurs } from './s3-errors.ts';
import type { S3Location } from './s3-location.ts';

/** Parts of one upload that are held and sent at the same time: memory of one upload is this many parts. */
const PARTS_AT_ONCE = 2;
const MIN_PART_BYTES = 8 * 1024 * 1024;
/** S3's own limit. */
const MAX_PARTS = 10_000;
/** A storage that is silent for that long, in milliseconds, is away: requests are answered within 5 s. */
const SILENCE_MS = 3_500;
const CONNECT_MS = 2_000;

/**
 * Keeps objects in a bucket. Credentials: AWS's variables, a profile, a role of the pod or of the machine.
 * @param maxObjectBytes of the largest object that will be written; an object of 1 TiB takes parts of 105 MiB
 */
export function createS3Storage(location: S3Location, maxObjectBytes = 0): ObjectStorage {
  const { bucket: Bucket, prefix } = location;
  const client = createClient(location, { requestTimeout: SILENCE_MS, throwOnRequestTimeout: true });
  // A part may take its time as long as bytes move.
  const uploader = createClient(location, { socketTimeout: SILENCE_MS });
  const partSize = Math.max(MIN_PART_BYTES, Math.ceil(maxObjectBytes / MAX_PARTS));

  function keyOf(name: string): string {
    if (!isObjectName(name)) throw new Error('not a name of an upload');
    return `${prefix}${name}`;
  }

  return {
    async write(name, source) {
      const Key = keyOf(name);
      const body = remember(source);
      const upload = new Upload({
        client: uploader,
        params: { Bucket, Key, Body: Readable.from(body.chunks, { objectMode: false }) },
        queueSize: PARTS_AT_ONCE,
        partSize,
        leavePartsOnError: true,
      });
      try {
        await upload.done();
      } catch (error) {
        const { uploadId: UploadId } = upload;
        const aborted = UploadId ? abort(client, { Bucket, Key, UploadId }) : Promise.resolve();
        // If this fails as well, `untouchedFor` finds what is left.
        const settled = aborted.catch(() => {});
        if (!body.failed()) throwAsOurs(error);
        // What the sender did wrong is not the storage's failure, and nothing stays behind when it is told.
        await settled;
        throw body.error();
      }
    },
    async *read(name, range) {
      const Key = keyOf(name);
      const Range = range && `bytes=${range.from}-${range.to - 1}`;
      try {
        const { Body } = await client.send(new GetObjectCommand({ Bucket, Key, Range }));
        yield* whileItSpeaks(Body as Readable);
      } catch (error) {
        throwAsOurs(error);
      }
    },
    async remove(name) {
      const Key = keyOf(name);
      try {
        await client.send(new DeleteObjectCommand({ Bucket, Key }));
        for await (const { Key: found, UploadId } of unfinished(client, { Bucket, Prefix: Key })) {
          if (found === Key) await abort(client, { Bucket, Key, UploadId });
        }
      } catch (error) {
        throwAsOurs(error);
      }
    },
    async *untouchedFor(ageMs) {
      const before = Date.now() - ageMs;
      const isOld = (at: Date | undefined) => at !== undefined && at.getTime() <= before;
      try {
        for await (const { Contents = [] } of paginateListObjectsV2({ client }, { Bucket, Prefix: prefix })) {
          for (const { Key, LastModified } of Contents) {
            if (isOld(LastModified)) yield* ours(Key, true);
          }
        }
        for await (const { Key, Initiated } of unfinished(client, { Bucket, Prefix: prefix })) {
          if (isOld(Initiated)) yield* ours(Key, false);
        }
      } catch (error) {
        throwAsOurs(error);
      }
    },
  };

  function* ours(key: string | undefined, finished: boolean): Generator<StoredObject> {
    const name = key?.startsWith(prefix) ? key.slice(prefix.length) : '';
    // What is not ours is left alone.
    if (isObjectName(name)) yield { name, finished };
  }
}

/**
 * Writes, lists and removes an object, as Jobs will.
 * @throws StorageUnavailableError; `isRefusal` says whether to wait is of any use
 */
export async function probeS3Storage(location: S3Location): Promise<void> {
  const client = createClient(location, { requestTimeout: SILENCE_MS, throwOnRequestTimeout: true });
  const { bucket: Bucket, prefix } = location;
  const Key = `${prefix}.probe-${randomUUID()}`;
  try {
    await client.send(new PutObjectCommand({ Bucket, Key, Body: 'jobber' }));
    await paginateListObjectsV2({ client }, { Bucket, Prefix: Key, MaxKeys: 1 }).next();
    await client.send(new DeleteObjectCommand({ Bucket, Key }));
  } catch (error) {
    throwAsOurs(error);
  } finally {
    client.destroy();
  }
}

function createClient(
  { endpoint, region, pathStyle }: S3Location,
  patience: { requestTimeout: number; throwOnRequestTimeout: boolean } | { socketTimeout: number },
): S3Client {
  const client = new S3Client({
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(region === undefined ? {} : { region }),
    forcePathStyle: pathStyle,
    maxAttempts: 3,
    requestHandler: { connectionTimeout: CONNECT_MS, ...patience },
    // Many storages that speak as S3 does know none of AWS's newer checksums; each upload has a SHA-256 of our own.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
  });
  client.middlewareStack.addRelativeTo(giveUpSilence, {
    name: 'giveUpSilence',
    relation: 'after',
    toMiddleware: 'retryMiddleware',
  });
  return client;
}

/** A silent storage is not asked again: the caller has waited as long as it may. */
function giveUpSilence<Next extends (args: never) => Promise<unknown>>(next: Next): Next {
  const handle = async (args: never) => {
    try {
      return await next(args);
    } catch (error) {
      throw isSilence(error) ? silence() : error;
    }
  };
  return handle as Next;
}

/** The SDK calls reset connections time-outs, too; these are worth another try. */
function isSilence(error: unknown): boolean {
  const { name, code } = error as NodeJS.ErrnoException;
  return name === 'TimeoutError' && code !== 'ECONNRESET' && code !== 'EPIPE';
}

/** Without a cause and a code of the system: the SDK would take it for worth another try. */
function silence(): Error {
  return Object.assign(new Error('The storage is silent'), { name: 'NoAnswer' });
}

/** Gives up a body of which nothing arrives for a while; a reader may take as long as it likes. */
async function* whileItSpeaks(body: Readable): AsyncGenerator<Uint8Array> {
  const watch = () => setTimeout(() => body.destroy(silence()), SILENCE_MS);
  let timer = watch();
  try {
    for await (const chunk of body) {
      clearTimeout(timer);
      yield chunk as Uint8Array;
      timer = watch();
    }
  } finally {
    clearTimeout(timer);
  }
}

/** What has been begun and neither completed nor aborted. */
async function* unfinished(
  client: S3Client,
  where: { Bucket: string; Prefix: string },
): AsyncGenerator<NonNullable<ListMultipartUploadsCommandOutput['Uploads']>[number]> {
  let next: { KeyMarker?: string | undefined; UploadIdMarker?: string | undefined } | undefined = {};
  while (next) {
    const page: ListMultipartUploadsCommandOutput = await client.send(
      new ListMultipartUploadsCommand({ ...where, ...next }),
    );
    yield* page.Uploads ?? [];
    next = page.IsTruncated
      ? { KeyMarker: page.NextKeyMarker, UploadIdMarker: page.NextUploadIdMarker }
      : undefined;
  }
}

async function abort(
  client: S3Client,
  upload: { Bucket: string; Key: string; UploadId: string | undefined },
): Promise<void> {
  await client.send(new AbortMultipartUploadCommand(upload)).catch((error: Error) => {
    // Somebody else was faster.
    if (error.name !== 'NoSuchUpload') throw error;
  });
}

/** A source whose own failure can be told from the storage's, which reaches it as well. */
function remember(source: AsyncIterable<Uint8Array>): {
  chunks: AsyncGenerator<Uint8Array>;
  failed: () => boolean;
  error: () => unknown;
} {
  let handedOver = false;
  let failed = false;
  let failure: unknown;
  async function* chunks(): AsyncGenerator<Uint8Array> {
    try {
      for await (const chunk of source) {
        handedOver = true;
        yield chunk;
        handedOver = false;
      }
    } catch (error) {
      failed = !handedOver;
      failure = error;
      throw error;
    }
  }
  return { chunks: chunks(), failed: () => failed, error: () => failure };
}
