import { runDaemon } from '@jobber/shared/lifecycle';
import { loadAuthConfig } from './config.ts';
import { startAuth } from './start-auth.ts';

await runDaemon({
  name: 'auth',
  configure: () => loadAuthConfig(process.env),
  start: async (context) => void (await startAuth(context)),
  stopWhenStdinEnds: /^(true|1)$/.test(process.env['JOBBER_SUPERVISED'] ?? ''),
});
