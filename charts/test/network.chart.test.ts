import { expect, test } from 'vitest';
import { combinations } from './test-combinations.ts';
import { find, type Manifest, ofKind, render } from './test-helm.ts';
import { podsOf, selects } from './test-pods.ts';

const COMPONENT = 'app.kubernetes.io/component';
const HTTP_FROM = 'namespace ingress-nginx';
const METRICS_FROM = 'namespace monitoring';

/** Who may reach whom, by direction: all there is to allow. */
const EDGES = [
  `${HTTP_FROM} → auth:3000`,
  `${HTTP_FROM} → jobs:3001`,
  `${HTTP_FROM} → products:3003`,
  `${METRICS_FROM} → auth:3000`,
  `${METRICS_FROM} → executor:3002`,
  `${METRICS_FROM} → jobs:3001`,
  `${METRICS_FROM} → products:3003`,
  'auth → postgresql:5432',
  'executor → jobs:5002',
  'executor → products:5001',
  'executor → pulsar:8080',
  'jobs → auth:5000',
  'jobs → postgresql:5432',
  'jobs → pulsar:8080',
  'migrate → postgresql:5432',
  'products → auth:5000',
  'products → postgresql:5432',
  'pulsar → pulsar:6650',
  'pulsar → pulsar:8080',
  'test → auth:3000',
  'test → jobs:3001',
  'test → products:3003',
];

function nameOf(peer: Manifest): string {
  if (peer.ipBlock) return peer.ipBlock.cidr;
  if (peer.namespaceSelector)
    return `namespace ${peer.namespaceSelector.matchLabels['kubernetes.io/metadata.name']}`;
  return peer.podSelector.matchLabels[COMPONENT];
}

function edgesOf(manifests: readonly Manifest[], direction: 'ingress' | 'egress'): string[] {
  return ofKind(manifests, 'NetworkPolicy').flatMap(({ spec }) => {
    const own = spec.podSelector.matchLabels[COMPONENT];
    return (spec[direction] ?? []).flatMap((rule: Manifest) =>
      rule.ports.flatMap(({ port }: Manifest) => {
        const peers: string[] = (
          rule[direction === 'ingress' ? 'from' : 'to'] ?? [{ ipBlock: { cidr: 'anywhere' } }]
        ).map(nameOf);
        return peers.map((peer) =>
          direction === 'ingress' ? `${peer} → ${own}:${port}` : `${own} → ${peer}:${port}`,
        );
      }),
    );
  });
}

/** Everything but the resolution of names, which has a test of its own. */
const withoutDns = (edges: readonly string[]) => edges.filter((edge) => !/:53$/.test(edge)).sort();

test('exactly the edges that jobber needs are open, on both sides', () => {
  const manifests = render();
  const inside = EDGES.filter((edge) => !edge.startsWith('namespace'));
  expect(withoutDns(edgesOf(manifests, 'ingress'))).toEqual([...EDGES].sort());
  expect(withoutDns(edgesOf(manifests, 'egress'))).toEqual(inside.sort());
});

test('everything else is denied: one policy without rules chooses every pod of the release', () => {
  for (const args of Object.values(combinations())) {
    const manifests = render(...args);
    if (ofKind(manifests, 'NetworkPolicy').length === 0) continue;
    const deny = find(manifests, 'NetworkPolicy', 'jobber-deny').spec;
    expect(deny).toEqual({ podSelector: deny.podSelector, policyTypes: ['Ingress', 'Egress'] });
    for (const { of, labels } of podsOf(manifests)) {
      expect(selects(deny.podSelector.matchLabels, labels), of).toBe(true);
      const own = ofKind(manifests, 'NetworkPolicy').filter(({ spec }) =>
        selects(spec.podSelector.matchLabels, labels),
      );
      expect(own, of).toHaveLength(of.startsWith('Job ') ? 3 : 2);
    }
  }
});

test('the job of an upgrade reaches the database that the upgrade is to use, before its policies are there', () => {
  const manifests = render(
    ...(combinations()['production, an upgrade'] ?? []),
    '--set',
    'externalDatabase.cidrs={192.0.2.0/24}',
  );
  const { metadata, spec } = find(manifests, 'NetworkPolicy', 'jobber-migrate-upgrade');
  const [job] = ofKind(manifests, 'Job');
  expect(metadata.annotations['helm.sh/hook']).toBe('pre-upgrade');
  expect(Number(metadata.annotations['helm.sh/hook-weight'])).toBeLessThan(
    Number(job.metadata.annotations['helm.sh/hook-weight']),
  );
  expect(selects(spec.podSelector.matchLabels, job.spec.template.metadata.labels)).toBe(true);
  expect(spec.egress).toContainEqual({
    ports: [{ protocol: 'TCP', port: 5432 }],
    to: [{ ipBlock: { cidr: '192.0.2.0/24' } }],
  });
  expect(spec.egress).toEqual(find(manifests, 'NetworkPolicy', 'jobber-migrate').spec.egress);
});

test('names are resolved by the cluster’s DNS only', () => {
  const dns = edgesOf(render(), 'egress').filter((edge) => edge.endsWith(':53'));
  const callers = new Set(dns.map((edge) => edge.split(' → ')[0]));
  expect([...callers].sort()).toEqual(['auth', 'executor', 'jobs', 'migrate', 'products', 'test']);
  const servers = new Set(dns.map((edge) => edge.split(' → ')[1]));
  expect([...servers].sort()).toEqual(['169.254.20.10/32:53', 'namespace kube-system:53']);
});

test('outside, only the database, the broker and the bucket can be reached, at their ports', () => {
  const aws = render(...(combinations()['AWS'] ?? []));
  const outside = withoutDns(edgesOf(aws, 'egress')).filter((edge) => /→ (anywhere|\d)/.test(edge));
  expect(outside).toEqual([
    'auth → 10.0.0.0/16:5432',
    'executor → anywhere:8443',
    'jobs → 0.0.0.0/0:443',
    'jobs → 10.0.0.0/16:5432',
    'jobs → anywhere:8443',
    'migrate → 10.0.0.0/16:5432',
    'products → 10.0.0.0/16:5432',
  ]);
  const bucketOf = (url: string) =>
    edgesOf(render('--set', `jobs.uploads.url=${url}`), 'egress').filter((edge) =>
      edge.includes('0.0.0.0/0'),
    );
  expect(bucketOf('s3://files/a?endpoint=http://minio:9000')).toEqual(['jobs → 0.0.0.0/0:9000']);
  expect(bucketOf('s3://files/a?region=eu-central-1&endpoint=https%3A%2F%2Fs3.example.com')).toEqual([
    'jobs → 0.0.0.0/0:443',
  ]);
});

test('the port of a broker follows from its address', () => {
  const portOf = (url: string) => {
    const manifests = render('--set', 'pulsar.enabled=false', '--set', `externalPulsar.url=${url}`);
    return edgesOf(manifests, 'egress').find((edge) => edge.startsWith('executor → anywhere'));
  };
  expect(portOf('pulsar://broker')).toBe('executor → anywhere:6650');
  expect(portOf('pulsar+ssl://broker')).toBe('executor → anywhere:6651');
  expect(portOf('wss://broker')).toBe('executor → anywhere:443');
  expect(portOf('ws://broker:8080')).toBe('executor → anywhere:8080');
});

test('Services have the names and ports that users know, and lead to ports that their pods have', () => {
  const manifests = render();
  const ports = (name: string) =>
    Object.fromEntries(
      find(manifests, 'Service', name).spec.ports.map(({ name: port, port: number }: Manifest) => [
        port,
        number,
      ]),
    );
  expect(ports('auth-http')).toEqual({ http: 3000 });
  expect(ports('auth-grpc')).toEqual({ grpc: 5000 });
  expect(ports('jobs-http')).toEqual({ http: 3001 });
  expect(ports('jobs-grpc')).toEqual({ grpc: 5002 });
  expect(ports('products-http')).toEqual({ http: 3003 });
  expect(ports('products-grpc')).toEqual({ grpc: 5001 });
  expect(ports('auth-service')).toEqual({ http: 3000, grpc: 5000 });
  expect(ports('jobs-service')).toEqual({ http: 3001, grpc: 5002 });
  expect(ports('executor-service')).toEqual({ http: 3002 });
  expect(ports('products-service')).toEqual({ http: 3003, grpc: 5001 });
  for (const { metadata, spec } of ofKind(manifests, 'Service')) {
    const pods = podsOf(manifests).filter(({ labels }) => selects(spec.selector, labels));
    expect(pods, metadata.name).toHaveLength(1);
    const open = pods[0]!.containers.flatMap((container) => container.ports ?? []);
    for (const { port, targetPort } of spec.ports) {
      expect(open, metadata.name).toContainEqual({ name: targetPort, containerPort: port, protocol: 'TCP' });
    }
  }
});

test('the ingress leads to the three daemons with an API, and to nothing that is not theirs', () => {
  const manifests = render();
  const { rules } = find(manifests, 'Ingress', 'jobber').spec;
  const paths = rules.flatMap(({ http }: Manifest) => http.paths);
  expect(
    paths.map(({ path, pathType, backend }: Manifest) => [path, pathType, backend.service.name]),
  ).toEqual([
    ['/auth', 'Prefix', 'auth-http'],
    ['/jobs', 'Prefix', 'jobs-http'],
    ['/products', 'Prefix', 'products-http'],
  ]);
  // /metrics is under none of them, and the executor has no path at all.
  expect(paths.some(({ path }: Manifest) => '/metrics'.startsWith(path))).toBe(false);
});

test('a broker that is not ready yet can be reached, because part of being ready is to reach itself', () => {
  expect(find(render(), 'Service', 'jobber-pulsar').spec.publishNotReadyAddresses).toBe(true);
});
