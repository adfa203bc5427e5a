// A container's health check: `check-health.js [auth|jobs|executor|products]` ends with 0 when that daemon of this
// container is ready, otherwise with 1 and what it said. Without an argument it is the daemon that the container runs.
import { readFileSync } from 'node:fs';
import { get } from 'node:http';
import { DAEMONS, type DaemonName } from '../embedded/platform/daemon-programs.ts';

const PORTS: Readonly<Record<DaemonName, { variable: string; usual: number }>> = {
  auth: { variable: 'AUTH_PORT', usual: 3000 },
  jobs: { variable: 'JOBS_PORT', usual: 3001 },
  executor: { variable: 'EXECUTOR_PORT', usual: 3002 },
  products: { variable: 'PRODUCTS_PORT', usual: 3003 },
};
const ANSWER_WITHIN_MS = 10_000;

/** Which daemon a command line such as `node start.js auth` runs; its words end with NUL, as in /proc/1/cmdline. */
export function daemonOf(commandLine: string): DaemonName | undefined {
  const words = commandLine.split('\0');
  return DAEMONS.find((daemon) => words.includes(daemon));
}

/** The address at which a daemon tells whether it can serve. */
export function readyUrl(
  daemon: DaemonName,
  environment: Readonly<Record<string, string | undefined>>,
): string {
  const { variable, usual } = PORTS[daemon];
  return `http://127.0.0.1:${environment[variable] || usual}/${daemon}/ready`;
}

/** @returns undefined when the daemon is ready, otherwise why it is not */
export function findProblem(url: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const request = get(url, { agent: false, timeout: ANSWER_WITHIN_MS }, (response) => {
      let said = '';
      response.setEncoding('utf8').on('data', (text: string) => {
        said += text;
      });
      response.once('close', () => resolve(response.statusCode === 200 ? undefined : said || 'no answer'));
    });
    request.once('timeout', () => request.destroy(new Error(`no answer within ${ANSWER_WITHIN_MS} ms`)));
    request.once('error', (error) => resolve(error.message));
  });
}

async function main([name]: string[], environment: NodeJS.ProcessEnv): Promise<string | undefined> {
  const daemon = daemonOf(name ?? readFileSync('/proc/1/cmdline', 'utf8'));
  return daemon === undefined
    ? 'this container runs none of the daemons'
    : await findProblem(readyUrl(daemon, environment));
}

if (import.meta.main) {
  const problem = await main(process.argv.slice(2), process.env);
  if (problem !== undefined) {
    process.stdout.write(`${problem}\n`);
    process.exitCode = 1;
  }
}
