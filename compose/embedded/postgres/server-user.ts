import { readFileSync, statSync } from 'node:fs';

/** Who the server runs as, when that is not ourselves. */
export interface ServerUser {
  readonly uid: number;
  readonly gid: number;
}

// All three exist on nearly every machine; `daemon` is there for images that have neither of the first two.
const PREFERRED = ['postgres', 'nobody', 'daemon'];
const NOBODY = 65_534;

/**
 * PostgreSQL refuses to run as root. As root this names another user for it, else undefined (run it as ourselves):
 * the owner of an existing data folder, else the first of `preferred` that the machine knows, else 65534.
 * No user is created and neither su nor sudo is needed: spawn switches (and drops the supplementary groups).
 */
export function chooseServerUser(
  dataDir: string,
  {
    preferred = PREFERRED,
    passwdFile = '/etc/passwd',
  }: { preferred?: readonly string[]; passwdFile?: string } = {},
): ServerUser | undefined {
  if (process.geteuid?.() !== 0) return undefined;
  const owner = statSync(dataDir, { throwIfNoEntry: false });
  if (owner && owner.uid !== 0) return { uid: owner.uid, gid: owner.gid };
  const known = readUsers(passwdFile);
  for (const name of preferred) {
    const user = known.get(name);
    if (user) return user;
  }
  return { uid: NOBODY, gid: NOBODY };
}

function readUsers(passwdFile: string): Map<string, ServerUser> {
  const users = new Map<string, ServerUser>();
  let text = '';
  try {
    text = readFileSync(passwdFile, 'utf8');
  } catch {
    // An image without the file knows no users; the last resort above still holds.
  }
  for (const line of text.split('\n')) {
    const [name, , uid, gid] = line.split(':');
    if (name && Number(uid) > 0) users.set(name, { uid: Number(uid), gid: Number(gid) });
  }
  return users;
}

/**
 * What to call the data folder in the arguments of a program whose working folder it is.
 * Another user often may not walk the path to it (`/root` is closed). Linux lets a process keep a working folder
 * that it could not have entered, and reach it as /proc/self/cwd whatever lies above: so the data stays where it was
 * asked for. PostgreSQL's processes never leave their data folder, so the name means the same in all of them.
 */
export function dataFolderArgument(dataDir: string, user: ServerUser | undefined): string {
  return user && process.platform === 'linux' ? '/proc/self/cwd' : dataDir;
}
