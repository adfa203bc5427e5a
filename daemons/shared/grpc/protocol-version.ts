/** With each call a caller says which version of the protocol between daemons it speaks. */
export const PROTOCOL_HEADER = 'x-jobber-protocol';

/** Versions that this build understands. A number grows when the other side would misunderstand, not with each new field. */
export interface Protocol {
  readonly oldest: number;
  /** What this build speaks itself. */
  readonly newest: number;
}

export const PROTOCOL: Protocol = { oldest: 1, newest: 1 };

/**
 * What to tell a caller that is too old or too new, naming the side to upgrade; undefined when both understand each other.
 * @param sent the header; a caller that sends none speaks the first version
 */
export function protocolProblem(
  caller: string,
  sent: string | undefined,
  ours = PROTOCOL,
): string | undefined {
  const theirs = sent === undefined ? 1 : Number(/^\d{1,6}$/.exec(sent)?.[0]);
  if (theirs >= ours.oldest && theirs <= ours.newest) return undefined;
  const range = ours.oldest === ours.newest ? `${ours.newest}` : `${ours.oldest} to ${ours.newest}`;
  const version = Number.isNaN(theirs) ? 'an unknown version' : `version ${theirs}`;
  const spoken = `${caller} speaks ${version} of the protocol, this daemon ${range}`;
  return `${spoken}: upgrade ${theirs > ours.newest ? `this daemon, or run an older ${caller}` : caller}`;
}
