// A thread beside a handler in its process: it sees that the executor is gone even while the handler blocks, and ends the
// process and all that it has started.
import { workerData } from 'node:worker_threads';

const LOOK_MS = 500;

setInterval(() => {
  if (process.ppid !== workerData) process.kill(-process.pid, 'SIGKILL');
}, LOOK_MS);
