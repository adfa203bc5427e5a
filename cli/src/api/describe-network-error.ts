import { asTyped } from '../environment.ts';
import { EXIT, Failure } from '../failure.ts';

/** Reasons after which the same request may be sent again, if it is harmless to do so. */
export const RETRYABLE_REASONS: ReadonlySet<string> = new Set(['CONNECTION_LOST', 'UNAVAILABLE']);

/** What was on its way: much of a file, or a short request that is the first thing the server hears. */
type Sending = 'request' | 'file';

/** What went wrong between us and a server, in one sentence that names the address. */
export function describeNetworkError(error: unknown, url: URL, sending: Sending = 'request'): Failure {
  if (error instanceof Failure) return error;
  const { code = '', message } = error as NodeJS.ErrnoException;
  const { reason, text } = explain(code, message, url, sending);
  return new Failure(text, { exitCode: EXIT.unavailable, reason, cause: error });
}

export function timedOut(url: URL, milliseconds: number): Failure {
  return new Failure(
    `${url.origin} has not answered within ${milliseconds / 1000} s: it is overloaded or the network fails; try again`,
    { exitCode: EXIT.unavailable, reason: 'TIMED_OUT' },
  );
}

/** For an answer that no daemon of jobber gives. */
export function notJobber(url: URL, what: string): Failure {
  return new Failure(
    `${url.origin} does not answer as a jobber server: ${what}; check the address (--server, --profile)`,
    { exitCode: EXIT.unavailable, reason: 'NOT_JOBBER' },
  );
}

function explain(
  code: string,
  message: string,
  url: URL,
  sending: Sending,
): { reason: string; text: string } {
  const where = url.origin;
  switch (code) {
    case 'ECONNREFUSED':
      return {
        reason: 'UNREACHABLE',
        text: `Nothing answers at ${where} (connection refused): start the platform with ${asTyped('up')}, or check the address (--server, --profile)`,
      };
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
    case 'EAI_FAIL':
      return {
        reason: 'UNREACHABLE',
        text: `The host ${url.hostname} of ${where} can't be found: check the address and the network`,
      };
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
    case 'EADDRNOTAVAIL':
      return { reason: 'UNREACHABLE', text: `There is no way to ${where} (${code}): check the network` };
    case 'ETIMEDOUT':
      return {
        reason: 'TIMED_OUT',
        text: `${where} can't be reached (connection timed out): check the network`,
      };
    case 'ECONNRESET':
    case 'EPIPE':
    case 'ECONNABORTED':
      return { reason: 'CONNECTION_LOST', text: explainLoss(message, url, sending) };
  }
  if (code.startsWith('HPE_')) {
    return {
      reason: 'NOT_JOBBER',
      text: `What answers at ${where} does not speak HTTP: check the port in the address (--server, --profile)`,
    };
  }
  const tls = explainTls(code, message, url);
  if (tls) return { reason: 'TLS', text: tls };
  return { reason: 'CONNECTION_LOST', text: `The request to ${where} failed: ${code || message}; try again` };
}

function explainLoss(message: string, url: URL, sending: Sending): string {
  // Node's words for a connection that ended in order; everything else is a reset, on one side or between.
  const ended = message === 'socket hang up' ? 'closed' : 'reset';
  if (sending === 'file') {
    return `${url.origin} ${ended} the connection while the file was sent: nothing was loaded; try again`;
  }
  const tls = url.protocol === 'http:' ? '; if it speaks TLS, the address must begin with https://' : '';
  return `${url.origin} ${ended} the connection before it had answered: try again${tls}`;
}

function explainTls(code: string, message: string, url: URL): string | undefined {
  const where = url.origin;
  if (
    code === 'ERR_SSL_WRONG_VERSION_NUMBER' ||
    code === 'EPROTO' ||
    code === 'ERR_SSL_PACKET_LENGTH_TOO_LONG'
  ) {
    return `What answers at ${where} does not speak TLS: should the address begin with http://?`;
  }
  const distrust = 'have it renewed, or, for an authority of your own, name its file in NODE_EXTRA_CA_CERTS';
  switch (code) {
    case 'CERT_HAS_EXPIRED':
      return `The certificate of ${where} has expired: have it renewed`;
    case 'CERT_NOT_YET_VALID':
      return `The certificate of ${where} is not valid yet: check the clocks`;
    case 'DEPTH_ZERO_SELF_SIGNED_CERT':
    case 'SELF_SIGNED_CERT_IN_CHAIN':
    case 'UNABLE_TO_VERIFY_LEAF_SIGNATURE':
    case 'UNABLE_TO_GET_ISSUER_CERT':
    case 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY':
      return `The certificate of ${where} is not signed by an authority that this machine trusts: ${distrust}`;
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return `The certificate of ${where} belongs to another host: check the address`;
  }
  if (code.startsWith('ERR_TLS') || code.startsWith('ERR_SSL') || /certificate/i.test(message)) {
    return `No TLS connection to ${where} comes about: ${code || message}`;
  }
  return undefined;
}
