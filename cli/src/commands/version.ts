import { JobberCommand } from '../base-command.ts';

export default class Version extends JobberCommand {
  static override summary = 'Show the versions of jobber and of Node, and the platform.';
  static override examples = ['<%= config.bin %> version', '<%= config.bin %> version --json'];

  async run(): Promise<{ name: string; version: string; node: string; platform: string }> {
    await this.parse(Version);
    const { version } = this.config;
    const facts = {
      name: 'jobber',
      version,
      node: process.versions.node,
      platform: `${process.platform}-${process.arch}`,
    };
    this.print(`${facts.name} ${facts.version} (Node ${facts.node}, ${facts.platform})`);
    return facts;
  }
}
