export { type Authenticate, type Caller, callerOf, guardCallers, type Identity } from './guard-callers.ts';
export {
  PERMISSIONS_OF_ROLE,
  type Permission,
  permissionsOf,
  ROLES,
  type Role,
  requirePermission,
} from './permissions.ts';
export { AUTHENTICATION_COOKIE, presentedToken } from './presented-token.ts';
export { createRemoteAuthentication } from './remote-authentication.ts';
