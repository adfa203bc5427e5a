// What a supervisor sees of a daemon: it answers, logs, drains when asked, when its standard input ends, and fails.
import { existsSync } from 'node:fs';
import { createServer } from 'node:http';

/**
 * FAKE_EXIT_<NAME>: ends at once with that code. FAKE_DRAIN_MS: how long stopping takes; FAKE_DRAIN_UNTIL: until there is that file.
 * FAKE_DEAF_<NAME>: never stops.
 */
export function runFakeDaemon(name: string, environment: NodeJS.ProcessEnv): void {
  const upper = name.toUpperCase();
  const write = (level: string, msg: string, fields: object = {}) =>
    process.stdout.write(
      `${JSON.stringify({ level, time: new Date().toISOString(), pid: process.pid, daemon: name, ...fields, msg })}\n`,
    );
  const exitCode = environment[`FAKE_EXIT_${upper}`];
  if (exitCode !== undefined) {
    write('fatal', `${upper}_SETTING must be a whole number; got abc`);
    process.exit(Number(exitCode));
  }

  let stopping = false;
  const stop = (cause: string) => {
    if (stopping || environment[`FAKE_DEAF_${upper}`] !== undefined) return;
    stopping = true;
    write('info', 'stopping', { cause });
    const end = () => {
      write('info', 'stopped', { exitCode: 0 });
      process.exit(0);
    };
    const awaited = environment['FAKE_DRAIN_UNTIL'];
    if (awaited === undefined) setTimeout(end, Number(environment['FAKE_DRAIN_MS'] ?? 0));
    else setInterval(() => existsSync(awaited) && end(), 20);
  };
  process.on('SIGTERM', () => stop('SIGTERM'));
  process.stdin.on('end', () => stop('supervisor is gone')).resume();
  createServer((request, response) => {
    response.statusCode = request.url === `/${name}/ready` ? 200 : 404;
    response.end();
  }).listen(Number(environment[`${upper}_PORT`]), '127.0.0.1', () => write('info', 'started'));
}
