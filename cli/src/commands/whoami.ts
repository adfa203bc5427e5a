import { ME, type User } from '../api/auth.ts';
import { JobberCommand } from '../base-command.ts';
import { cleanText } from '../render/clean-text.ts';

export default class Whoami extends JobberCommand {
  static override summary = 'Show who is logged in, and where.';
  static override examples = [
    '<%= config.bin %> whoami',
    { description: 'For a program:', command: '<%= config.bin %> whoami --json' },
  ];

  async run(): Promise<User & { profile: string; server: string }> {
    const { flags } = await this.parse(Whoami);
    const { target, call } = this.session(flags);
    const { me } = await call<{ me: User }>('auth', ME);
    const server = target.addresses.auth;
    this.print(
      `${cleanText(me.email)} (${me.roles.map(cleanText).join(', ')}) at ${server}, profile ${target.profile}`,
    );
    return { ...me, profile: target.profile, server };
  }
}
