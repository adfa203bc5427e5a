import { runDaemon } from '@jobber/shared/lifecycle';
import { loadJobsConfig } from './config.ts';
import { startJobs } from './start-jobs.ts';

await runDaemon({
  name: 'jobs',
  configure: () => loadJobsConfig(process.env),
  start: async (context) => void (await startJobs(context)),
  stopWhenStdinEnds: /^(true|1)$/.test(process.env['JOBBER_SUPERVISED'] ?? ''),
});
