import { enableCompileCache } from 'node:module';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** Keeps compiled code between runs, in the user's own folder: in a shared one others could plant code. */
export function useCompileCache() {
  try {
    enableCompileCache(join(homedir(), '.cache', 'jobber', 'compiled'));
  } catch {
    // Slower, not wrong: for example a user without a home folder.
  }
}
