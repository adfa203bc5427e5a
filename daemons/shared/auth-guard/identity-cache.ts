import { LRUCache } from 'lru-cache';
import type { Identity } from './guard-callers.ts';

/** An identity, and when the token that showed it expires, in milliseconds since 1970 UTC. */
export interface ExpiringIdentity extends Identity {
  readonly expiresAtMs: number;
}

/**
 * Identities by token, kept until Auth takes them back. They are used only while it is certain that no revocation has
 * been missed: a stream from Auth is open, and what Auth has confirmed lately is at most `KEEP_MS` old.
 */
export interface IdentityCache {
  find(token: string): Identity | undefined;
  /** To be taken before Auth is asked: an answer is kept only if nothing was revoked or missed since. */
  mark(): number;
  keep(token: string, identity: ExpiringIdentity, mark: number): void;
  /** From now on every revocation is heard. */
  open(): void;
  /** Revocations may be missed: everything is forgotten. */
  close(): void;
  forget(sessionIds: readonly string[]): void;
  /** No revocation was missed at this time of the monotonic clock, in milliseconds. */
  confirm(at: number): void;
}

/** Auth counts on it that nothing is used for longer than this after a confirmed acknowledgement; it waits a little more. */
const KEEP_MS = 900;
/** Some 10 MB. */
const MAX_IDENTITIES = 10_000;

/** @param now the monotonic clock: it goes on while the process is stopped */
export function createIdentityCache({
  now = () => performance.now(),
  maxIdentities = MAX_IDENTITIES,
}: {
  now?: () => number;
  maxIdentities?: number;
} = {}): IdentityCache {
  const tokensOf = new Map<string, Set<string>>();
  const identities = new LRUCache<string, ExpiringIdentity>({
    max: maxIdentities,
    dispose({ sessionId }, token) {
      const tokens = tokensOf.get(sessionId);
      tokens?.delete(token);
      if (tokens?.size === 0) tokensOf.delete(sessionId);
    },
  });
  let mark = 0;
  let isOpen = false;
  let usableUntil = Number.NEGATIVE_INFINITY;

  function clear(): void {
    mark += 1;
    usableUntil = Number.NEGATIVE_INFINITY;
    identities.clear();
  }

  return {
    find(token) {
      if (now() >= usableUntil) return undefined;
      const identity = identities.get(token);
      if (identity === undefined || identity.expiresAtMs > Date.now()) return identity;
      identities.delete(token);
      return undefined;
    },
    mark: () => mark,
    keep(token, identity, markWhenAsked) {
      if (!isOpen || markWhenAsked !== mark || identity.expiresAtMs <= Date.now()) return;
      identities.set(token, identity);
      const tokens = tokensOf.get(identity.sessionId) ?? new Set();
      tokensOf.set(identity.sessionId, tokens.add(token));
    },
    open() {
      clear();
      isOpen = true;
    },
    close() {
      clear();
      isOpen = false;
    },
    forget(sessionIds) {
      if (sessionIds.length > 0) mark += 1;
      for (const sessionId of sessionIds) {
        for (const token of [...(tokensOf.get(sessionId) ?? [])]) identities.delete(token);
      }
    },
    confirm(at) {
      usableUntil = Math.max(usableUntil, at + KEEP_MS);
    },
  };
}
