import type { Manifest } from './test-helm.ts';

/** A pod that a manifest makes, or will make. */
export interface Pod {
  /** `Deployment auth-service`. */
  readonly of: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly spec: Manifest;
  readonly containers: readonly Manifest[];
}

/** All pods of a rendering: of Deployments, StatefulSets and Jobs, and those that stand alone. */
export function podsOf(manifests: readonly Manifest[]): Pod[] {
  return manifests.flatMap((manifest) => {
    const pod = manifest.kind === 'Pod' ? manifest : manifest.spec?.template;
    if (!pod?.spec?.containers) return [];
    return {
      of: `${manifest.kind} ${manifest.metadata.name}`,
      labels: pod.metadata.labels,
      spec: pod.spec,
      containers: [...(pod.spec.initContainers ?? []), ...pod.spec.containers],
    };
  });
}

/** Whether a selector's `matchLabels` choose these labels. */
export function selects(
  matchLabels: Readonly<Record<string, string>>,
  labels: Readonly<Record<string, string>>,
): boolean {
  return Object.entries(matchLabels).every(([key, value]) => labels[key] === value);
}
