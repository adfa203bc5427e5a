import { runFakeDaemon } from '../../run-fake-daemon.ts';

runFakeDaemon('jobs', process.env);
