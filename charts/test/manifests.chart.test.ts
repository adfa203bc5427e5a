import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, inject, test } from 'vitest';
import packageJson from '../../package.json' with { type: 'json' };
import { combinations } from './test-combinations.ts';
import { helm, type Manifest, ofKind, render, template } from './test-helm.ts';

const KUBERNETES_VALIDATE = 'kubernetes-validate';
const VERSIONS = ['1.31', '1.32', '1.33', '1.34', '1.35'];
/** Kinds that are not Kubernetes' own: there is no schema for them, so what must be in them stands here. */
const FOREIGN: Record<string, (spec: Manifest) => void> = {
  Issuer: (spec) => expect(spec.selfSigned ?? spec.ca).toBeDefined(),
  Certificate: (spec) =>
    expect(spec).toMatchObject({ secretName: expect.any(String), issuerRef: { name: expect.any(String) } }),
  ScaledObject: (spec) =>
    expect(spec).toMatchObject({
      scaleTargetRef: { kind: 'Deployment', name: 'executor-service' },
      triggers: [
        { type: 'prometheus', metadata: { serverAddress: 'http://prometheus:9090', threshold: '50' } },
      ],
    }),
  ServiceMonitor: (spec) =>
    expect(spec.endpoints).toEqual([{ port: 'http', path: '/metrics', interval: '30s' }]),
};

const folder = mkdtempSync(join(tmpdir(), 'jobber-manifests-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const rendered = Object.entries(combinations()).map(([name, args]) => [name, render(...args)] as const);

/** All manifests that differ in more than generated secrets and their checksums, as JSON, which is YAML too. */
const distinct = [
  ...new Set(
    rendered
      .flatMap(([, manifests]) => manifests)
      .filter(({ kind }) => !(kind in FOREIGN))
      .map((manifest) => JSON.stringify(manifest, withoutSecrets)),
  ),
];

function withoutSecrets(this: Manifest, key: string, value: unknown): unknown {
  if (key === 'data' && this.kind === 'Secret')
    return Object.fromEntries(Object.keys(value as object).map((name) => [name, 'eA==']));
  return typeof value === 'string' ? value.replace(/^[0-9a-f]{64}$/, 'checksum') : value;
}

test('helm lint finds nothing with any of the values files', () => {
  for (const file of [[], ['values-aws.yaml'], ['values-production.yaml']]) {
    const values = file.flatMap((name) => ['--values', join(inject('charts'), 'jobber', name)]);
    const run = helm('lint', '--strict', 'jobber', ...values);
    expect(run.ok, run.stdout + run.stderr).toBe(true);
  }
  for (const subchart of ['postgresql', 'pulsar'])
    expect(helm('lint', '--strict', subchart)).toMatchObject({ ok: true });
});

test.each(VERSIONS)('all manifests are valid, to the last field, in Kubernetes %s', (version) => {
  const file = join(folder, `${version}.yaml`);
  writeFileSync(file, distinct.join('\n---\n'));
  const args = ['--kubernetes-version', version, '--strict', '--quiet', file];
  const run = spawnSync(KUBERNETES_VALIDATE, args, { encoding: 'utf8' });
  expect(run.error).toBeUndefined();
  expect(run.stdout + run.stderr).toBe('');
  expect(run.status).toBe(0);
});

test('the validation sees a field that is misspelt', () => {
  const file = join(folder, 'misspelt.yaml');
  const service = { apiVersion: 'v1', kind: 'Service', metadata: { name: 'a' }, spec: { prots: [] } };
  writeFileSync(file, JSON.stringify(service));
  const run = spawnSync(KUBERNETES_VALIDATE, ['-k', '1.35', '--strict', '--quiet', file], {
    encoding: 'utf8',
  });
  expect(run.status).not.toBe(0);
});

test.each(rendered)(
  '%s: foreign kinds have what they need, and every object is named once',
  (_, manifests) => {
    for (const { kind, spec } of manifests) FOREIGN[kind]?.(spec);
    const names = manifests.map(({ kind, metadata }) => `${kind} ${metadata.name}`);
    expect(new Set(names).size).toBe(names.length);
  },
);

test('what an option adds appears with it, and not without', () => {
  const kinds = (name: string) =>
    new Set(rendered.find(([known]) => known === name)?.[1].map(({ kind }: Manifest) => kind));
  const usual = kinds('as it is');
  for (const kind of ['HorizontalPodAutoscaler', 'ScaledObject', 'ServiceMonitor', 'Certificate']) {
    expect(usual).not.toContain(kind);
  }
  expect(usual).toContain('Ingress');
  expect(kinds('everything scales')).toContain('ScaledObject');
  expect(kinds('production')).toContain('HorizontalPodAutoscaler');
  expect(kinds('production')).not.toContain('StatefulSet');
  expect(kinds('cert-manager')).toContain('Issuer');
  expect(kinds('cert-manager with an issuer of its own')).not.toContain('Issuer');
  expect(kinds('the Prometheus operator')).toContain('ServiceMonitor');
  expect(kinds('AWS')).not.toContain('PersistentVolumeClaim');
  const bare = kinds('no network policies, no budgets, no ingress');
  for (const kind of ['NetworkPolicy', 'PodDisruptionBudget', 'Ingress']) expect(bare).not.toContain(kind);
});

test('an upgrade migrates in a hook, before any pod is replaced; the first installation, when its database is there', () => {
  const manifestsOf = (name: string) => rendered.find(([known]) => known === name)?.[1] ?? [];
  const [hook] = ofKind(manifestsOf('production, an upgrade'), 'Job');
  expect(hook.metadata.annotations).toMatchObject({ 'helm.sh/hook': 'pre-upgrade' });
  expect(hook.spec.template.spec.containers[0].args).toEqual(['migrate', 'all', '--wait-seconds', '900']);
  // A job that only some revisions have would be in the way of a rollback; and a database that is about to be made by this
  // very upgrade can't be migrated before it.
  for (const name of ['as it is', 'production', 'an upgrade'])
    expect(ofKind(manifestsOf(name), 'Job')).toEqual([]);
  for (const { metadata, spec } of ofKind(manifestsOf('as it is'), 'Deployment')) {
    const [container] = spec.template.spec.containers;
    const migrates = (spec.template.spec.initContainers ?? []).map(({ args }: Manifest) => args.slice(0, 2));
    expect(migrates, metadata.name).toEqual(
      container.name === 'executor' ? [] : [['migrate', container.name]],
    );
  }
});

test('an upgrade that changes nothing leaves the pods alone: they do not know which revision they are of', () => {
  const podsAt = (...args: string[]) => {
    const manifests = render(
      '--set',
      'grpcTls.source=existing',
      '--set',
      'grpcTls.secretPrefix=grpc',
      '--set',
      'secrets.existingSecret=mine',
      ...args,
    );
    return [...ofKind(manifests, 'Deployment'), ...ofKind(manifests, 'StatefulSet')];
  };
  expect(podsAt('--is-upgrade')).toEqual(podsAt());
});

test('the version of the application is the one of the repository, and the notes lead to the next steps', () => {
  const { stdout } = helm('show', 'chart', 'jobber');
  expect(stdout).toContain(`appVersion: ${packageJson.version}\n`);
  const notes = helm('install', 'jobber', 'jobber', '--namespace', 'jobber', '--dry-run=client').stdout;
  for (const step of [
    'helm test jobber -n jobber',
    'port-forward service/auth-service 3000:3000',
    'setup-token',
  ]) {
    expect(notes).toContain(step);
  }
  expect(template().stdout).not.toContain('<no value>');
});
