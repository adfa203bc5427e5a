import type { Interfaces } from '@oclif/core';
import { Command } from '@oclif/core/command';
import * as Flags from '@oclif/core/flags';
import { type Environment, readEnvironment } from './environment.ts';
import { EXIT, type ExitCode } from './failure.ts';
import { toJsonText } from './render/clean-text.ts';
import { printWarning } from './render/failure.ts';
import { chooseTarget } from './session/choose-target.ts';
import { homeFolder } from './session/folder.ts';
import type { Target } from './session/profiles.ts';
import { openSession, type Session } from './session/session.ts';

type BaseFlags = { [Name in 'profile' | 'server']?: string | undefined };

/** What every command has: --json, --profile, --server, and the way to the platform. */
export abstract class JobberCommand extends Command {
  static override enableJsonFlag = true;

  static override baseFlags = {
    profile: Flags.string({
      summary: 'The platform to talk to, by the name it was remembered under.',
      helpGroup: 'GLOBAL',
      helpValue: '<name>',
    }),
    server: Flags.string({
      summary:
        'The address of a platform whose daemons share one origin, for example https://jobber.example.com.',
      helpGroup: 'GLOBAL',
      helpValue: '<url>',
    }),
  };

  protected readonly environment: Environment = readEnvironment();

  protected get home(): string {
    return homeFolder(this.environment);
  }

  protected target(flags: BaseFlags): Target {
    return chooseTarget(this.environment, flags);
  }

  /** @throws a Failure when nobody is logged in */
  protected session(flags: BaseFlags): Session {
    return openSession(this.home, this.target(flags), printWarning);
  }

  /** For people only: with --json nothing of it is printed. */
  protected print(text: string): void {
    if (!this.jsonEnabled()) process.stdout.write(`${text}\n`);
  }

  protected endWith(code: ExitCode): void {
    if (code !== EXIT.ok) process.exitCode = code;
  }

  protected override logJson(json: unknown): void {
    process.stdout.write(`${toJsonText(json)}\n`);
  }

  /** Errors are printed in one place, by main. */
  protected override async catch(error: Interfaces.CommandError): Promise<never> {
    throw error;
  }
}
