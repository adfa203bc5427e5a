import { setTimeout as delay } from 'node:timers/promises';
import { DAEMONS, type DaemonName } from '@jobber/compose/daemon-programs';
import { EDGES } from '../platform/edges.ts';
import type { Fault, World } from '../platform/world.ts';
import type { EdgeFault } from '../proxy/tcp-proxy.ts';
import type { Random } from '../random.ts';

/** A fault that chance has chosen; `strike` resolves when it is time to heal. */
export interface RandomFault extends Fault {
  strike(world: World): Promise<void>;
}

const HOUR_MS = 3_600_000;
const EDGE_FAULTS: readonly EdgeFault[] = [
  { kind: 'cut' },
  { kind: 'delayed', ms: 150 },
  { kind: 'black hole' },
  { kind: 'replies dropped' },
];
/** Two leases of two seconds, and some. */
const LONGEST_MS = 6_000;

export function chooseFault(random: Random): RandomFault {
  const lastsMs = random.integer(200, LONGEST_MS);
  switch (random.integer(0, 7)) {
    case 0:
    case 1:
      return signalFault(random, 'SIGKILL', lastsMs);
    case 2:
      return signalFault(random, 'SIGSTOP', lastsMs);
    case 3:
      return {
        name: 'PostgreSQL -m immediate',
        strike: async ({ platform }) => {
          await platform.databases.crash();
          await delay(lastsMs / 2);
        },
      };
    case 4:
      return {
        name: 'backends terminated',
        strike: async ({ platform }) => void (await platform.databases.terminateBackends()),
      };
    case 5:
      return clockFault(random, lastsMs);
    default:
      return edgeFault(random, lastsMs);
  }
}

function signalFault(random: Random, signal: 'SIGKILL' | 'SIGSTOP', lastsMs: number): RandomFault {
  const daemon = random.pick<DaemonName>(DAEMONS);
  const everyReplica = random.chance(0.3);
  return {
    name: `${signal} ${daemon}`,
    silences: daemon === 'jobs' && signal === 'SIGSTOP',
    async strike({ platform }) {
      const replicas = platform.replicas(daemon);
      for (const replica of everyReplica ? replicas : [random.pick(replicas)]) {
        try {
          replica.signal(signal);
        } catch {
          // It is being started after the fault before.
        }
      }
      if (signal === 'SIGSTOP') await delay(lastsMs);
    },
  };
}

function edgeFault(random: Random, lastsMs: number): RandomFault {
  const edge = random.pick(EDGES);
  const fault = random.pick(EDGE_FAULTS);
  return {
    name: `${edge} ${fault.kind}`,
    silences: edge === 'client-jobs',
    async strike({ platform }) {
      platform.edges[edge].inject(fault);
      await delay(lastsMs);
    },
  };
}

function clockFault(random: Random, lastsMs: number): RandomFault {
  const daemon = random.pick<DaemonName>(DAEMONS);
  // When Auth's clock goes back, tokens of before are not valid yet, and are refused for that.
  const offsetMs = random.integer(daemon === 'auth' ? 0 : -3 * HOUR_MS, 3 * HOUR_MS);
  return {
    name: `clock ${daemon}`,
    async strike({ platform }) {
      platform.shiftClock(daemon, offsetMs);
      await delay(lastsMs);
      platform.shiftClock(daemon, 0);
    },
  };
}
