import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, inject, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { startTestCluster } from './test-cluster.ts';
import { find, HELM, type Manifest } from './test-helm.ts';

const REPLICAS = { 'f:spec': { 'f:replicas': {} } };
const APPLIED = { manager: 'helm', operation: 'Apply', fieldsV1: REPLICAS };
const APPLIED_WITHOUT = { manager: 'helm', operation: 'Apply', fieldsV1: { 'f:spec': {} } };
const MERGED = { manager: 'helm', operation: 'Update', fieldsV1: REPLICAS };
const SCALED = {
  manager: 'kube-controller-manager',
  operation: 'Update',
  subresource: 'scale',
  fieldsV1: REPLICAS,
};

/** What an upgrade that has autoscaling on says about the replicas of Auth, of which the cluster has five. */
async function replicasWith(
  managedFields: readonly Manifest[] | undefined,
  ...set: string[]
): Promise<unknown> {
  const metadata = { name: 'auth-service', namespace: 'jobber', managedFields };
  const there = { apiVersion: 'apps/v1', kind: 'Deployment', metadata, spec: { replicas: 5 } };
  await using cluster = await startTestCluster(managedFields ? [there] : []);
  const { stdout } = await promisify(execFile)(
    HELM,
    [
      'template',
      'jobber',
      join(inject('charts'), 'jobber'),
      '--namespace=jobber',
      '--is-upgrade',
      '--dry-run=server',
      '--disable-openapi-validation',
      `--kube-apiserver=${cluster.url}`,
      ...set.map((value) => `--set=${value}`),
    ],
    { maxBuffer: 64 * 1_024 ** 2, env: { ...process.env, KUBECONFIG: '/dev/null' } },
  );
  const manifests = parseAllDocuments(stdout).map((document) => document.toJS() as Manifest);
  return find(manifests.filter(Boolean), 'Deployment', 'auth-service').spec.replicas;
}

const ON = 'auth.autoscaling.enabled=true';

test('turning autoscaling on keeps the replicas that are there', async () => {
  expect(await replicasWith([APPLIED], ON)).toBe(5);
});

test('once the autoscaler has changed the number it is not for Helm to say', async () => {
  expect(await replicasWith([APPLIED_WITHOUT, SCALED], ON)).toBeUndefined();
});

test('Helm that merges on its own side repeats the number that is there, whoever said it', async () => {
  expect(await replicasWith([MERGED], ON)).toBe(5);
  expect(await replicasWith([MERGED, SCALED], ON)).toBe(5);
});

test('where nothing is there yet the autoscaler begins with its minimum', async () => {
  expect(await replicasWith(undefined, ON)).toBeUndefined();
});

test('without autoscaling the number is that of the values', async () => {
  expect(await replicasWith([APPLIED], 'auth.replicas=2')).toBe(2);
});
