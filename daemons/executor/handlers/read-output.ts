import type { Readable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';

/** Whoever prints more than this in this time is made to wait: reading it must cost little. */
const PERIOD_BYTES = 256 * 1024;
const PERIOD_MS = 100;
const MAX_LINE_CHARS = 2_000;
const MAX_LINES = 200;
const TAIL_CHARS = 4_000;

/**
 * Reads what a process prints, line by line, at most so fast; of a chunk with very many lines, the first ones.
 * @returns the last of it so far
 */
export function readOutput(stream: Readable, onLine: (line: string) => void): () => string {
  const decoder = new StringDecoder('utf8');
  let begun = '';
  let tail = '';
  let room = PERIOD_BYTES;
  stream.on('error', () => {});
  stream.on('data', (chunk: Buffer) => {
    const text = decoder.write(chunk);
    tail = (tail + text).slice(-TAIL_CHARS);
    const lines = (begun + text).split('\n');
    begun = (lines.pop() ?? '').slice(0, MAX_LINE_CHARS);
    for (const line of lines.slice(0, MAX_LINES)) if (line) onLine(line.slice(0, MAX_LINE_CHARS));
    room -= chunk.length;
    if (room > 0) return;
    stream.pause();
    setTimeout(() => {
      room = PERIOD_BYTES;
      stream.resume();
    }, PERIOD_MS).unref();
  });
  return () => tail;
}
