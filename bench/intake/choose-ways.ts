import type { PulsarBroker } from '@jobber/compose/pulsar';

/** A way by which tasks reach executors. */
export interface Way {
  readonly name: 'direct' | 'ws://' | 'pulsar://';
  /** For PULSAR_SERVICE_URL; undefined: without the broker. */
  readonly serviceUrl: string | undefined;
}

/**
 * All of them, but the official client's where that can't be used.
 * @param noOfficialClient why it can't; undefined when it can
 * @returns the ways in the order in which they are measured, and a sentence about the one that is not
 */
export function chooseWays(
  { serviceUrl, binaryUrl }: Pick<PulsarBroker, 'serviceUrl' | 'binaryUrl'>,
  noOfficialClient: string | undefined,
): { ways: readonly Way[]; leftOut?: string } {
  const always: Way[] = [
    { name: 'direct', serviceUrl: undefined },
    { name: 'ws://', serviceUrl },
  ];
  if (noOfficialClient !== undefined)
    return { ways: always, leftOut: `pulsar:// is not measured: ${noOfficialClient}` };
  return { ways: [...always, { name: 'pulsar://', serviceUrl: binaryUrl }] };
}
