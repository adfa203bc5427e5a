import { isUtf8 } from 'node:buffer';
import type { RecordFormat } from './record-limits.ts';

export const onlyTheseFormats = 'Only JSON, NDJSON and CSV files are allowed.';

/** `message` is a sentence for the person who sent the file; `reason` is stable. */
export type DetectedFormat =
  | { ok: true; format: RecordFormat }
  | {
      ok: false;
      reason: 'extension' | 'empty' | 'compressed' | 'binary' | 'encoding' | 'mismatch';
      message: string;
    };

const formats: Record<string, RecordFormat> = { json: 'json', ndjson: 'ndjson', jsonl: 'ndjson', csv: 'csv' };

/** Stands for any byte in a magic number. */
const anyByte = -1;

const compressed: readonly [name: string, magic: readonly number[]][] = [
  ['gzip', [0x1f, 0x8b]],
  ['ZIP (or a spreadsheet such as .xlsx)', [0x50, 0x4b, 0x03, 0x04]],
  ['ZIP', [0x50, 0x4b, 0x05, 0x06]],
  ['ZIP', [0x50, 0x4b, 0x07, 0x08]],
  ['Zstandard', [0x28, 0xb5, 0x2f, 0xfd]],
  ['bzip2', [0x42, 0x5a, 0x68, anyByte, 0x31, 0x41, 0x59]],
  ['xz', [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]],
  ['7-Zip', [0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c]],
  ['LZ4', [0x04, 0x22, 0x4d, 0x18]],
];

/**
 * Recognises the format of a file by its name's extension (.json, .ndjson, .jsonl, .csv in any case) and its first
 * bytes; some kilobytes of head are enough. The extension decides between CSV and JSON, the content between an array
 * and one object per line. Bytes that are no UTF-8 further on are the indexer's to refuse.
 */
export function detectFormat({ fileName, head }: { fileName: string; head: Uint8Array }): DetectedFormat {
  const extension = /\.([A-Za-z]+)$/.exec(fileName)?.[1]?.toLowerCase() ?? '';
  const named = Object.hasOwn(formats, extension) ? formats[extension] : undefined;
  if (named === undefined) return { ok: false, reason: 'extension', message: onlyTheseFormats };
  if (head.length === 0) return { ok: false, reason: 'empty', message: 'The file is empty.' };
  const refusal = refuseBytes(head);
  if (refusal !== undefined) return refusal;
  return matchContent(named, Buffer.from(head.buffer, head.byteOffset, head.byteLength).toString('utf8'));
}

function refuseBytes(head: Uint8Array): DetectedFormat | undefined {
  for (const [name, magic] of compressed) {
    if (startsWith(head, magic)) {
      const message = `The file is compressed (${name}): send it unpacked. ${onlyTheseFormats}`;
      return { ok: false, reason: 'compressed', message };
    }
  }
  if (isUtf16(head)) {
    const message = `The file is UTF-16 text: save it as UTF-8. ${onlyTheseFormats}`;
    return { ok: false, reason: 'encoding', message };
  }
  if (head.includes(0) || startsWith(head, Buffer.from('%PDF-'))) {
    return { ok: false, reason: 'binary', message: `The file is binary, not text. ${onlyTheseFormats}` };
  }
  if (!isUtf8(withoutCutCharacter(head))) {
    const binary = controls(head) * 10 > head.length;
    return binary
      ? { ok: false, reason: 'binary', message: `The file is binary, not text. ${onlyTheseFormats}` }
      : {
          ok: false,
          reason: 'encoding',
          message: `The file is not UTF-8 text (Latin-1 or another encoding): save it as UTF-8. ${onlyTheseFormats}`,
        };
  }
  return undefined;
}

function matchContent(named: RecordFormat, text: string): DetectedFormat {
  const start = text.replace(/^\ufeff?[ \t\r\n]*/, '').slice(0, 64 * 1024);
  if (named === 'csv') {
    if (!/^(\[\s*[{\]]|\{\s*["}])/.test(start)) return { ok: true, format: 'csv' };
    const message =
      'The file is named .csv but holds JSON: name it .json (an array) or .ndjson (one object per line).';
    return { ok: false, reason: 'mismatch', message };
  }
  // An array is never a line of NDJSON; lines of objects are what many programs write into a .json file.
  if (start.startsWith('[')) return { ok: true, format: 'json' };
  if (named === 'json' && isLinesOfObjects(start)) return { ok: true, format: 'ndjson' };
  return { ok: true, format: named };
}

/** Whether the first line is a whole object and another object begins on a later line. */
function isLinesOfObjects(text: string): boolean {
  const lineEnd = text.indexOf('\n');
  if (!text.startsWith('{') || lineEnd < 0) return false;
  if (!text.slice(lineEnd).trimStart().startsWith('{')) return false;
  try {
    JSON.parse(text.slice(0, lineEnd));
    return true;
  } catch {
    return false;
  }
}

/** By its byte order mark, or by NUL at every second place, which ASCII text in UTF-16 has. */
function isUtf16(head: Uint8Array): boolean {
  if (startsWith(head, [0xff, 0xfe]) || startsWith(head, [0xfe, 0xff])) return true;
  const looked = Math.min(head.length, 512);
  if (looked < 4) return false;
  const nuls = [0, 0];
  for (let i = 0; i < looked; i++) if (head[i] === 0) nuls[i % 2] = (nuls[i % 2] ?? 0) + 1;
  const [even = 0, odd = 0] = nuls;
  const half = Math.floor(looked / 2);
  return Math.max(even, odd) * 4 >= half * 3 && Math.min(even, odd) * 10 <= half;
}

/** The head may end inside a character: up to three bytes of an unfinished one are left out. */
function withoutCutCharacter(head: Uint8Array): Uint8Array {
  for (let back = 1; back <= Math.min(3, head.length); back++) {
    const c = head[head.length - back] as number;
    if (c < 0x80) return head;
    if (c >= 0xc0) {
      const length = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2;
      return length > back ? head.subarray(0, head.length - back) : head;
    }
  }
  return head;
}

function controls(head: Uint8Array): number {
  let count = 0;
  for (const c of head) if (c < 0x20 && c !== 0x09 && c !== 0x0a && c !== 0x0d) count++;
  return count;
}

function startsWith(head: Uint8Array, magic: ArrayLike<number>): boolean {
  if (head.length < magic.length) return false;
  for (let i = 0; i < magic.length; i++) if (magic[i] !== anyByte && head[i] !== magic[i]) return false;
  return true;
}
