/**
 * Whether people can read a text as the name of something and tell it from others: printable, and at most `maxLength` UTF-16 units.
 * Only blanks are most often a variable that was not set.
 */
export function isLabel(text: string, maxLength: number): boolean {
  return text.trim() !== '' && text.length <= maxLength && !/\p{C}/u.test(text);
}
