import { runDaemon } from '@jobber/shared/lifecycle';
import { loadExecutorConfig } from './config.ts';
import { startExecutor } from './start-executor.ts';

await runDaemon({
  name: 'executor',
  configure: () => loadExecutorConfig(process.env),
  start: async (context) => void (await startExecutor(context)),
  stopWhenStdinEnds: /^(true|1)$/.test(process.env['JOBBER_SUPERVISED'] ?? ''),
});
