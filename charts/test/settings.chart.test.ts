import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { loadAuthConfig } from '../../daemons/auth/config.ts';
import { loadExecutorConfig } from '../../daemons/executor/config.ts';
import { loadJobsConfig } from '../../daemons/jobs/config.ts';
import { loadProductsConfig } from '../../daemons/products/config.ts';
import { readTable } from '../../scripts/markdown-blocks.ts';
import { combinations } from './test-combinations.ts';
import { find, type Manifest, ofKind, render } from './test-helm.ts';

const page = readFileSync(new URL('../../docs/configuration.md', import.meta.url), 'utf8');
const DAEMONS = {
  auth: loadAuthConfig,
  jobs: loadJobsConfig,
  executor: loadExecutorConfig,
  products: loadProductsConfig,
} as const;
type Daemon = keyof typeof DAEMONS;
const daemons = Object.keys(DAEMONS) as Daemon[];
/** Of the AWS SDK, and parts of other variables. */
const FOREIGN = /^(AWS_ACCESS_KEY_ID|AWS_SECRET_ACCESS_KEY|(AUTH|JOBS|PRODUCTS)_DATABASE_PASSWORD)$/;
const rendered = Object.entries(combinations()).map(([name, args]) => [name, render(...args)] as const);

function containerOf(manifests: readonly Manifest[], daemon: Daemon): Manifest {
  return find(manifests, 'Deployment', `${daemon}-service`).spec.template.spec.containers[0];
}

/** What a daemon would see: Secrets have a value that will do, and `$(NAME)` is replaced as Kubernetes does it. */
function environmentOf(container: Manifest): Record<string, string> {
  const seen: Record<string, string> = {};
  for (const { name, value, valueFrom } of container.env) {
    const database = /^(\w+)-url$/.exec(valueFrom?.secretKeyRef?.key ?? '')?.[1];
    const secret = database
      ? `postgresql://${database}:pw@host:5432/${database}`
      : '0f4a8c1d9e7b36251a2b3c4d5e6f7081';
    seen[name] = valueFrom
      ? secret
      : value.replaceAll(/\$\((\w+)\)/g, (_: string, other: string) => seen[other] ?? `$(${other})`);
  }
  return seen;
}

test.each(rendered)(
  '%s: daemons get the variables that docs/configuration.md has for them, and start with them',
  (_, manifests) => {
    for (const daemon of daemons) {
      const environment = environmentOf(containerOf(manifests, daemon));
      const documented = [...readTable(page, 'common'), ...readTable(page, daemon)].map(
        ([variable]) => variable,
      );
      const unknown = Object.keys(environment).filter(
        (name) => !documented.includes(name) && !FOREIGN.test(name),
      );
      expect(unknown, daemon).toEqual([]);
      // Files that exist in the container only.
      const files = Object.keys(environment).filter((name) => name.endsWith('_FILE'));
      for (const name of files) delete environment[name];
      expect(() => DAEMONS[daemon](environment), daemon).not.toThrow();
      expect(environment['NODE_ENV']).toBe('production');
    }
  },
);

test('files that a variable names lie in a folder that is mounted', () => {
  for (const [name, manifests] of rendered) {
    for (const daemon of daemons) {
      const { env, volumeMounts } = containerOf(manifests, daemon);
      const files = env.filter((variable: Manifest) => variable.name.endsWith('_FILE'));
      const folders: string[] = volumeMounts.map(({ mountPath }: Manifest) => `${mountPath}/`);
      for (const { value } of files) {
        expect(
          folders.some((folder) => value.startsWith(folder)),
          `${name}: ${value}`,
        ).toBe(true);
      }
    }
  }
});

test('Jobs and the executors have the same broker', () => {
  for (const [name, manifests] of rendered) {
    const brokerOf = (daemon: Daemon) =>
      containerOf(manifests, daemon).env.filter((variable: Manifest) => variable.name.startsWith('PULSAR_'));
    expect(brokerOf('executor'), name).toEqual(brokerOf('jobs'));
  }
});

test('secrets stand in Secrets, and in no variable, argument or ConfigMap', () => {
  const manifests = render();
  const values = ofKind(manifests, 'Secret')
    .flatMap(({ data }) => Object.values<string>(data))
    .map((value) => Buffer.from(value, 'base64').toString('utf8'));
  expect(values.length).toBeGreaterThan(10);
  const everythingElse = JSON.stringify(manifests.filter(({ kind }) => kind !== 'Secret'));
  // The authority's certificate is no secret, and stands in Secrets only because its key does.
  for (const value of values) expect(everythingElse).not.toContain(value);
});

test('generated secrets are strong, differ, and stay when the release goes, as the data does that hangs on them', () => {
  const manifests = render();
  const kept = ['jobber-secrets', 'jobber-postgresql'].map((name) => find(manifests, 'Secret', name));
  for (const { metadata } of [...kept, find(manifests, 'PersistentVolumeClaim', 'jobber-uploads')]) {
    expect(metadata.annotations).toMatchObject({ 'helm.sh/resource-policy': 'keep' });
  }
  const secrets = kept
    .flatMap(({ data }) => Object.values<string>(data))
    .map((value) => Buffer.from(value, 'base64').toString());
  expect(new Set(secrets).size).toBe(7);
  // They stand in URLs as they are.
  for (const secret of secrets) expect(secret).toMatch(/^[A-Za-z0-9]{32,}$/);
  const again = find(render(), 'Secret', 'jobber-secrets').data;
  expect(again['service-secret']).not.toBe(kept[0].data['service-secret']);
});

test('each daemon has a certificate of one authority, for the names by which it is called, and valid for as long as it is set', () => {
  const manifests = render('--set', 'grpcTls.validityDays=400');
  const pem = (secret: string, key: string) =>
    new X509Certificate(Buffer.from(find(manifests, 'Secret', secret).data[key], 'base64'));
  const authority = pem('jobber-grpc-ca', 'tls.crt');
  expect(authority.ca).toBe(true);
  for (const daemon of daemons) {
    const certificate = pem(`jobber-grpc-${daemon}`, 'tls.crt');
    expect(certificate.verify(authority.publicKey)).toBe(true);
    expect(pem(`jobber-grpc-${daemon}`, 'ca.crt').fingerprint256).toBe(authority.fingerprint256);
    expect(certificate.ca).toBe(false);
    expect(certificate.keyUsage).toEqual(expect.arrayContaining(['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2']));
    const days = (certificate.validToDate.getTime() - Date.now()) / 86_400_000;
    expect(Math.round(days)).toBe(400);
    for (const { name, value } of containerOf(manifests, daemon).env) {
      if (!name.endsWith('_GRPC_URL')) continue;
      const [host = ''] = value.split(':');
      const called = pem(`jobber-grpc-${host.replace('-grpc', '')}`, 'tls.crt');
      expect(called.checkHost(host), value).toBe(host);
    }
  }
  expect(pem('jobber-grpc-auth', 'tls.crt').checkHost('jobs-grpc')).toBeUndefined();
});

test('a daemon is started again when its certificate changes, and only then', () => {
  const checksums = (manifests: readonly Manifest[]) =>
    daemons.map(
      (daemon) =>
        find(manifests, 'Deployment', `${daemon}-service`).spec.template.metadata.annotations[
          'checksum/grpc-tls'
        ],
    );
  const [first, second] = [render(), render()];
  expect(new Set([...checksums(first), ...checksums(second)]).size).toBe(8);
  const withCertManager = ['--api-versions', 'cert-manager.io/v1'];
  expect(checksums(render(...withCertManager))).toEqual(checksums(render(...withCertManager)));
});

test('the cookie is for HTTPS only where the ingress has TLS', () => {
  const secureOf = (...args: string[]) =>
    containerOf(render(...args), 'auth').env.find(({ name }: Manifest) => name === 'AUTH_COOKIE_SECURE')
      .value;
  expect(secureOf()).toBe('false');
  expect(secureOf('--set', 'ingress.tlsSecret=tls')).toBe('true');
  expect(secureOf('--set', 'ingress.tls=true')).toBe('true');
  expect(secureOf('--set', 'auth.cookieSecure=true')).toBe('true');
  expect(secureOf('--set', 'ingress.tls=true', '--set', 'auth.cookieSecure=false')).toBe('false');
});
