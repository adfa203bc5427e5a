import { runFakeDaemon } from '../../run-fake-daemon.ts';

runFakeDaemon('executor', process.env);
