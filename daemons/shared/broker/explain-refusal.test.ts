import { expect, test } from 'vitest';
import { explainRefusal } from './explain-refusal.ts';

function page(message: string): string {
  return `<html><head><style>td { color: red }</style></head><body><table><tr><th>MESSAGE:</th><td>${message}</td></tr></table></body></html>`;
}

test.each([
  [401, 'Unauthorized', /^the broker refuses the token \(401: Unauthorized\): check PULSAR_TOKEN/],
  [403, '', /^the token does not allow to produce to or consume from the topic \(403\)/],
  [500, 'org.apache.pulsar.AuthorizationException: no right', /^the token does not allow/],
  [409, 'Exclusive consumer is already connected', /^another program holds the subscription/],
  [500, 'IncompatibleSchemaException: Topic has schema', /^the topic has a schema of somebody else's/],
  [404, 'Not Found', /^there is no such topic, tenant or namespace, or no WebSocket API \(404: Not Found\)/],
  [503, 'Service Unavailable', /^the broker refuses the connection \(503: Service Unavailable\)$/],
])('a refusal with %i "%s" is explained', (status, message, sentence) => {
  expect(explainRefusal(status, page(message))).toMatch(sentence);
});

test('what a broker says is shown in one line, without markup and control characters, and not endlessly', () => {
  const sentence = explainRefusal(
    500,
    `<script>evil()</script><p>one\n\u001b[31mtwo</p>${'x'.repeat(5_000)}`,
  );
  expect(sentence).toContain('(500: one [31mtwo xxx');
  expect(sentence.length).toBeLessThan(400);
});
