import type { Environment } from '../environment.ts';
import { homeFolder } from './folder.ts';
import { resolveTarget, type Target } from './profiles.ts';

/** Flags win over the environment, the environment over the current profile. */
export function chooseTarget(
  environment: Environment,
  flags: { profile?: string | undefined; server?: string | undefined },
): Target {
  // Whoever types the name of a profile means that platform, whatever JOBBER_SERVER says.
  const server = flags.server ?? (flags.profile === undefined ? environment.server : undefined);
  return resolveTarget(homeFolder(environment), { profile: flags.profile ?? environment.profile, server });
}
