const MAX_LENGTH = 255;

/** A name that a client sent, as it may be said back: short, and without anything that a terminal obeys. */
export function printableName(name: string): string {
  const shown = name.slice(0, MAX_LENGTH).replaceAll(/\p{C}/gu, '\u{fffd}');
  return name.length > MAX_LENGTH ? `${shown}…` : shown;
}
