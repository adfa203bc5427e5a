import type {
  JobsServiceClient,
  ReportOutcomesRequest,
  ReportOutcomesResponse,
} from '@jobber/proto/jobs/v1/jobs';

/** Outcomes on their way over one lasting stream: that costs a third of a call of its own. */
export interface OutcomeStream {
  /** @throws when there is no stream, when it ends, or when the answer takes too long; the outcomes may be stored all the same */
  send(request: ReportOutcomesRequest): Promise<ReportOutcomesResponse>;
  close(): void;
}

interface Unanswered {
  readonly answer: PromiseWithResolvers<ReportOutcomesResponse>;
  readonly timer: NodeJS.Timeout;
}

/** How long an answer may take, and how long no stream is tried after one has ended, in milliseconds. */
const ANSWER_MS = 10_000;
const REOPEN_MS = 1_000;

/** Opens a stream when there is something to send. */
export function createOutcomeStream(client: Pick<JobsServiceClient, 'reportOutcomes'>): OutcomeStream {
  let current: ReturnType<typeof open> | undefined;
  let closedAt = Number.NEGATIVE_INFINITY;
  let closed = false;

  function open() {
    const ending = new AbortController();
    const unanswered: Unanswered[] = [];
    const waiting: ReportOutcomesRequest[] = [];
    let wake: () => void = () => {};

    async function* requests(): AsyncGenerator<ReportOutcomesRequest, void, undefined> {
      while (!ending.signal.aborted) {
        const woken = new Promise<void>((resolve) => {
          wake = resolve;
        });
        yield* waiting.splice(0);
        if (waiting.length === 0) await woken;
      }
    }

    async function receive(): Promise<never> {
      for await (const response of client.reportOutcomes(requests(), { signal: ending.signal })) {
        const next = unanswered.shift();
        clearTimeout(next?.timer);
        next?.answer.resolve(response);
      }
      throw new Error('Jobs ended the stream of outcomes');
    }

    function end(error: unknown): void {
      if (current === stream) current = undefined;
      closedAt = performance.now();
      ending.abort();
      wake();
      for (const { answer, timer } of unanswered.splice(0)) {
        clearTimeout(timer);
        answer.reject(error);
      }
    }

    function send(request: ReportOutcomesRequest): Promise<ReportOutcomesResponse> {
      const answer = Promise.withResolvers<ReportOutcomesResponse>();
      const timer = setTimeout(() => end(new Error('Jobs did not answer on the stream in time')), ANSWER_MS);
      unanswered.push({ answer, timer });
      waiting.push(request);
      wake();
      return answer.promise;
    }

    const stream = { send, end };
    receive().catch(end);
    return stream;
  }

  return {
    async send(request) {
      if (closed || (!current && performance.now() - closedAt < REOPEN_MS)) {
        throw new Error('There is no stream of outcomes');
      }
      current ??= open();
      return await current.send(request);
    },
    close() {
      closed = true;
      current?.end(new Error('The stream of outcomes was closed'));
    },
  };
}
