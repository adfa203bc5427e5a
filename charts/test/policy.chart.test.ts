import { describe, expect, test } from 'vitest';
import { combinations } from './test-combinations.ts';
import { find, type Manifest, ofKind, render } from './test-helm.ts';
import { podsOf, selects } from './test-pods.ts';

const rendered = Object.entries(combinations()).map(([name, args]) => [name, render(...args)] as const);
/** How long a daemon serves on after the signal. */
function drainSecondsOf({ name, env }: Manifest): number {
  const variable = `${name.toUpperCase()}_DRAIN_SECONDS`;
  return Number(env.find((own: Manifest) => own.name === variable)?.value ?? 0);
}

const DAEMONS = ['auth', 'jobs', 'executor', 'products'];

describe.each(rendered)('%s', (_, manifests) => {
  const pods = podsOf(manifests);
  const containers = pods.flatMap((pod) =>
    pod.containers.map((container) => ({ name: `${pod.of}/${container.name}`, container })),
  );

  test('pods are what the restricted Pod Security Standard asks for', () => {
    for (const { of, spec } of pods) {
      expect(spec.securityContext, of).toMatchObject({
        runAsNonRoot: true,
        seccompProfile: { type: 'RuntimeDefault' },
      });
      expect(spec.securityContext.runAsUser, of).toBeGreaterThan(0);
      expect(spec, of).not.toHaveProperty('hostNetwork');
      expect(spec, of).not.toHaveProperty('hostPID');
      expect(spec, of).not.toHaveProperty('hostIPC');
      for (const volume of spec.volumes ?? []) expect(volume, of).not.toHaveProperty('hostPath');
    }
    for (const { name, container } of containers) {
      expect(container.securityContext, name).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      });
      for (const port of container.ports ?? []) expect(port, name).not.toHaveProperty('hostPort');
    }
  });

  test('nothing can speak to Kubernetes, and no variables are made from Services', () => {
    for (const { of, spec } of pods) {
      expect(spec, of).toMatchObject({ automountServiceAccountToken: false, enableServiceLinks: false });
      expect(ofKind(manifests, 'ServiceAccount').map(({ metadata }) => metadata.name)).toContain(
        spec.serviceAccountName,
      );
    }
    for (const account of ofKind(manifests, 'ServiceAccount'))
      expect(account.automountServiceAccountToken).toBe(false);
    for (const kind of ['Role', 'ClusterRole', 'RoleBinding', 'ClusterRoleBinding']) {
      expect(ofKind(manifests, kind)).toEqual([]);
    }
  });

  test('images have a version, and are not fetched when they are there', () => {
    for (const { name, container } of containers) {
      expect(container.image, name).toMatch(
        /^[^\s:]+(:\d+\/[^\s:]+)?:(?!latest$)[\w.-]+(@sha256:[0-9a-f]{64})?$/,
      );
      expect(container.imagePullPolicy, name).toBe('IfNotPresent');
    }
  });

  test('every container says what it needs and gets at most', () => {
    for (const { name, container } of containers) {
      for (const amounts of [container.resources.requests, container.resources.limits]) {
        expect(Object.keys(amounts).sort(), name).toEqual(['cpu', 'memory']);
      }
    }
  });

  test('every volume that is mounted exists, and every one that exists is mounted', () => {
    for (const { of, spec, containers: own } of pods) {
      const claims = ofKind(manifests, 'StatefulSet')
        .filter(({ metadata }) => of === `StatefulSet ${metadata.name}`)
        .flatMap((set) => set.spec.volumeClaimTemplates ?? []);
      const volumes = [...(spec.volumes ?? []), ...claims.map(({ metadata }: Manifest) => metadata)].map(
        ({ name }) => name,
      );
      const mounts = own.flatMap(({ volumeMounts = [] }) => volumeMounts.map(({ name }: Manifest) => name));
      expect([...new Set(mounts)].sort(), of).toEqual(volumes.sort());
      for (const volume of spec.volumes ?? []) {
        if (volume.emptyDir) expect(volume.emptyDir.sizeLimit, `${of}/${volume.name}`).toBeDefined();
      }
    }
  });

  test('what serves is probed: at the start, for life, and for readiness', () => {
    for (const { spec } of [...ofKind(manifests, 'Deployment'), ...ofKind(manifests, 'StatefulSet')]) {
      for (const container of spec.template.spec.containers) {
        for (const probe of ['startupProbe', 'livenessProbe', 'readinessProbe']) {
          expect(container[probe], `${container.name}: ${probe}`).toBeDefined();
        }
        // A daemon that can't reach its database lives all the same.
        if (DAEMONS.includes(container.name)) {
          expect(container.livenessProbe.httpGet.path).toBe(`/${container.name}/live`);
          expect(container.readinessProbe.httpGet.path).toBe(`/${container.name}/ready`);
        }
      }
    }
  });

  test('selectors choose the pods they stand with, and no others', () => {
    for (const { kind, metadata, spec } of manifests) {
      if (kind !== 'Deployment' && kind !== 'StatefulSet') continue;
      const chosen = pods
        .filter(({ labels }) => selects(spec.selector.matchLabels, labels))
        .map(({ of }) => of);
      expect(chosen).toEqual([`${kind} ${metadata.name}`]);
    }
    for (const { metadata, spec } of ofKind(manifests, 'PodDisruptionBudget')) {
      const chosen = pods
        .filter(({ labels }) => selects(spec.selector.matchLabels, labels))
        .map(({ of }) => of);
      expect(chosen).toEqual([`Deployment ${metadata.name}`]);
    }
  });

  test('a rolling upgrade takes no pod away before another one is ready, and waits for what is under way', () => {
    for (const { metadata, spec } of ofKind(manifests, 'Deployment')) {
      expect(spec.strategy).toEqual({
        type: 'RollingUpdate',
        rollingUpdate: { maxSurge: 1, maxUnavailable: 0 },
      });
      const [container] = spec.template.spec.containers;
      const pause = drainSecondsOf(container);
      expect(pause > 0, metadata.name).toBe(container.name !== 'executor');
      // A daemon gives itself 28 s.
      expect(spec.template.spec.terminationGracePeriodSeconds).toBeGreaterThan(28 + pause);
    }
  });

  test('where a number of pods is chosen by a scaler, no other number is set', () => {
    const scaled = ofKind(manifests, 'HorizontalPodAutoscaler').concat(ofKind(manifests, 'ScaledObject'));
    const names = scaled.map(({ spec }) => spec.scaleTargetRef.name);
    for (const { metadata, spec } of ofKind(manifests, 'Deployment')) {
      expect('replicas' in spec, metadata.name).toBe(!names.includes(metadata.name));
    }
  });

  test('every Secret, ConfigMap and claim that is named is rendered, or is one that the user names', () => {
    const given =
      /^(mine|mine-too|grpc-\w+|jobber-secrets-production|jobber-database|jobber-pulsar-token|rds-ca|files|bucket-keys|registry)$/;
    const made = /^jobber-grpc-\w+$/;
    const usesCertManager = ofKind(manifests, 'Certificate').length > 0;
    const has = (kind: string, name: string, key?: string) =>
      given.test(name) ||
      (usesCertManager && kind === 'Secret' && made.test(name)) ||
      ofKind(manifests, kind).some(
        ({ metadata, data }) => metadata.name === name && (key === undefined || key in data),
      );
    for (const { of, spec, containers: own } of pods) {
      for (const { valueFrom } of own.flatMap(({ env = [] }) => env)) {
        const reference = valueFrom?.secretKeyRef;
        if (reference)
          expect(has('Secret', reference.name, reference.key), `${of} ${reference.name}`).toBe(true);
      }
      for (const { secret, configMap, persistentVolumeClaim } of spec.volumes ?? []) {
        if (secret) expect(has('Secret', secret.secretName), `${of} ${secret.secretName}`).toBe(true);
        if (configMap) expect(has('ConfigMap', configMap.name), `${of} ${configMap.name}`).toBe(true);
        if (persistentVolumeClaim)
          expect(has('PersistentVolumeClaim', persistentVolumeClaim.claimName)).toBe(true);
      }
    }
  });
});

test('Jobs with a folder on one node starts beside the pod it replaces; with shared uploads it spreads', () => {
  const jobsOf = (name: string) => {
    const manifests = rendered.find(([known]) => known === name)?.[1] ?? [];
    return podsOf(manifests).find(({ of }) => of === 'Deployment jobs-service')?.spec;
  };
  const [term] = jobsOf('as it is').affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution;
  expect(term).toMatchObject({
    topologyKey: 'kubernetes.io/hostname',
    labelSelector: { matchLabels: { 'app.kubernetes.io/component': 'jobs' } },
  });
  // It is not lost when somebody places the pods by hand.
  expect(Object.keys(jobsOf('placed by hand').affinity).sort()).toEqual(['nodeAffinity', 'podAffinity']);
  for (const name of ['AWS', 'several Jobs on a shared volume']) {
    expect(jobsOf(name).affinity).toBeUndefined();
    expect(jobsOf(name).topologySpreadConstraints).toHaveLength(2);
  }
});

test('every pod has the credentials of the registry, and what daemons run is exactly the image that was named', () => {
  const pods = podsOf(rendered.find(([known]) => known === 'a registry and its credentials')?.[1] ?? []);
  expect(pods.length).toBeGreaterThan(6);
  for (const { of, spec } of pods) expect(spec.imagePullSecrets, of).toEqual([{ name: 'registry' }]);
  expect(pods[0]?.containers[0].image).toBe(
    `registry.example.com/team/jobber:1.2.3@sha256:${'0a'.repeat(32)}`,
  );
});

test('pods of hooks run where they are told to', () => {
  const pods = podsOf(rendered.find(([known]) => known.startsWith('production on nodes'))?.[1] ?? []);
  const hooks = pods.filter(({ of }) => /^(Job|Pod) /.test(of));
  expect(hooks).toHaveLength(2);
  for (const { spec } of hooks)
    expect(spec).toMatchObject({ nodeSelector: { disk: 'fast' }, tolerations: [{ key: 'dedicated' }] });
});

test('a pod serves on for as long as a load balancer needs to hear of it, and has its own time after that', () => {
  const jobs = find(render('--set', 'drainSeconds=20'), 'Deployment', 'jobs-service').spec.template.spec;
  expect(drainSecondsOf(jobs.containers[0])).toBe(20);
  expect(jobs.terminationGracePeriodSeconds).toBe(57);
});

test('the executor’s memory has room for all threads and processes at their limit', () => {
  const [manifests = []] = rendered.filter(([name]) => name === 'as it is').map(([, found]) => found);
  const executor = podsOf(manifests).find(({ of }) => of === 'Deployment executor-service')?.containers[0];
  const value = (name: string) =>
    Number(executor.env.find((variable: Manifest) => variable.name === name).value);
  const handlers = value('EXECUTOR_THREADS') + value('EXECUTOR_PROCESSES');
  const limit = Number(/^(\d+)Mi$/.exec(executor.resources.limits.memory)?.[1]);
  expect(limit).toBeGreaterThanOrEqual(200 + handlers * value('EXECUTOR_THREAD_MEMORY_MB'));
});
