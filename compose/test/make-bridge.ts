import { networkInterfaces } from 'node:os';
import { runCommand } from './run-command.ts';

export interface Bridge {
  readonly name: string;
  remove(): Promise<void>;
}

/**
 * Makes a network for the containers of one engine. The one that engines take by themselves is the same for all of them:
 * two would give one address twice, and the first to end takes it from the other.
 * @returns undefined where it can't be made
 */
export async function makeBridge(): Promise<Bridge | undefined> {
  const used = Object.values(networkInterfaces()).flatMap((addresses) =>
    (addresses ?? []).map(({ address }) => address),
  );
  for (let net = 0; net < 256; net += 1) {
    const [name, address] = [`jobbertest${net}`, `10.213.${net}.1`];
    if (used.includes(address)) continue;
    // Taken meanwhile by another one of ours: its name is.
    if (!(await ip('link', 'add', 'name', name, 'type', 'bridge'))) continue;
    const remove = async () => void (await ip('link', 'delete', name));
    const ready =
      (await ip('address', 'add', `${address}/24`, 'dev', name)) && (await ip('link', 'set', name, 'up'));
    if (ready) return { name, remove };
    await remove();
  }
  return undefined;
}

async function ip(...args: string[]): Promise<boolean> {
  return (await runCommand('ip', args).catch(() => undefined))?.code === 0;
}
