import { once } from 'node:events';

export interface TopicAddress {
  /** `ws://host:port`. */
  readonly webSocketUrl: string;
  readonly token?: string | undefined;
  readonly topic: string;
}

/**
 * Writes any messages to a topic, as whoever may reach the broker can.
 * @returns how many of them the broker has stored
 */
export async function writeToTopic(
  { webSocketUrl, token, topic }: TopicAddress,
  bodies: readonly Uint8Array[],
): Promise<number> {
  const query = token === undefined ? '' : `?token=${encodeURIComponent(token)}`;
  const socket = new WebSocket(`${webSocketUrl}/ws/v2/producer/persistent/public/default/${topic}${query}`);
  await Promise.race([once(socket, 'open'), failure(socket)]);
  let stored = 0;
  const answered = Promise.withResolvers<void>();
  let answers = 0;
  socket.onmessage = ({ data }) => {
    if ((JSON.parse(String(data)) as { result: string }).result === 'ok') stored += 1;
    answers += 1;
    if (answers === bodies.length) answered.resolve();
  };
  // A message that is too large ends the connection.
  socket.onclose = () => answered.resolve();
  for (const body of bodies) socket.send(JSON.stringify({ payload: Buffer.from(body).toString('base64') }));
  if (bodies.length > 0) await answered.promise;
  socket.close();
  return stored;
}

async function failure(socket: WebSocket): Promise<never> {
  await once(socket, 'error');
  throw new Error('the topic can not be written to');
}
