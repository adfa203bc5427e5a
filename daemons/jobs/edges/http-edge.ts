import { type ClassifyError, describeUnknownError, isAppError } from '@jobber/shared/errors';
import { errorResponse } from '@jobber/shared/http';
import type { Logger } from '@jobber/shared/log';
import type { Context } from 'hono';
import type { JobsMetrics } from '../jobs-metrics.ts';

/** How the edges that are plain HTTP answer. */
export interface HttpEdge {
  /** Runs `work`, measures it, and turns what it throws into an answer. */
  answer(c: Context, operation: string, work: () => Promise<Response>): Promise<Response>;
}

export function createHttpEdge(parts: {
  metrics: Pick<JobsMetrics, 'requestSeconds'>;
  classify: ClassifyError;
  log: Logger;
}): HttpEdge {
  const { metrics, classify, log } = parts;
  return {
    async answer(c, operation, work) {
      const stop = metrics.requestSeconds.startTimer({ edge: 'http', operation });
      try {
        const response = await work();
        stop({ outcome: 'ok' });
        return response;
      } catch (error) {
        const refusal = isAppError(error) ? error : classify(error);
        stop({ outcome: refusal?.reason ?? 'INTERNAL' });
        const requestId = c.get('requestId');
        if (!refusal) log.error({ err: error, operation, requestId }, 'request failed');
        else if (refusal.code === 503)
          log.debug(
            { error: describeUnknownError(refusal.cause ?? refusal), operation, requestId },
            'unavailable',
          );
        return errorResponse(c, error, classify);
      }
    },
  };
}
