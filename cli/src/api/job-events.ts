import type { IncomingMessage } from 'node:http';
import { daemonUrl } from '../session/daemon-url.ts';
import type { Session } from '../session/session.ts';
import { describeNetworkError, notJobber } from './describe-network-error.ts';
import { readAnswer, startRequest } from './http-request.ts';
import type { JobState } from './jobs.ts';
import type { RunningTask } from './running-tasks.ts';
import { readJsonAnswer } from './server-refusal.ts';

/** A daemon sends something every few seconds; after that long a silence the connection is dead. */
const SILENCE_MS = 60_000;
const MAX_EVENT_CHARACTERS = 1_000_000;

/** How far a job is; or how far the handlers of its running tasks say they are. */
export type JobNews = { readonly state: JobState } | { readonly running: readonly RunningTask[] };

/**
 * The states of a job as they change, the first one at once, until it has ended (Server-Sent Events), and in between what
 * the handlers of its tasks say.
 *
 * @throws a Failure when the stream can't be opened or breaks off; the signal's reason when it was aborted
 */
export async function* jobEvents(
  session: Session,
  id: number,
  signal: AbortSignal,
): AsyncGenerator<JobNews, void> {
  const url = daemonUrl(session.target, 'jobs', `/jobs/${id}/events`);
  const response = await session.withToken((token) => openStream(url, token, signal));
  response.setEncoding('utf8');
  response.setTimeout(SILENCE_MS, () => response.destroy(new Error('silence')));
  try {
    let rest = '';
    for await (const chunk of response as AsyncIterable<string>) {
      const events = `${rest}${chunk}`.split(/\r?\n\r?\n/);
      rest = events.pop() ?? '';
      if (rest.length > MAX_EVENT_CHARACTERS) throw notJobber(url, 'an event of its stream has no end');
      for (const event of events) {
        const news = parseEvent(event);
        if (news) yield news;
      }
    }
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    throw describeNetworkError(error, url);
  } finally {
    response.destroy();
  }
}

function openStream(url: URL, token: string, signal: AbortSignal): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const headers = { accept: 'text/event-stream', authorization: `Bearer ${token}` };
    const request = startRequest(url, { method: 'GET', headers, signal });
    request.setTimeout(15_000, () =>
      request.destroy(Object.assign(new Error('timeout'), { code: 'ETIMEDOUT' })),
    );
    request.on('error', (error) => reject(signal.aborted ? signal.reason : describeNetworkError(error, url)));
    request.on('response', (response) => {
      request.setTimeout(0);
      if (response.statusCode === 200 && /^text\/event-stream/.test(response.headers['content-type'] ?? '')) {
        resolve(response);
        return;
      }
      readAnswer(response, url)
        .then((answer) => {
          readJsonAnswer(answer, url);
          throw notJobber(url, `${url.pathname} gave no stream of events`);
        })
        .catch(reject);
    });
    request.end();
  });
}

function parseEvent(text: string): JobNews | undefined {
  const lines = text.split(/\r?\n/);
  const name = lines
    .find((line) => line.startsWith('event:'))
    ?.slice(6)
    .trim();
  if (name !== 'job' && name !== 'progress') return undefined;
  const data = lines.filter((line) => line.startsWith('data:')).map((line) => line.slice(5).trimStart());
  const value = JSON.parse(data.join('\n')) as Partial<JobState & { running: RunningTask[] }> | null;
  if (name === 'progress') return Array.isArray(value?.running) ? { running: value.running } : undefined;
  return typeof value?.status === 'string' ? { state: value as JobState } : undefined;
}
