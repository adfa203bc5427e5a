import * as Flags from '@oclif/core/flags';
import { logIn } from '../api/auth.ts';
import { JobberCommand } from '../base-command.ts';
import { readEmail } from '../input/read-email.ts';
import { readPassword } from '../input/read-password.ts';
import { cleanText } from '../render/clean-text.ts';
import { storeCredential } from '../session/credentials.ts';
import { withCredentialsLock } from '../session/lock.ts';
import { rememberProfile } from '../session/profiles.ts';

export default class Login extends JobberCommand {
  static override summary = 'Log in; the session is kept and renewed until you log out.';
  static override description =
    'The password is asked for and not shown, or read from stdin. With --profile and --server the address is remembered under that name and used from then on.';
  static override examples = [
    '<%= config.bin %> login --email ada@example.com',
    {
      description: 'From a script, with the password in a pipe:',
      command: 'pass show jobber | <%= config.bin %> login --email ada@example.com --password-stdin',
    },
    {
      description: 'At another platform, remembered as prod:',
      command:
        '<%= config.bin %> login --email ada@example.com --profile prod --server https://jobber.example.com',
    },
  ];
  static override flags = {
    email: Flags.string({
      summary: 'The email address; asked for when it is missing.',
      helpValue: '<address>',
    }),
    'password-stdin': Flags.boolean({ summary: 'Read the password from the first line of stdin.' }),
  };

  async run(): Promise<{ id: string; email: string; profile: string; server: string; expiresAt: string }> {
    const { flags } = await this.parse(Login);
    const target = this.target(flags);
    const { profile, addresses } = target;
    const email = await readEmail(flags.email);
    const password = await readPassword({ stdin: flags['password-stdin'], confirm: false });
    const session = await logIn(target, { email, password });
    const { id: userId, accessToken, refreshToken, expiresAt } = session;
    await withCredentialsLock(this.home, async () => {
      const tokens = { accessToken, refreshToken, expiresAt };
      storeCredential(this.home, { profile, addresses, userId, email: session.email, ...tokens });
    });
    if (flags.profile !== undefined && flags.server !== undefined) {
      rememberProfile(this.home, profile, addresses);
    }
    this.print(`Logged in to ${addresses.auth} as ${cleanText(session.email)}`);
    return { id: userId, email: session.email, profile, server: addresses.auth, expiresAt };
  }
}
