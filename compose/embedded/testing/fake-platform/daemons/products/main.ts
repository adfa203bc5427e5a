import { runFakeDaemon } from '../../run-fake-daemon.ts';

runFakeDaemon('products', process.env);
