import type { Daemon, Target } from './profiles.ts';

/** The URL of a path of a daemon; its GraphQL when no path is given. */
export function daemonUrl(target: Target, daemon: Daemon, path = `/${daemon}/graphql`): URL {
  return new URL(`${target.addresses[daemon]}${path}`);
}
