import { describeCharacter } from '../json/read-json-strictly.ts';
import type { RecordScanner, ScanStop } from './record-scanner.ts';

const lineFeed = 0x0a;
const quote = 0x22;
const comma = 0x2c;
const backslash = 0x5c;
const openBracket = 0x5b;
const closeBracket = 0x5d;
const openBrace = 0x7b;
const closeBrace = 0x7d;

/** Where between or in the elements of the outer array the scanner stands. */
type Place = 'before array' | 'first' | 'next' | 'in container' | 'in string' | 'in word' | 'after' | 'done';

/**
 * A JSON array: a record is an element, found by counting brackets outside strings. `inArray` starts at an element, as
 * the slices of a file do; a file starts with the bracket.
 */
export function createJsonArrayScanner(firstLine: number, inArray: boolean): RecordScanner {
  let place: Place = inArray ? 'next' : 'before array';
  let start = 0;
  let line = firstLine;
  let startLine = firstLine;
  let depth = 0;
  let inString = false;
  let escaped = false;
  let stop: ScanStop | undefined;

  function stopAt(expected: string, got: string): void {
    stop = { line, expected, got };
  }

  function inElement(): boolean {
    return place === 'in container' || place === 'in string' || place === 'in word';
  }

  /** One byte outside elements: whitespace, commas, the brackets, or the first byte of an element. */
  function between(c: number, at: number): void {
    if (c === lineFeed) line++;
    if (c === lineFeed || c === 0x20 || c === 0x09 || c === 0x0d) return;
    switch (place) {
      case 'before array':
        if (c === openBracket) place = 'first';
        else stopAt('an array of objects', nameTop(c));
        return;
      case 'after':
        if (c === comma) place = 'next';
        else if (c === closeBracket) place = 'done';
        else stopAt('a comma or "]" after the record', nameByte(c));
        return;
      case 'done':
        stopAt('the end of the file after the array', nameByte(c));
        return;
      default:
        if (c === closeBracket && place === 'first') place = 'done';
        else if (c === closeBracket) stopAt('a record after the comma', '"]" (a trailing comma)');
        else beginElement(c, at);
    }
  }

  function beginElement(c: number, at: number): void {
    start = at;
    startLine = line;
    if (c === openBrace || c === openBracket) {
      place = 'in container';
      depth = 1;
    } else if (c === quote) {
      place = 'in string';
      inString = true;
    } else if (isWordByte(c)) {
      place = 'in word';
    } else {
      stopAt('an object', nameByte(c));
    }
  }

  /** Runs to the end of the object or array that is open; the position after it, or `to`. */
  function inContainer(bytes: Buffer, from: number, to: number): number {
    let i = from;
    while (i < to) {
      if (inString) {
        i = inQuotes(bytes, i, to);
        continue;
      }
      const c = bytes[i++];
      if (c === quote) inString = true;
      else if (c === openBrace || c === openBracket) depth++;
      else if (c === lineFeed) line++;
      else if (c === closeBrace || c === closeBracket) {
        if (--depth === 0) {
          place = 'after';
          return i;
        }
      }
    }
    return i;
  }

  /** Runs to the end of the string that is open; the position after its quote, or `to`. */
  function inQuotes(bytes: Buffer, from: number, to: number): number {
    let i = from;
    if (escaped && i < to) {
      escaped = false;
      i++;
    }
    while (i < to) {
      const c = bytes[i++];
      if (c === quote) {
        inString = false;
        return i;
      }
      if (c === backslash) {
        if (i === to) escaped = true;
        else i++;
      } else if (c === lineFeed) line++;
    }
    return i;
  }

  return {
    get stop() {
      return stop;
    },
    get line() {
      return inElement() ? startLine : line;
    },
    scan(bytes, from, to, spans) {
      let i = from;
      while (i < to && stop === undefined) {
        if (place === 'in container') {
          i = inContainer(bytes, i, to);
          if (depth === 0) spans.push(start, i, startLine);
        } else if (place === 'in string') {
          i = inQuotes(bytes, i, to);
          if (!inString) {
            place = 'after';
            spans.push(start, i, startLine);
          }
        } else if (place === 'in word') {
          while (i < to && isWordByte(bytes[i] as number)) i++;
          if (i < to) {
            place = 'after';
            spans.push(start, i, startLine);
          }
        } else {
          between(bytes[i] as number, i++);
        }
      }
      return inElement() ? start : to;
    },
    end(_bytes, to, spans) {
      if (place === 'done' || (inArray && place === 'after')) return;
      if (inArray && place === 'in word') {
        place = 'after';
        spans.push(start, to, startLine);
      } else if (place === 'before array') {
        stopAt('an array of objects', 'an empty file');
      } else if (place === 'after') {
        stopAt('a comma or "]" after the record', 'the end of the file');
      } else if (place === 'first' || place === 'next') {
        stopAt(place === 'first' ? 'a record or "]"' : 'a record after the comma', 'the end of the file');
      } else {
        stop = {
          line: startLine,
          expected: 'the end of the record that begins here',
          got: 'the end of the file',
        };
      }
    },
    moved(by) {
      start -= by;
    },
  };
}

/** Bytes of words and numbers; whatever else ends one. */
function isWordByte(c: number): boolean {
  return (
    (c >= 0x30 && c <= 0x39) ||
    (c >= 0x41 && c <= 0x5a) ||
    (c >= 0x61 && c <= 0x7a) ||
    c === 0x5f ||
    c === 0x2b ||
    c === 0x2d ||
    c === 0x2e
  );
}

function nameTop(c: number): string {
  if (c === openBrace) return 'an object';
  if (c === quote) return 'a string';
  if (c === 0x2d || (c >= 0x30 && c <= 0x39)) return 'a number';
  return `text that begins with ${nameByte(c)}`;
}

function nameByte(c: number): string {
  if (c === 0x2f) return '"/" (JSON has no comments)';
  return c < 0x80 ? describeCharacter(c) : `the byte 0x${c.toString(16).toUpperCase()}`;
}
