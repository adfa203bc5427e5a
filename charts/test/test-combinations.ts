import { join } from 'node:path';
import { inject } from 'vitest';

const CERT_MANAGER = ['--api-versions', 'cert-manager.io/v1'];
const KEDA = ['--api-versions', 'keda.sh/v1alpha1'];

function set(...settings: string[]): string[] {
  return settings.flatMap((setting) => ['--set', setting]);
}

/** How the chart can be set up, by what is special: arguments for `helm template`. */
export function combinations(): Record<string, string[]> {
  const file = (name: string) => ['--values', join(inject('charts'), 'jobber', name)];
  return {
    'as it is': [],
    'an upgrade': ['--is-upgrade'],
    production: file('values-production.yaml'),
    'production, an upgrade': [...file('values-production.yaml'), '--is-upgrade'],
    AWS: file('values-aws.yaml'),
    'AWS with keys instead of a role': [
      ...file('values-aws.yaml'),
      ...set('jobs.uploads.credentialsSecret=bucket-keys', 'jobs.serviceAccountAnnotations=null'),
    ],
    'no broker': set('pulsar.enabled=false'),
    'an external broker without a token': set(
      'pulsar.enabled=false',
      'externalPulsar.url=pulsar://pulsar:6650',
    ),
    'everything scales': [
      ...file('values-production.yaml'),
      ...KEDA,
      ...set(
        'executor.autoscaling.enabled=true',
        'executor.autoscaling.prometheusAddress=http://prometheus:9090',
      ),
    ],
    'cert-manager': CERT_MANAGER,
    'cert-manager with an issuer of its own': [
      ...CERT_MANAGER,
      ...set('grpcTls.issuerRef.name=internal', 'grpcTls.issuerRef.kind=ClusterIssuer'),
    ],
    'certificates of one’s own': set('grpcTls.source=existing', 'grpcTls.secretPrefix=grpc'),
    'no mutual TLS': set('grpcTls.enabled=false'),
    'secrets of one’s own': set('secrets.existingSecret=mine', 'postgresql.existingSecret=mine-too'),
    'an uploads claim of one’s own': set('jobs.uploads.persistence.existingClaim=files'),
    'several Jobs on a shared volume': set(
      'jobs.replicas=3',
      'jobs.uploads.persistence.accessMode=ReadWriteMany',
    ),
    'no network policies, no budgets, no ingress': set(
      'networkPolicy.enabled=false',
      'podDisruptionBudget.enabled=false',
      'ingress.enabled=false',
    ),
    'the Prometheus operator': set('serviceMonitor.enabled=true', 'serviceMonitor.labels.release=prometheus'),
    'node ports': set('service.type=NodePort'),
    'a registry and its credentials': set(
      'image.registry=registry.example.com/team/',
      'image.pullSecrets[0].name=registry',
      'image.tag=1.2.3',
      `image.digest=sha256:${'0a'.repeat(32)}`,
      'postgresql.image.pullSecrets[0].name=registry',
      'pulsar.image.pullSecrets[0].name=registry',
    ),
    'production on nodes for it, an upgrade': [
      ...file('values-production.yaml'),
      '--is-upgrade',
      ...set('migrations.nodeSelector.disk=fast', 'migrations.tolerations[0].key=dedicated'),
    ],
    'placed by hand': set(
      'auth.nodeSelector.disk=fast',
      'jobs.tolerations[0].key=dedicated',
      'jobs.tolerations[0].operator=Exists',
      'jobs.affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].weight=1',
      'jobs.affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].preference.matchExpressions[0].key=disk',
      'jobs.affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].preference.matchExpressions[0].operator=Exists',
    ),
  };
}
