import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, inject, test } from 'vitest';
import { parse } from 'yaml';
import { type Manifest, template } from './test-helm.ts';

const CHARTS = ['jobber', 'postgresql', 'pulsar'];

function refusal(...settings: string[]): string {
  const { ok, stderr } = template(...settings.flatMap((setting) => ['--set', setting]));
  expect(ok, `accepted: ${settings}`).toBe(false);
  return stderr;
}

describe('what the schema refuses, it names by its path', () => {
  test.each([
    ['ingres.enabled=true', "additional properties 'ingres' not allowed"],
    ['auth.replica=2', "at '/auth': additional properties 'replica' not allowed"],
    [
      'jobs.uploads.persistence.acessMode=ReadWriteMany',
      "at '/jobs/uploads/persistence': additional properties 'acessMode'",
    ],
    [
      'executor.autoscaling.prometheus=http://p',
      "at '/executor/autoscaling': additional properties 'prometheus'",
    ],
    ['postgresql.imag.tag=17', "additional properties 'imag' not allowed"],
    ['pulsar.image.tags=4', "at '/image': additional properties 'tags'"],
    ['auth.replicas=many', "at '/auth/replicas': got string, want integer"],
    ['auth.replicas=-1', "at '/auth/replicas': minimum: got -1"],
    [
      'products.resources.limits.memory=much',
      "at '/products/resources/limits/memory': 'much' does not match",
    ],
    ['products.resources.limits.gpu=1', "at '/products/resources/limits': additional properties 'gpu'"],
    ['auth.accessTokenTtlSeconds=86401', "at '/auth/accessTokenTtlSeconds': maximum"],
    ['auth.cookieSecure=yes', "at '/auth/cookieSecure'"],
    ['auth.trustedProxies={10.0.0.1}', "at '/auth/trustedProxies/0'"],
    ['jobs.leaseSeconds=0', "at '/jobs/leaseSeconds': minimum"],
    ['jobs.uploads.url=https://bucket', "at '/jobs/uploads/url'"],
    ['jobs.uploads.persistence.accessMode=ReadWriteOncePod', "at '/jobs/uploads/persistence/accessMode'"],
    ['executor.threads=0', "at '/executor/threads': minimum"],
    ['executor.jobTypes={a\\,b}', "at '/executor/jobTypes/0'"],
    ['externalPulsar.url=kafka://broker', "at '/externalPulsar/url'"],
    ['externalPulsar.url=wss://user:password@broker', "at '/externalPulsar/url'"],
    ['externalDatabase.port=99999999', "at '/externalDatabase/port': maximum"],
    ['image.tag=latest', "at '/image/tag'"],
    ['image.tag=1.0@sha256:ab', "at '/image/tag'"],
    ['image.digest=sha256:ab', "at '/image/digest'"],
    ['drainSeconds=0', "at '/drainSeconds': minimum"],
    ['image.pullPolicy=Sometimes', "at '/image/pullPolicy'"],
    ['postgresql.image.tag=latest', "at '/image/tag'"],
    ['environment=staging', "at '/environment'"],
    ['logLevel=verbose', "at '/logLevel'"],
    ['grpcTls.source=vault', "at '/grpcTls/source'"],
    ['service.type=ExternalName', "at '/service/type'"],
    ['ingress.host=https://jobber.example.com', "at '/ingress/host'"],
    ['secrets.existingSecret=Not_A_Name', "at '/secrets/existingSecret'"],
    ['runAsUser=0', "at '/runAsUser': minimum"],
  ])('%s', (setting, reason) => {
    expect(refusal(setting)).toContain(reason);
  });
});

describe('what can’t work together is refused in one sentence that says what to do', () => {
  test.each([
    [
      ['jobs.replicas=2'],
      'set jobs.uploads.url to a bucket, or jobs.uploads.persistence.accessMode to ReadWriteMany',
    ],
    [['jobs.autoscaling.enabled=true'], 'needs uploads that all replicas share'],
    [
      ['postgresql.enabled=false'],
      'externalDatabase.existingSecret must name a Secret with the keys auth-url, jobs-url and products-url',
    ],
    [['externalDatabase.existingSecret=db'], 'choose one of the two databases'],
    [['externalPulsar.url=ws://broker:8080'], 'choose one of the two brokers'],
    [['grpcTls.source=existing'], 'grpcTls.secretPrefix must say how your Secrets begin'],
    [
      ['grpcTls.validityDays=180'],
      'grpcTls.validityDays must be at least 30 more than grpcTls.renewAfterDays',
    ],
    [
      ['executor.autoscaling.enabled=true'],
      'needs KEDA in the cluster (keda.sh/v1alpha1), which is not there',
    ],
    [['executor.autoscaling.enabled=true'], 'needs executor.autoscaling.prometheusAddress'],
    [['auth.autoscaling.enabled=true', 'auth.autoscaling.minReplicas=9'], 'minReplicas must not be greater'],
  ])('%s: %s', (settings, reason) => {
    expect(refusal(...settings)).toContain(reason);
  });

  test('all of it is told at once', () => {
    const told = refusal('jobs.replicas=2', 'postgresql.enabled=false', 'grpcTls.source=existing');
    for (const setting of ['jobs.replicas', 'externalDatabase.existingSecret', 'grpcTls.secretPrefix']) {
      expect(told).toContain(setting);
    }
  });
});

describe.each(CHARTS)('the schema of %s', (chart) => {
  const read = (file: string) => readFileSync(join(inject('charts'), chart, file), 'utf8');

  test('knows every value that there is, and no other', () => {
    const schema = JSON.parse(read('values.schema.json'));
    const values: Manifest = parse(read('values.yaml'));
    const known = pathsOf(schema, schema);
    const wanted = pathsIn(values);
    // Parts that users fill with objects of Kubernetes, or that other schemas describe, have no properties here.
    const described = known.filter((path) => !/^(global|enabled|postgresql|pulsar)$/.test(path));
    expect(described.filter((path) => !wanted.includes(path))).toEqual([]);
    for (const path of wanted) expect(isKnown(path, known), path).toBe(true);
  });

  test('lets nothing through that is not named, at any depth', () => {
    const schema = JSON.parse(read('values.schema.json'));
    for (const part of objectsIn(schema)) expect(part.additionalProperties).toBe(false);
  });
});

/** The parts of a schema that name properties. */
function objectsIn(part: Manifest): Manifest[] {
  if (typeof part !== 'object' || part === null) return [];
  const inside = Object.values(part).flatMap(objectsIn);
  return part.properties && part.type === 'object' ? [part, ...inside] : inside;
}

/** Paths of the properties that a schema names; those of resources, environment variables and peers count as a whole. */
function pathsOf(schema: Manifest, part: Manifest, prefix = ''): string[] {
  return Object.entries<Manifest>(part.properties ?? {}).flatMap(([name, property]) => {
    const path = `${prefix}${name}`;
    const inside = property.$ref ? [] : pathsOf(schema, property, `${path}.`);
    return inside.length > 0 ? inside : [path];
  });
}

function pathsIn(values: Manifest, prefix = ''): string[] {
  return Object.entries<Manifest>(values).flatMap(([name, value]) => {
    const path = `${prefix}${name}`;
    const isPart = typeof value === 'object' && value !== null && !Array.isArray(value);
    if (!isPart || Object.keys(value).length === 0 || name === 'resources') return [path];
    return pathsIn(value, `${path}.`);
  });
}

/** `postgresql.enabled` is known by `postgresql`, whose own schema says more. */
function isKnown(path: string, known: readonly string[]): boolean {
  return known.some((name) => path === name || path.startsWith(`${name}.`));
}
