import { createLocalStorage } from './local-storage.ts';
import type { ObjectStorage } from './object-storage.ts';
import type { S3Location } from './s3-location.ts';

/** Where uploads are kept, in a form that can be handed to a thread. It holds no credentials. */
export type StorageLocation = { readonly kind: 'folder'; readonly folder: string } | S3Location;

const opened = new Map<string, Promise<ObjectStorage>>();

/**
 * The storage at a location. Each thread opens a location once and keeps its connections.
 * @param maxObjectBytes of the largest object that will be written
 */
export function openStorage(location: StorageLocation, maxObjectBytes = 0): Promise<ObjectStorage> {
  const key = JSON.stringify([location, maxObjectBytes]);
  const known = opened.get(key) ?? open(location, maxObjectBytes);
  opened.set(key, known);
  return known;
}

async function open(location: StorageLocation, maxObjectBytes: number): Promise<ObjectStorage> {
  if (location.kind === 'folder') return createLocalStorage(location.folder);
  // The client takes some 20 MB and a third of a second: only those who use it pay for it.
  const { createS3Storage } = await import('./s3-storage.ts');
  return createS3Storage(location, maxObjectBytes);
}
