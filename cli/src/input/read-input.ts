import { readFileSync } from 'node:fs';
import { JsonText } from '../api/graphql.ts';
import { asTyped } from '../environment.ts';
import { usageFailure } from '../failure.ts';
import { cleanText } from '../render/clean-text.ts';
import { bytes } from '../render/units.ts';
import { reasonOf } from '../session/folder.ts';
import { checkRegularFile } from './check-file.ts';

/** In one request, as Jobs takes it; more belongs into a file that is uploaded. */
export const MAX_INPUT_BYTES = 16 * 1024 * 1024;

/**
 * The items given with --input: `@file`, `-` for stdin, or JSON itself. One object or an array of them; every digit stays
 * as it was typed.
 */
export async function readInput(input: string): Promise<JsonText> {
  if (input === '-') return checkItems(decode(await readStdin(), 'stdin'), 'What came from stdin');
  if (!input.startsWith('@')) {
    if (Buffer.byteLength(input) > MAX_INPUT_BYTES) throw tooLarge('The value of --input');
    return checkItems(input, 'The value of --input');
  }
  const path = input.slice(1);
  const size = checkRegularFile(path, 'give a file with one JSON object or an array of them');
  if (size > MAX_INPUT_BYTES) throw tooLarge(path);
  return checkItems(decode(readFile(path), path), path);
}

function checkItems(text: string, where: string): JsonText {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    const why = cleanText(error instanceof Error ? error.message : String(error));
    const advice = where.startsWith('The value') ? ' (a file is given as @file)' : '';
    throw usageFailure(`${where} is not JSON${advice}: ${why}`, 'INVALID_JSON');
  }
  if (Array.isArray(value)) {
    if (value.length === 0)
      throw usageFailure(`${where} is an empty array: give at least one item`, 'NO_ITEMS');
  } else if (typeof value !== 'object' || value === null) {
    const kind = value === null ? 'null' : `a ${typeof value}`;
    throw usageFailure(`${where} is ${kind}: give one JSON object or an array of them`, 'INVALID_JSON');
  }
  return new JsonText(text.trim());
}

function decode(content: Buffer, where: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(content);
  } catch {
    throw usageFailure(`${where} is not UTF-8 text: JSON has to be`, 'INVALID_JSON');
  }
}

function readFile(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw usageFailure(`${path} can't be read: ${reasonOf(error)}`, 'FILE_UNREADABLE');
  }
}

async function readStdin(): Promise<Buffer> {
  if (process.stdin.isTTY) process.stderr.write('Type JSON and end it with Ctrl-D:\n');
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of process.stdin as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_INPUT_BYTES) throw tooLarge('What came from stdin');
    chunks.push(chunk);
  }
  if (size === 0)
    throw usageFailure('Nothing came from stdin: give one JSON object or an array of them', 'NO_ITEMS');
  return Buffer.concat(chunks);
}

function tooLarge(where: string) {
  return usageFailure(
    `${where} is larger than ${bytes(MAX_INPUT_BYTES)}: load large files with ${asTyped('products load')}`,
    'INPUT_TOO_LARGE',
  );
}
