/** What a scanner or a parser found, before it is known which record that is. */
export interface Complaint {
  expected: string;
  got: string;
  field?: string;
}

/** What is wrong with one record of a file, or (`message` then names the line only) with the file at that place. */
export interface RecordProblem extends Complaint {
  /** The record's number in the file, from 0; for the file itself, the number the next record would have. */
  index: number;
  /** The line of the file, from 1. */
  line: number;
  /** One sentence of all of it. */
  message: string;
}

export function problemOfRecord(
  index: number,
  line: number,
  { expected, got, field }: Complaint,
): RecordProblem {
  const where = field === undefined ? '' : `, ${field}`;
  const message = `Record ${index} (line ${line})${where}: expected ${expected}, got ${got}.`;
  return { index, line, ...(field === undefined ? {} : { field }), expected, got, message };
}

export function problemOfFile(
  index: number,
  line: number,
  { expected, got, field }: Complaint,
): RecordProblem {
  const where = field === undefined ? '' : `, ${field}`;
  const message = `Line ${line}${where}: expected ${expected}, got ${got}.`;
  return { index, line, ...(field === undefined ? {} : { field }), expected, got, message };
}
