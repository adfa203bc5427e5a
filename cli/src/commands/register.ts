import * as Flags from '@oclif/core/flags';
import { createUser, type User } from '../api/auth.ts';
import { JobberCommand } from '../base-command.ts';
import { asTyped } from '../environment.ts';
import { readEmail } from '../input/read-email.ts';
import { readPassword } from '../input/read-password.ts';
import { cleanText } from '../render/clean-text.ts';
import { checkBaseUrl, forgetSetupToken, rememberProfile } from '../session/profiles.ts';

export default class Register extends JobberCommand {
  static override summary = 'Create an account.';
  static override description =
    'The password is asked for and not shown, or read from stdin. The first user of a platform becomes its administrator with the setup token that jobber up prints; on the machine of jobber up it is used by itself.';
  static override examples = [
    '<%= config.bin %> register --email ada@example.com',
    {
      description: 'From a script, with the password in a pipe:',
      command: 'pass show jobber | <%= config.bin %> register --email ada@example.com --password-stdin',
    },
    {
      description: 'As the administrator of a platform on another machine:',
      command:
        '<%= config.bin %> register --email ada@example.com --server https://jobber.example.com --profile prod --setup-token <token>',
    },
  ];
  static override flags = {
    email: Flags.string({
      summary: 'The email address; asked for when it is missing.',
      helpValue: '<address>',
    }),
    'password-stdin': Flags.boolean({ summary: 'Read the password from the first line of stdin.' }),
    'setup-token': Flags.string({
      summary: 'The one-time token that jobber up printed.',
      helpValue: '<token>',
    }),
  };

  async run(): Promise<User> {
    const { flags } = await this.parse(Register);
    const named = flags.profile !== undefined && flags.server !== undefined;
    const server = flags.server === undefined ? undefined : checkBaseUrl(flags.server);
    const target = this.target(flags);
    const email = await readEmail(flags.email);
    const password = await readPassword({ stdin: flags['password-stdin'], confirm: true });
    const setupToken = flags['setup-token'] ?? target.setupToken;
    const user = await createUser(target, { email, password, setupToken });
    if (setupToken !== undefined) forgetSetupToken(this.home, target.profile);
    if (named && server) rememberProfile(this.home, target.profile, target.addresses);
    const roles = user.roles.map(cleanText).join(', ');
    this.print(
      `Registered ${cleanText(user.email)} (${roles}). Log in with: ${asTyped(`login --email ${cleanText(user.email)}`)}`,
    );
    return user;
  }
}
