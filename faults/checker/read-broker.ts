import type { StoredTopic } from './evidence.ts';

/** Where a broker tells about its topics, and which of them are the platform's. */
export interface BrokerView {
  /** Of its admin REST API. */
  readonly adminUrl: string;
  /** Of the topics' names in public/default. */
  readonly topicPrefix: string;
}

const NAMESPACE = 'persistent/public/default';

/** What the broker has not been told to be done with, topic by topic. */
export async function readBroker({ adminUrl, topicPrefix }: BrokerView): Promise<StoredTopic[]> {
  const names = await get<string[]>(`${adminUrl}/admin/v2/${NAMESPACE}`);
  const topics = names
    .map((name) => name.split('/').at(-1) ?? '')
    .filter((name) => name.startsWith(topicPrefix));
  return await Promise.all(topics.map((name) => readTopic(adminUrl, name)));
}

interface TopicStats {
  readonly subscriptions: Readonly<
    Record<string, { readonly msgBacklog: number; readonly unackedMessages?: number }>
  >;
}

async function readTopic(adminUrl: string, name: string): Promise<StoredTopic> {
  const path = `${NAMESPACE}/${encodeURIComponent(name)}/stats?getPreciseBacklog=true`;
  const { subscriptions } = await get<TopicStats>(`${adminUrl}/admin/v2/${path}`);
  const backlog = Object.values(subscriptions).reduce((sum, { msgBacklog }) => sum + msgBacklog, 0);
  return { name, backlog };
}

async function get<T>(url: string): Promise<T> {
  const response = await fetch(url, { signal: AbortSignal.timeout(10_000) });
  if (!response.ok) throw new Error(`The broker answers ${response.status} for ${url}`);
  return (await response.json()) as T;
}
