import { AuthServiceDefinition } from '@jobber/proto/auth/v1/auth';
import { createScope } from '@jobber/shared/lifecycle';
import { createLogger } from '@jobber/shared/log';
import { afterEach, expect, test, vi } from 'vitest';
import { createGrpcClient } from './grpc-client.ts';
import { deadline, serveGrpc } from './index.ts';
import { authServiceForTests } from './testing/index.ts';

const SECRET = '0f4a8c1d9e7b36251a2b3c4d5e6f7081';
const log = createLogger({ daemon: 'test', level: 'silent' });

afterEach(() => vi.unstubAllEnvs());

test.each(['http_proxy', 'https_proxy', 'grpc_proxy'])(
  'daemons reach each other directly where %s names a proxy for the internet',
  async (variable) => {
    const scope = createScope(log);
    try {
      const port = await serveGrpc({
        host: '127.0.0.1',
        port: 0,
        serviceSecret: SECRET,
        tls: undefined,
        services: [authServiceForTests()],
        scope,
        log,
      });
      // Nothing answers at port 9.
      vi.stubEnv(variable, 'http://127.0.0.1:9');
      const address = `127.0.0.1:${port}`;
      const options = { address, caller: 'jobs', serviceSecret: SECRET, tls: undefined, scope } as const;
      const auth = createGrpcClient(AuthServiceDefinition, options);
      expect(await auth.authenticateMany({ tokens: [] }, deadline(30_000))).toEqual({ results: [] });
    } finally {
      await scope.release();
    }
  },
);
