/**
 * The part of a stream that is being looked at: what was appended and not yet dropped. Grows by doubling, so that a
 * record that arrives in small chunks is copied a bounded number of times.
 */
export interface ByteWindow {
  /** Valid from 0 to `length`. */
  bytes: Buffer;
  length: number;
  /** Where byte 0 of the window stands in the stream. */
  offset: number;
}

export function createByteWindow(): ByteWindow {
  return { bytes: Buffer.allocUnsafeSlow(64 * 1024), length: 0, offset: 0 };
}

export function appendToWindow(window: ByteWindow, chunk: Uint8Array): void {
  const needed = window.length + chunk.length;
  if (needed > window.bytes.length) {
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, window.bytes.length * 2));
    window.bytes.copy(larger, 0, 0, window.length);
    window.bytes = larger;
  }
  window.bytes.set(chunk, window.length);
  window.length = needed;
}

/** Forgets the first `count` bytes. */
export function dropFromWindow(window: ByteWindow, count: number): void {
  if (count === 0) return;
  window.bytes.copyWithin(0, count, window.length);
  window.length -= count;
  window.offset += count;
}
