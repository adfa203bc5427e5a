import type { JobType } from '@jobber/job-types';
import type { JobsServiceClient, JobTypeOffer } from '@jobber/proto/jobs/v1/jobs';
import { deadline } from '@jobber/shared/grpc';

const CALL_MS = 5_000;

/** Offers the job types to Jobs, which adds them to its catalog. */
export async function offerJobTypes(
  client: Pick<JobsServiceClient, 'registerJobTypes'>,
  executorId: string,
  types: readonly JobType[],
): Promise<void> {
  const request = { executorId, types: types.map(toOffer), followsMore: true };
  await client.registerJobTypes(request, deadline(CALL_MS));
}

function toOffer(type: JobType): JobTypeOffer {
  const { name, slug, version, description, itemsPerTask, retry, limits } = type;
  return {
    name,
    slug,
    version,
    description,
    inputSchemaJson: JSON.stringify(type.inputSchema),
    defaultItemJson: type.defaultItem === undefined ? '' : JSON.stringify(type.defaultItem),
    itemsPerTask,
    retry: { ...retry },
    limits: { maxRunning: 0, ...limits },
  };
}
