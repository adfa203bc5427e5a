/**
 * What a broker that refused a connection means, and what to do about it.
 * @param status of its HTTP answer
 * @param body of it: a page for people, with the reason somewhere in it
 */
export function explainRefusal(status: number, body: string): string {
  const reason = reasonIn(body);
  const said = reason ? ` (${status}: ${reason})` : ` (${status})`;
  if (/authoriz|permission/i.test(reason) && status !== 401) return notAllowed(said);
  if (/schema/i.test(reason)) {
    return `the topic has a schema of somebody else's${said}: remove the schema, or choose another PULSAR_TOPIC_PREFIX`;
  }
  if (/exclusive|consumerbusy|consumer is already/i.test(reason) || status === 409) {
    return (
      `another program holds the subscription with another type than Shared${said}: ` +
      'stop that program, or choose another PULSAR_TOPIC_PREFIX'
    );
  }
  switch (status) {
    case 401:
      return `the broker refuses the token${said}: check PULSAR_TOKEN or PULSAR_TOKEN_FILE`;
    case 403:
      return notAllowed(said);
    case 404:
      return (
        `there is no such topic, tenant or namespace, or no WebSocket API${said}: ` +
        'check PULSAR_TENANT, PULSAR_NAMESPACE and webSocketServiceEnabled'
      );
    default:
      return `the broker refuses the connection${said}`;
  }
}

function notAllowed(said: string): string {
  return `the token does not allow to produce to or consume from the topic${said}: grant its role both on the namespace`;
}

/** The reason without markup and control characters, in one line. */
function reasonIn(body: string): string {
  const inTable = /MESSAGE:<\/th>\s*<td>([^<]*)/i.exec(body)?.[1];
  const text = inTable ?? body.replaceAll(/<(style|script)[\s\S]*?<\/\1>/gi, ' ').replaceAll(/<[^>]*>/g, ' ');
  return text
    .replaceAll(/[\s\p{Cc}]+/gu, ' ')
    .trim()
    .slice(0, 300);
}
