import { refuse } from '@jobber/shared/errors';
import type { Identity } from './guard-callers.ts';

export const ROLES = ['viewer', 'member', 'operator', 'admin'] as const;
export type Role = (typeof ROLES)[number];

const VIEWER = ['jobs:read', 'products:read'] as const;
const MEMBER = [...VIEWER, 'jobs:submit', 'jobs:cancel', 'jobs:retry', 'uploads:write'] as const;
const OPERATOR = [...MEMBER, 'jobs:read:any', 'jobs:cancel:any', 'jobs:retry:any'] as const;
const ADMIN = [...OPERATOR, 'users:read'] as const;

export type Permission = (typeof ADMIN)[number];

/** What each role may do. A user with several roles may do what any of them allows. */
export const PERMISSIONS_OF_ROLE: Readonly<Record<Role, readonly Permission[]>> = {
  viewer: VIEWER,
  member: MEMBER,
  operator: OPERATOR,
  admin: ADMIN,
};

export function permissionsOf(roles: readonly string[]): Permission[] {
  const all = roles.flatMap((role) => PERMISSIONS_OF_ROLE[role as Role] ?? []);
  return [...new Set(all)];
}

/** @throws AppError 403 FORBIDDEN */
export function requirePermission(identity: Identity, permission: Permission): void {
  if (identity.permissions.includes(permission)) return;
  refuse('FORBIDDEN', `Forbidden: this needs the permission ${permission}`, { permission });
}
