import type { Command } from '@oclif/core';
import { Help as OclifHelp } from '@oclif/core/help';
import { asTyped } from './environment.ts';
import { paint } from './render/paint.ts';

const FIRST_STEPS = [
  ['up', 'the platform, on this machine'],
  ['register --email you@example.com', 'an account'],
  ['login --email you@example.com', 'a session'],
  ['job run fibonacci --iterations 90', 'a first job'],
  ['products load products.json', 'a file of products'],
] as const;

/** oclif's help, with an overview for newcomers, and the flags of a job type behind `job run <type> --help`. */
export default class Help extends OclifHelp {
  override async showHelp(argv: string[]): Promise<void> {
    await super.showHelp(argv);
    const words = argv.filter((word) => !word.startsWith('-'));
    if (words[0] !== 'job' || words[1] !== 'run' || words[2] === undefined) return;
    const { describeTypeFlags } = await import('./input/describe-type-flags.ts');
    const text = await describeTypeFlags(argv);
    if (text !== undefined) this.log(text);
  }

  override async showCommandHelp(command: Command.Loadable): Promise<void> {
    await super.showCommandHelp(command);
  }

  protected override async showRootHelp(): Promise<void> {
    const commands = this.sortedCommands.map((command) => [
      command.id.replaceAll(':', ' '),
      (command.summary ?? '').split('\n', 1)[0] ?? '',
    ]);
    const width = Math.max(...commands.map(([id = '']) => id.length));
    const lines = commands.map(([id = '', summary = '']) => `  ${id.padEnd(width)}   ${summary}`);
    const first = FIRST_STEPS.map(([step, what]) => `  $ ${asTyped(step).padEnd(46)} ${what}`);
    this.log(
      `${paint('bold', 'jobber')} ${this.config.version}: run jobs, load data and watch them, from the terminal

${paint('bold', 'Start here')}
${first.join('\n')}

${paint('bold', 'Commands')}
${lines.join('\n')}

Everything takes --json, for programs, and --help: ${asTyped('job run --help')}`,
    );
  }
}
