import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { expect, test } from 'vitest';
import { readMultipartFile } from './multipart-file.ts';

test('a connection that was lost before the reading began is noticed at once, not after the stall time', async () => {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  socket.write(
    'POST / HTTP/1.1\r\nhost: x\r\ncontent-type: multipart/form-data; boundary=b\r\ncontent-length: 1000\r\n\r\n--b',
  );
  const [request] = (await once(server, 'request')) as [IncomingMessage];
  request.on('error', () => {});
  socket.destroy();
  await new Promise((resolve) => request.once('close', resolve));
  const limits = { maxBytes: 1_000, stallMs: 3_600_000 };
  await expect(readMultipartFile(request, limits, async () => 'received')).rejects.toMatchObject({
    reason: 'INVALID_FILE',
    message: 'The connection was lost',
  });
  server.close();
});
