// Messages on a pipe: four bytes of length, and that many bytes of JSON. Node's own channel between processes has no limit
// of length and no way to make the other side wait; whoever floods it exhausts the memory of the reader.

const HEADER_BYTES = 4;

export function encodeFrame(message: unknown): Buffer {
  const json = Buffer.from(JSON.stringify(message));
  const header = Buffer.allocUnsafe(HEADER_BYTES);
  header.writeUInt32BE(json.length);
  return Buffer.concat([header, json]);
}

/**
 * Puts chunks together to messages.
 * @returns takes the next chunk, and gives the messages that it completes. @throws RangeError when a message is longer than
 * `maxBytes`, SyntaxError when it is not JSON; nothing after that is readable
 */
export function createFrameReader(maxBytes: number): (chunk: Buffer) => unknown[] {
  let chunks: Buffer[] = [];
  let length = 0;

  function take(bytes: number): Buffer {
    const all = chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks);
    chunks = [all.subarray(bytes)];
    length -= bytes;
    return all.subarray(0, bytes);
  }

  let expected: number | undefined;
  return (chunk) => {
    chunks.push(chunk);
    length += chunk.length;
    const messages: unknown[] = [];
    for (;;) {
      if (expected === undefined) {
        if (length < HEADER_BYTES) return messages;
        expected = take(HEADER_BYTES).readUInt32BE();
        if (expected > maxBytes) throw new RangeError(`A message of ${expected} bytes; at most ${maxBytes}`);
      }
      if (length < expected) return messages;
      messages.push(JSON.parse(take(expected).toString()));
      expected = undefined;
    }
  };
}
