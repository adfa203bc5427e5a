import { type Identity, type Permission, requirePermission } from '@jobber/shared/auth-guard';
import { refuse } from '@jobber/shared/errors';

/** Whose things a request is about. */
export interface OwnerFilter {
  /** UUID of a user. */
  readonly owner?: string;
  readonly allOwners?: boolean;
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** Whether somebody may see a job of this owner, and what belongs to it. */
export function maySee(identity: Identity, { ownerId }: { readonly ownerId: string }): boolean {
  return identity.permissions.includes(ownerId === identity.userId ? 'jobs:read' : 'jobs:read:any');
}

/**
 * @param permission what it takes for one's own; with `:any`, for others'
 * @returns the owner; undefined: everybody's. @throws AppError 400 INVALID_INPUT, 403 FORBIDDEN
 */
export function ownerOf(
  identity: Identity,
  filter: OwnerFilter,
  permission: Extract<Permission, 'jobs:read' | 'jobs:retry'>,
): string | undefined {
  const others = filter.allOwners === true || (filter.owner ?? identity.userId) !== identity.userId;
  requirePermission(identity, others ? `${permission}:any` : permission);
  if (filter.owner !== undefined && !UUID.test(filter.owner)) {
    refuse('INVALID_INPUT', 'owner must be the id of a user');
  }
  return filter.owner ?? (filter.allOwners === true ? undefined : identity.userId);
}
