import { expect, test } from 'vitest';
import { chooseWays } from './choose-ways.ts';

const broker = { serviceUrl: 'ws://127.0.0.1:8080', binaryUrl: 'pulsar://127.0.0.1:6650' };

test('the official client is measured on the same broker where it can be used, and otherwise it is said why not', () => {
  const direct = { name: 'direct', serviceUrl: undefined };
  const webSocket = { name: 'ws://', serviceUrl: broker.serviceUrl };
  expect(chooseWays(broker, undefined)).toEqual({
    ways: [direct, webSocket, { name: 'pulsar://', serviceUrl: broker.binaryUrl }],
  });
  expect(chooseWays(broker, 'the package pulsar-client is not installed')).toEqual({
    ways: [direct, webSocket],
    leftOut: 'pulsar:// is not measured: the package pulsar-client is not installed',
  });
});
