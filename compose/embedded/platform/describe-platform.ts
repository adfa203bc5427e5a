import { styleText } from 'node:util';
import type { PlatformPorts } from './platform-ports.ts';
import type { LocalProfile } from './profile-file.ts';

const HOST = '127.0.0.1';

/** Where the platform answers, for clients. */
export function platformAddresses(ports: PlatformPorts): LocalProfile {
  return {
    auth: `http://${HOST}:${ports.auth}`,
    jobs: `http://${HOST}:${ports.jobs}`,
    products: `http://${HOST}:${ports.products}`,
  };
}

/** What people want to know when the platform is ready. */
export function describePlatform(about: {
  ports: PlatformPorts;
  dataDir: string;
  seconds: number;
  setupToken: string | undefined;
  /** The profile of this platform. */
  profile: string;
  /** The profile that commands use unless told otherwise. */
  currentProfile: string;
  color: boolean;
}): string {
  const { ports, dataDir, setupToken, color } = about;
  const bold = (text: string) => (color ? styleText('bold', text, { validateStream: false }) : text);
  const dim = (text: string) => (color ? styleText('dim', text, { validateStream: false }) : text);
  const addresses = platformAddresses(ports);
  const profile = about.currentProfile === about.profile ? '' : ` --profile ${about.profile}`;
  const rows: [string, string][] = [
    ['Auth', `${addresses.auth}/auth/graphql`],
    ['Jobs', `${addresses.jobs}/jobs/graphql`],
    ['Products', `${addresses.products}/products/graphql`],
    ['Executor', `http://${HOST}:${ports.executor}/executor/healthcheck`],
    ['PostgreSQL', `${HOST}:${ports.postgres}`],
    ['Data', dataDir],
    ['', ''],
    ...howToLogIn(setupToken, profile),
    ['Run a job', `npx jobber job run fibonacci --iterations 100${profile}`],
    ['Stop', 'Ctrl-C'],
  ];
  const lines = rows.map(([name, value]) => `  ${dim(name.padEnd(11))} ${value}`.trimEnd());
  return ['', bold(`jobber is ready (${about.seconds.toFixed(1)} s)`), '', ...lines, '', ''].join('\n');
}

function howToLogIn(setupToken: string | undefined, profile: string): [string, string][] {
  if (setupToken === undefined) return [['Log in', `npx jobber login --email you@example.com${profile}`]];
  return [
    ['Register', `npx jobber register --email you@example.com${profile}`],
    ['', 'The first account that you make on this machine is the'],
    ['', 'administrator; one made elsewhere needs this one-time token:'],
    ['', setupToken],
    ['Log in', `npx jobber login --email you@example.com${profile}`],
  ];
}
