/** Where the first byte stands that is no UTF-8; undefined when all of it is. Meant for bytes that `isUtf8` refused. */
export function findInvalidUtf8(bytes: Buffer): { byte: number; linesDown: number } | undefined {
  const text = bytes.toString('utf8');
  // Decoding writes U+FFFD for what it cannot read; that character may also stand there itself (EF BF BD).
  for (let at = text.indexOf('\ufffd'); at >= 0; at = text.indexOf('\ufffd', at + 1)) {
    const offset = Buffer.byteLength(text.slice(0, at));
    if (bytes[offset] === 0xef && bytes[offset + 1] === 0xbf && bytes[offset + 2] === 0xbd) continue;
    return { byte: bytes[offset] as number, linesDown: text.slice(0, at).split('\n').length - 1 };
  }
  return undefined;
}
