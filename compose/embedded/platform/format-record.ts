import { stripVTControlCharacters, styleText } from 'node:util';
import type { LogRecord, LogSource } from './log-stream.ts';

type Style = Parameters<typeof styleText>[0];

const SOURCE_STYLES: Readonly<Record<LogSource, Style>> = {
  auth: 'cyan',
  jobs: 'green',
  executor: 'magenta',
  products: 'yellow',
  postgres: 'blue',
  up: 'bold',
};
const LEVEL_STYLES: Readonly<Record<string, Style>> = {
  trace: 'dim',
  debug: 'dim',
  info: 'dim',
  warn: 'yellow',
  error: 'red',
  fatal: ['bold', 'red'],
};
const SHOWN_ELSEWHERE = new Set(['level', 'time', 'pid', 'daemon', 'msg']);

// Control characters, and those that reorder or hide text: what was logged must not steer a terminal.
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;

/** A record as one line for people: time, who, level, message, key=value. */
export function formatRecord(record: LogRecord, color: boolean): string {
  const paint = (style: Style, text: string) =>
    color ? styleText(style, text, { validateStream: false }) : text;
  const time = paint('dim', localTime(record.time));
  const source = paint(SOURCE_STYLES[record.source], record.source.padEnd(8));
  if (!record.fields)
    return `${time} ${source} ${paint('red', 'text ')} ${stripUnsafe(record.line).trimEnd()}`;
  const level = typeof record.fields['level'] === 'string' ? record.fields['level'] : 'info';
  const shownLevel = paint(LEVEL_STYLES[level] ?? 'dim', cleanText(level).padEnd(5));
  const message = cleanText(String(record.fields['msg'] ?? ''));
  const pairs = Object.entries(record.fields)
    .filter(([name, value]) => !SHOWN_ELSEWHERE.has(name) && value !== undefined)
    .map(([name, value]) => ` ${paint('dim', `${cleanText(name)}=`)}${formatValue(value)}`);
  return `${time} ${source} ${shownLevel} ${message}${pairs.join('')}`;
}

/** A record as a line of JSON, whatever it was. */
export function toJsonLine({ source, line, fields, time }: LogRecord): string {
  return fields ? line : JSON.stringify({ level: 'error', time, daemon: source, msg: line });
}

/** Text from elsewhere as one line that is safe to print. */
export function cleanText(text: string): string {
  return stripUnsafe(text.replace(/\s+/g, ' ')).trim();
}

function stripUnsafe(text: string): string {
  return stripVTControlCharacters(text).replace(UNSAFE, '');
}

function formatValue(value: unknown): string {
  if (typeof value === 'string')
    return /^[^\s="]+$/.test(value) ? cleanText(value) : JSON.stringify(cleanText(value));
  if (isError(value)) return JSON.stringify(cleanText(value.message));
  return cleanText(JSON.stringify(value) ?? '');
}

/** The logger writes errors as {type, message, stack}; the stack is in the file. */
function isError(value: unknown): value is { message: string } {
  return (
    typeof value === 'object' &&
    value !== null &&
    'stack' in value &&
    'message' in value &&
    typeof value.message === 'string'
  );
}

/** The hour as on the reader's clock. */
function localTime(iso: string): string {
  const date = new Date(iso);
  if (Number.isNaN(date.getTime())) return '--:--:--.---';
  const two = (value: number) => String(value).padStart(2, '0');
  const milliseconds = String(date.getMilliseconds()).padStart(3, '0');
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${milliseconds}`;
}
