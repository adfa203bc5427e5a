import { runFakeDaemon } from '../../run-fake-daemon.ts';

runFakeDaemon('auth', process.env);
