import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { isObjectMissing, type ObjectStorage, type StoredObject } from '../uploads/object-storage.ts';

/** What tests know about a storage beside its interface. */
export interface StorageUnderTest {
  readonly storage: ObjectStorage;
  /** Whatever is there, finished or not, of names that are ours. */
  leftovers(): Promise<readonly string[]>;
}

const MIB = 1024 * 1024;

/** The rules that every storage of uploads keeps. */
export function testStorageContract(what: string, open: () => Promise<StorageUnderTest>): void {
  const newName = () => `${randomUUID()}.json`;

  async function readAll(storage: ObjectStorage, name: string, range?: { from: number; to: number }) {
    const chunks: Uint8Array[] = [];
    for await (const chunk of storage.read(name, range)) chunks.push(chunk);
    return Buffer.concat(chunks);
  }

  test.each([0, 1, 100_000, 20 * MIB + 3])(`${what}: %i bytes come back as they were`, async (size) => {
    const { storage } = await open();
    const name = newName();
    await storage.write(name, pieces(size));
    const back = await readAll(storage, name);
    expect(back.length).toBe(size);
    expect(back.equals(content(0, size))).toBe(true);
    await storage.remove(name);
  });

  test(`${what}: a range has the bytes from the first to before the last, also across parts`, async () => {
    const { storage } = await open();
    const name = newName();
    await storage.write(name, pieces(17 * MIB));
    for (const [from, to] of [
      [0, 1],
      [8 * MIB - 2, 8 * MIB + 2],
      [17 * MIB - 1, 17 * MIB],
    ] as const) {
      expect((await readAll(storage, name, { from, to })).equals(content(from, to))).toBe(true);
    }
    await storage.remove(name);
  });

  test(`${what}: a reader may stop early, and go slowly`, async () => {
    const { storage } = await open();
    const name = newName();
    await storage.write(name, pieces(MIB));
    for await (const chunk of storage.read(name)) {
      expect(chunk.length).toBeGreaterThan(0);
      break;
    }
    await storage.remove(name);
  });

  test(`${what}: a missing object is told as missing, and removing it is no error`, async () => {
    const { storage } = await open();
    const name = newName();
    const reading = readAll(storage, name);
    await expect(reading.catch(isObjectMissing)).resolves.toBe(true);
    await storage.remove(name);
  });

  test(`${what}: what is removed is gone`, async () => {
    const { storage, leftovers } = await open();
    const name = newName();
    await storage.write(name, pieces(10));
    await storage.remove(name);
    await expect(readAll(storage, name).catch(isObjectMissing)).resolves.toBe(true);
    expect(await leftovers()).not.toContain(name);
  });

  test.each([10, 20 * MIB])(
    `${what}: a sender that fails after %i bytes leaves nothing, and its error is told as it is`,
    async (size) => {
      const { storage, leftovers } = await open();
      const name = newName();
      const failure = new Error('the sender has gone');
      await expect(storage.write(name, pieces(size, failure))).rejects.toBe(failure);
      await expect(readAll(storage, name).catch(isObjectMissing)).resolves.toBe(true);
      expect(await leftovers()).not.toContain(name);
    },
  );

  test(`${what}: what nobody has touched for a while is found, and only that`, async () => {
    const { storage } = await open();
    const name = newName();
    await storage.write(name, pieces(10));
    expect((await collect(storage.untouchedFor(60 * 60_000))).map((found) => found.name)).not.toContain(name);
    await expect.poll(() => collect(storage.untouchedFor(0))).toContainEqual({ name, finished: true });
    await storage.remove(name);
  });

  test(`${what}: names that are not ours are refused`, async () => {
    const { storage } = await open();
    for (const name of ['../../etc/passwd', 'a.json', '', `${randomUUID()}.json/x`]) {
      await expect(storage.write(name, pieces(1))).rejects.toThrow('not a name of an upload');
      await expect(readAll(storage, name)).rejects.toThrow('not a name of an upload');
      await expect(storage.remove(name)).rejects.toThrow('not a name of an upload');
    }
  });
}

export async function collect(objects: AsyncIterable<StoredObject>): Promise<StoredObject[]> {
  const found: StoredObject[] = [];
  for await (const object of objects) found.push(object);
  return found;
}

/** The bytes [from, to) of a text without end in which each byte depends on its place. */
export function content(from: number, to: number): Buffer {
  const bytes = Buffer.alloc(to - from);
  for (let at = from; at < to; at += 1) bytes[at - from] = (at * 31 + (at >> 8) + (at >> 16)) & 0xff;
  return bytes;
}

/** `size` bytes of it, piece by piece, and then perhaps a failure. */
export async function* pieces(size: number, failure?: Error): AsyncGenerator<Uint8Array> {
  for (let from = 0; from < size; from += 64 * 1024) yield content(from, Math.min(size, from + 64 * 1024));
  if (failure) throw failure;
}
