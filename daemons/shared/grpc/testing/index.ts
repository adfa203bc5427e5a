import { AuthServiceDefinition } from '@jobber/proto/auth/v1/auth';
import type { ServedService } from '@jobber/shared/grpc';

/** A service that answers one method to one caller, `authenticateMany` to Jobs: with no identities, whatever it is asked. */
export function authServiceForTests(onCall: () => void = () => {}): ServedService {
  return {
    definition: AuthServiceDefinition,
    implementation: {
      authenticateMany: async () => {
        onCall();
        return { results: [] };
      },
      authenticate: async () => ({}),
      async *watchRevocations() {},
    } as never,
    callers: { AuthenticateMany: ['jobs'] },
  };
}
