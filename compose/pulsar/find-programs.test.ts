import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { findJava, findMaven } from './find-programs.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'jobber-pulsar-programs-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function makeProgram(path: string, script: string): void {
  const file = join(folder, path);
  mkdirSync(join(file, '..'), { recursive: true });
  writeFileSync(file, `#!/bin/sh\n${script}\n`);
  chmodSync(file, 0o755);
}

const saysVersion = (version: string) => `echo 'openjdk version "${version}" 2025-04-15' >&2`;

test('the Java of JAVA_HOME wins over the one in the PATH', async () => {
  makeProgram('java', saysVersion('21.0.1'));
  makeProgram('home/bin/java', saysVersion('17.0.15'));
  expect(await findJava({ PATH: folder })).toEqual({ program: 'java', version: '21.0.1' });
  const home = join(folder, 'home');
  expect(await findJava({ PATH: folder, JAVA_HOME: home })).toEqual({
    program: join(home, 'bin', 'java'),
    version: '17.0.15',
  });
});

test('a Java that is missing, broken or too old is named, with what to do instead', async () => {
  const missing = {
    reason: 'java-missing',
    message: expect.stringContaining('there is no Java in the PATH'),
  };
  await expect(findJava({ PATH: folder })).rejects.toMatchObject(missing);
  // Where none is installed, macOS has a program of that name that fails.
  makeProgram('java', 'exit 1');
  await expect(findJava({ PATH: folder })).rejects.toMatchObject(missing);
  makeProgram('java', saysVersion('1.8.0_392'));
  await expect(findJava({ PATH: folder })).rejects.toMatchObject({
    reason: 'java-missing',
    message: expect.stringMatching(/needs Java 17 or newer; java is Java 1\.8\.0_392\. .*PULSAR_SERVICE_URL/),
  });
});

test('a missing Maven is named, with what to do instead', async () => {
  await expect(findMaven({ PATH: folder })).rejects.toMatchObject({
    reason: 'maven-missing',
    message: expect.stringMatching(/no mvn in the PATH.*PULSAR_SERVICE_URL/),
  });
  makeProgram('mvn', 'echo Apache Maven');
  expect(await findMaven({ PATH: folder })).toBe('mvn');
});
