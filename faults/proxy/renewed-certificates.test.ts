import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AuthServiceDefinition } from '@jobber/proto/auth/v1/auth';
import type { GrpcTls } from '@jobber/shared/config';
import { createGrpcClient, deadline, serveGrpc } from '@jobber/shared/grpc';
import { authServiceForTests } from '@jobber/shared/grpc/testing';
import { createScope, type Scope } from '@jobber/shared/lifecycle';
import { createLogger } from '@jobber/shared/log';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { makeAuthority } from './test-authority.ts';

const SECRET = '0f4a8c1d9e7b36251a2b3c4d5e6f7081';
const openssl = spawnSync('openssl', ['version']).status === 0;
const folder = mkdtempSync(join(tmpdir(), 'jobber-renewed-'));
const log = createLogger({ daemon: 'test', level: 'silent' });
const scope = createScope(log);
afterAll(async () => {
  await scope.release();
  rmSync(folder, { recursive: true, force: true });
});

function authority(name: string): { issue(): GrpcTls } {
  const made = makeAuthority(folder, name);
  return {
    issue() {
      const { certificateFile, keyFile } = made.issue('IP:127.0.0.1');
      const [ca, certificate, key] = [made.certificateFile, certificateFile, keyFile].map((file) =>
        readFileSync(file, 'utf8'),
      ) as [string, string, string];
      return { ca, certificate, key };
    },
  };
}

/** A replica of a daemon: its port, and what stops it as a daemon stops. */
async function serve(tls: GrpcTls): Promise<{ port: number; scope: Scope }> {
  const own = createScope(log);
  const port = await serveGrpc({
    host: '127.0.0.1',
    port: 0,
    serviceSecret: SECRET,
    tls,
    services: [authServiceForTests()],
    scope: own,
    log,
  });
  return { port, scope: own };
}

function client(port: number, tls: GrpcTls | undefined) {
  const address = `127.0.0.1:${port}`;
  return createGrpcClient(AuthServiceDefinition, {
    address,
    caller: 'jobs',
    serviceSecret: SECRET,
    tls,
    scope,
  });
}

/** As a Service of Kubernetes: a new connection goes to one of the replicas in turn, one that stands stays where it is. */
async function balance(replicas: { port: number }[]): Promise<number> {
  let turn = 0;
  const open = new Set<Socket>();
  const server = createServer((from) => {
    const { port } = replicas[turn++ % replicas.length] as { port: number };
    const to = connect(port, '127.0.0.1');
    for (const [one, other] of [
      [from, to],
      [to, from],
    ] as const) {
      open.add(one);
      one.pipe(other);
      one.on('error', () => other.destroy()).on('close', () => open.delete(one));
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  scope.defer('balancer', () => {
    for (const socket of open) socket.destroy();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

describe('certificates between the daemons', () => {
  beforeEach(({ skip }) => {
    if (!openssl) skip('the program openssl is not on this machine');
  });

  test('whoever has none, or one of another authority, is refused; renewed ones of the same authority are believed', async () => {
    const ours = authority('ours');
    const [first, renewed] = [ours.issue(), ours.issue()];
    const call = async (server: GrpcTls, tls: GrpcTls | undefined) => {
      const { port, scope: own } = await serve(server);
      try {
        await client(port, tls).authenticateMany({ tokens: [] }, deadline(60_000));
        return 'served';
      } catch {
        return 'refused';
      } finally {
        await own.release();
      }
    };
    expect(await call(first, renewed)).toBe('served');
    expect(await call(renewed, first)).toBe('served');
    const foreign = authority('foreign').issue();
    expect(await call(first, { ...foreign, ca: first.ca })).toBe('refused');
    expect(await call(foreign, first)).toBe('refused');
    expect(await call(first, undefined)).toBe('refused');
  });

  test('two replicas that are replaced one after the other, for renewed certificates, cost no call', async () => {
    const ours = authority('replicas');
    const [first, renewed] = [ours.issue(), ours.issue()];
    const replicas = [await serve(first), await serve(first)];
    const port = await balance(replicas);
    const failures: string[] = [];
    let answered = 0;
    let ending = false;
    const callers = [first, first, renewed, renewed].map(async (tls) => {
      const auth = client(port, tls);
      while (!ending) {
        try {
          await auth.authenticateMany({ tokens: [] }, deadline(60_000));
          answered += 1;
        } catch (error) {
          failures.push(String(error));
        }
      }
    });
    const more = async () => {
      const before = answered;
      await expect.poll(() => answered, { timeout: 60_000, interval: 5 }).toBeGreaterThan(before + 50);
    };
    await more();
    for (const [index, old] of replicas.entries()) {
      // The new one is ready before the old one goes, and is the only one that gets new connections.
      replicas[index] = await serve(renewed);
      await old.scope.release();
      await more();
    }
    ending = true;
    await Promise.all(callers);
    for (const { scope: own } of replicas) await own.release();
    expect(failures).toEqual([]);
  }, 120_000);
});
