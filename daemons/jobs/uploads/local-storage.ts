import { createReadStream } from 'node:fs';
import { mkdir, open, opendir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isObjectName, type ObjectStorage } from './object-storage.ts';

const UNFINISHED = '.part';
const READ_BYTES = 64 * 1024;

/** Keeps objects as files of one folder. */
export function createLocalStorage(folder: string): ObjectStorage {
  function pathOf(name: string): string {
    if (!isObjectName(name)) throw new Error('not a name of an upload');
    return join(folder, name);
  }

  return {
    async write(name, source) {
      const path = pathOf(name);
      const unfinished = `${path}${UNFINISHED}`;
      try {
        const file = await open(unfinished, 'wx', 0o600);
        try {
          for await (const chunk of source) await file.writeFile(chunk);
          await file.sync();
        } finally {
          await file.close();
        }
        await rename(unfinished, path);
        await syncFolder(folder);
      } catch (error) {
        await rm(unfinished, { force: true });
        throw error;
      }
    },
    read(name, range) {
      const options = range ? { start: range.from, end: range.to - 1 } : {};
      return createReadStream(pathOf(name), { ...options, highWaterMark: READ_BYTES });
    },
    async remove(name) {
      await rm(pathOf(name), { force: true });
      await rm(`${pathOf(name)}${UNFINISHED}`, { force: true });
    },
    async *untouchedFor(ageMs) {
      for await (const entry of await opendir(folder)) {
        const finished = !entry.name.endsWith(UNFINISHED);
        const name = finished ? entry.name : entry.name.slice(0, -UNFINISHED.length);
        // What is not ours is left alone.
        if (!isObjectName(name)) continue;
        const found = await stat(join(folder, entry.name)).catch(() => undefined);
        if (found && Date.now() - found.mtimeMs >= ageMs) yield { name, finished };
      }
    },
  };
}

/** Makes the folder and checks that it can be written to. Rejects with the system's error. */
export async function prepareLocalStorage(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const probe = join(folder, `.probe-${process.pid}`);
  await (await open(probe, 'w', 0o600)).close();
  await rm(probe, { force: true });
}

/** A rename is durable when its folder is. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
