import { EXIT, Failure } from '../failure.ts';

/** Daemons tell which versions of the API they understand, as `oldest-newest`; the CLI tells its own. */
export const API_HEADER = 'x-jobber-api';

/** Grows when a client or a daemon of before would misunderstand, not with each new field. */
export const API_VERSION = 1;

/** @throws a Failure that says which side to upgrade. A daemon that tells nothing is believed to understand */
export function requireSameApi(told: string | string[] | undefined, url: URL, ours = API_VERSION): void {
  const [, oldest, newest] = /^(\d{1,6})-(\d{1,6})$/.exec(String(told)) ?? [];
  if (oldest === undefined || (ours >= Number(oldest) && ours <= Number(newest))) return;
  const range = oldest === newest ? newest : `${oldest} to ${newest}`;
  const upgrade =
    ours < Number(oldest) ? 'upgrade this jobber' : 'upgrade the platform, or use an older jobber';
  throw new Failure(`This jobber speaks version ${ours} of the API, ${url.origin} ${range}: ${upgrade}`, {
    exitCode: EXIT.refused,
    reason: 'VERSION_MISMATCH',
  });
}
