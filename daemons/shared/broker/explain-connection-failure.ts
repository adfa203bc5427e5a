import { describeUnknownError } from '@jobber/shared/errors';

/** Why no WebSocket connection comes about or goes on, and, where that is known, what to do about it. */
export function explainConnectionFailure(error: Error, largestFrame: number): string {
  const { code = '' } = error as NodeJS.ErrnoException;
  switch (code) {
    case 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH':
      return `a message on the topic has more than ${largestFrame / 1024 / 1024} MiB: skip it with the broker's tools`;
    case 'DEPTH_ZERO_SELF_SIGNED_CERT':
    case 'SELF_SIGNED_CERT_IN_CHAIN':
    case 'UNABLE_TO_VERIFY_LEAF_SIGNATURE':
    case 'UNABLE_TO_GET_ISSUER_CERT':
    case 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY':
    case 'CERT_SIGNATURE_FAILURE':
      return `the broker's certificate is not signed by an authority that is trusted (${code}): check PULSAR_TLS_CA_FILE`;
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return `the broker's certificate belongs to another host (${code}): check the host in PULSAR_SERVICE_URL`;
    case 'CERT_HAS_EXPIRED':
    case 'CERT_NOT_YET_VALID':
      return `the broker's certificate is not valid at this time (${code}): have it renewed, or check the clocks`;
    case 'EPROTO':
    case 'ERR_SSL_WRONG_VERSION_NUMBER':
    case 'ERR_SSL_PACKET_LENGTH_TOO_LONG':
      return `what answers at the broker's address does not speak TLS (${code}): check the port, or use ws://`;
    default:
      return `the broker can't be reached: ${describeUnknownError(error)}`;
  }
}
