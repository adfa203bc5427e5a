import { LOGOUT } from '../api/auth.ts';
import { JobberCommand } from '../base-command.ts';
import { EXIT, Failure } from '../failure.ts';
import { printWarning } from '../render/failure.ts';
import { removeCredential } from '../session/credentials.ts';
import { withCredentialsLock } from '../session/lock.ts';

export default class Logout extends JobberCommand {
  static override summary = 'End the session, here and on the server.';
  static override examples = [
    '<%= config.bin %> logout',
    { description: 'At another platform:', command: '<%= config.bin %> logout --profile prod' },
  ];

  async run(): Promise<{ loggedOut: true; email: string; endedOnServer: boolean }> {
    const { flags } = await this.parse(Logout);
    const session = this.session(flags);
    const endedOnServer = await session
      .call<{ logout: boolean }>('auth', LOGOUT, {}, { repeatable: false })
      .then(
        () => true,
        (error: unknown) => {
          // What is forgotten here can't be used from here, whatever the server says.
          if (!(error instanceof Failure)) throw error;
          if (error.exitCode !== EXIT.unauthenticated) {
            printWarning(
              `The session is forgotten here, but could not be ended on the server: ${error.message}`,
            );
          }
          return error.exitCode === EXIT.unauthenticated;
        },
      );
    await withCredentialsLock(this.home, async () => removeCredential(this.home, session.target));
    this.print(`Logged out ${session.email} of ${session.target.addresses.auth}`);
    return { loggedOut: true, email: session.email, endedOnServer };
  }
}
