import { expect, test } from 'vitest';
import { explainConnectionFailure } from './explain-connection-failure.ts';

function explain(code: string, message = 'in words of its own'): string {
  return explainConnectionFailure(Object.assign(new Error(message), { code }), 64 * 1024 * 1024);
}

test('what TLS refuses is said with what to do, and with the code that can be looked up', () => {
  expect(explain('SELF_SIGNED_CERT_IN_CHAIN')).toBe(
    "the broker's certificate is not signed by an authority that is trusted (SELF_SIGNED_CERT_IN_CHAIN): check PULSAR_TLS_CA_FILE",
  );
  expect(explain('ERR_TLS_CERT_ALTNAME_INVALID')).toContain('check the host in PULSAR_SERVICE_URL');
  expect(explain('CERT_HAS_EXPIRED')).toContain('have it renewed, or check the clocks');
  expect(explain('ERR_SSL_WRONG_VERSION_NUMBER')).toContain('check the port, or use ws://');
});

test('a message that is too large is told from a broker that can not be reached', () => {
  expect(explain('WS_ERR_UNSUPPORTED_MESSAGE_LENGTH')).toContain('has more than 64 MiB');
  expect(explain('ECONNREFUSED', 'connect ECONNREFUSED 127.0.0.1:8080')).toBe(
    "the broker can't be reached: connect ECONNREFUSED 127.0.0.1:8080",
  );
});
