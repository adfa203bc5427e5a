import { makeTestCli, type TestCli } from './test-cli.ts';
import { startTestPlatform, type TestPlatform } from './test-platform.ts';

/** A platform and a CLI that is logged in to it; both are gone with it. */
export interface LoggedIn extends AsyncDisposable {
  readonly platform: TestPlatform;
  readonly cli: TestCli;
}

export async function startLoggedIn(): Promise<LoggedIn> {
  const platform = await startTestPlatform();
  const cli = makeTestCli(platform.url);
  cli.loginTo(platform.url);
  const stack = new AsyncDisposableStack();
  stack.use(platform);
  stack.use(cli);
  return { platform, cli, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}
