import { setTimeout as delay } from 'node:timers/promises';
import { type Context, Hono } from 'hono';

/** A check that readiness depends on: resolves when usable, rejects with the reason when not. */
export interface ReadinessCheck {
  readonly name: string;
  readonly check: () => Promise<void>;
}

/** How long one check may take, in milliseconds. */
const CHECK_TIMEOUT_MS = 2_000;

export interface Health {
  addCheck(check: ReadinessCheck): void;
  /** From now on the daemon is not ready: it is about to stop, and resolves after `serveOnSeconds`, in which it serves on. */
  startDraining(serveOnSeconds?: number): Promise<void>;
  isDraining(): boolean;
  /** The reasons why the daemon is not ready; empty when it is. */
  problems(): Promise<readonly string[]>;
}

export function createHealth(): Health {
  const checks: ReadinessCheck[] = [];
  let draining = false;
  return {
    addCheck: (check) => void checks.push(check),
    async startDraining(serveOnSeconds = 0) {
      draining = true;
      if (serveOnSeconds > 0) await delay(serveOnSeconds * 1_000);
    },
    isDraining: () => draining,
    async problems() {
      if (draining) return ['stopping'];
      const results = await Promise.all(checks.map(runCheck));
      return results.filter((result) => result !== undefined);
    },
  };
}

async function runCheck({ name, check }: ReadinessCheck): Promise<string | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${CHECK_TIMEOUT_MS} ms`)), CHECK_TIMEOUT_MS);
  });
  try {
    await Promise.race([check(), timeout]);
    return undefined;
  } catch (error) {
    return `${name}: ${publicReason(error)}`;
  } finally {
    clearTimeout(timer);
  }
}

// Messages of drivers can name hosts and users; their codes cannot.
function publicReason(error: unknown): string {
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') return error.code;
  return error instanceof Error && error.message.startsWith('no answer') ? error.message : 'not usable';
}

/**
 * `/<daemon>/healthcheck` and `/live`: the process answers. `/ready`: it can serve, or 503; why not is told only to those who
 * ask directly, such as an orchestrator's probe, and not through a proxy or an ingress, behind which is the internet.
 */
export function healthRoutes(daemon: string, health: Health): Hono {
  const app = new Hono();
  app.get(`/${daemon}/healthcheck`, (c) => c.json({ status: 'ok' }));
  app.get(`/${daemon}/live`, (c) => c.json({ status: 'ok' }));
  app.get(`/${daemon}/ready`, async (c) => {
    const problems = await health.problems();
    if (problems.length === 0) return c.json({ status: 'ready' });
    return c.json({ status: 'not ready', ...(isProxied(c) ? {} : { problems }) }, 503);
  });
  return app;
}

function isProxied(c: Context): boolean {
  return ['x-forwarded-for', 'forwarded', 'via'].some((header) => c.req.header(header) !== undefined);
}
