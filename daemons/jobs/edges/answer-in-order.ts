import { refuse } from '@jobber/shared/errors';

/** Requests of one stream that are being answered; whoever sends more does not wait for answers. */
const MAX_UNANSWERED = 16;

/**
 * Answers the requests of a stream in their order, several of them at the same time. Ends with the requests, and when
 * `over` aborts once all that were taken are answered. @throws what the first failing answer throws
 */
export async function* answerInOrder<Request, Response>(
  requests: AsyncIterable<Request>,
  answer: (request: Request) => Promise<Response>,
  over: AbortSignal,
): AsyncGenerator<Response, void, undefined> {
  const answers: Promise<Response>[] = [];
  let taken = false;
  let wake: () => void = () => {};

  async function takeRequests(): Promise<void> {
    for await (const request of requests) {
      if (over.aborted) return;
      const answered = answers.length < MAX_UNANSWERED ? answer(request) : Promise.try(refuseMore);
      // Whoever awaits it hears of a failure.
      answered.catch(() => {});
      answers.push(answered);
      wake();
    }
  }
  const end = () => {
    taken = true;
    wake();
  };
  over.addEventListener('abort', end);
  takeRequests().then(end, end);
  try {
    for (;;) {
      const next = answers[0];
      if (next !== undefined) {
        yield await next;
        answers.shift();
      } else if (taken) return;
      else {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    }
  } finally {
    over.removeEventListener('abort', end);
  }
}

function refuseMore(): never {
  return refuse('TOO_LARGE', `At most ${MAX_UNANSWERED} unanswered requests on one stream`);
}
