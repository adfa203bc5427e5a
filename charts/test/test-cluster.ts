import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Manifest } from './test-helm.ts';

/** Resources of the API that the chart's manifests and its lookups name. */
const RESOURCES: Record<string, readonly string[]> = {
  v1: ['Secret', 'ConfigMap', 'Service', 'ServiceAccount', 'PersistentVolumeClaim', 'Pod'],
  'apps/v1': ['Deployment', 'StatefulSet'],
  'autoscaling/v2': ['HorizontalPodAutoscaler'],
  'batch/v1': ['Job'],
  'networking.k8s.io/v1': ['Ingress', 'NetworkPolicy'],
  'policy/v1': ['PodDisruptionBudget'],
  'keda.sh/v1alpha1': ['ScaledObject'],
};

/** As much of a cluster's API as Helm needs to look up the objects that are there. It changes nothing. */
export async function startTestCluster(
  objects: readonly Manifest[],
): Promise<AsyncDisposable & { readonly url: string }> {
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://cluster');
    const answer = discover(pathname) ?? objects.find((object) => pathOf(object) === pathname);
    response.writeHead(answer ? 200 : 404, { 'content-type': 'application/json' });
    response.end(
      JSON.stringify(
        answer ?? { kind: 'Status', apiVersion: 'v1', status: 'Failure', code: 404, reason: 'NotFound' },
      ),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function discover(pathname: string): object | undefined {
  if (pathname === '/version') return { major: '1', minor: '35', gitVersion: 'v1.35.0' };
  if (pathname === '/api') return { kind: 'APIVersions', versions: ['v1'] };
  if (pathname === '/apis') return { kind: 'APIGroupList', apiVersion: 'v1', groups: groups() };
  const groupVersion = pathname.replace(/^\/apis?\//, '');
  const kinds = RESOURCES[groupVersion];
  if (!kinds) return undefined;
  const resources = kinds.map((kind) => ({
    name: plural(kind),
    kind,
    namespaced: true,
    verbs: ['get', 'list'],
  }));
  return { kind: 'APIResourceList', apiVersion: 'v1', groupVersion, resources };
}

function groups(): object[] {
  return Object.keys(RESOURCES)
    .filter((groupVersion) => groupVersion.includes('/'))
    .map((groupVersion) => {
      const [name, version] = groupVersion.split('/');
      return { name, versions: [{ groupVersion, version }], preferredVersion: { groupVersion, version } };
    });
}

function plural(kind: string): string {
  const name = kind.toLowerCase();
  return `${name.replace(/y$/, 'ie').replace(/s$/, 'se')}s`;
}

function pathOf({ apiVersion, kind, metadata }: Manifest): string {
  const root = apiVersion.includes('/') ? '/apis' : '/api';
  return `${root}/${apiVersion}/namespaces/${metadata.namespace}/${plural(kind)}/${metadata.name}`;
}
