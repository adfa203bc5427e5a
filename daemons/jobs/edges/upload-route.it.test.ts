import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { type ClientRequest, request } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, expect, test } from 'vitest';
import { bearer, EXECUTE, formWith, reasonOf, startTestJobs } from '../testing/test-jobs.ts';

const MAX_BYTES = 4 * 1024 * 1024;
const jobs = await startTestJobs({
  uploadMaxBytes: MAX_BYTES,
  uploadQuotaBytes: 10 * 1024 * 1024,
});
/** Of a machine that stands still for a second this one would think that the client does. */
const hasty = await startTestJobs({ beside: jobs, uploadStallSeconds: 1 });
const { auth, upload, files, ask } = jobs;
const { pool } = jobs.database;
const member = auth.user();
const BOUNDARY = 'x-boundary';

interface Received {
  readonly filename: string;
  readonly originalName: string;
  readonly records: number;
  readonly message: string;
}

async function send(content: string | Uint8Array, name = 'items.json', user = member) {
  const response = await upload(user, formWith(content, name));
  // biome-ignore lint/suspicious/noExplicitAny: tests look at what they asked for
  return { status: response.status, body: (await response.json()) as any };
}

/** A multipart body by hand. */
function raw(parts: string, end = `\r\n--${BOUNDARY}--\r\n`): Buffer {
  return Buffer.from(`${parts}${end}`);
}
const part = (disposition: string, content: string) =>
  `--${BOUNDARY}\r\ncontent-disposition: form-data; ${disposition}\r\n\r\n${content}`;
const multipart = { 'content-type': `multipart/form-data; boundary=${BOUNDARY}` };

/** An upload that is sent bit by bit. */
function begin(user = member, { origin } = jobs): ClientRequest {
  const sending = request(`${origin}/jobs/uploads/file`, {
    method: 'POST',
    headers: { ...bearer(user), ...multipart, connection: 'close' },
  });
  sending.on('error', () => {});
  return sending;
}

async function answerOf(sending: ClientRequest) {
  const [response] = await once(sending, 'response');
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk);
  return { status: response.statusCode, body: JSON.parse(Buffer.concat(chunks).toString()) };
}

/**
 * Sends what no upload may hold, and not the end of it. The server cuts whoever goes on sending after the answer, who
 * might then not see it; so this stops.
 */
function sendTooMuch(sending: ClientRequest, chunk: string): void {
  for (let bytes = 0; bytes < MAX_BYTES + 1024 * 1024; bytes += chunk.length) sending.write(chunk);
}

async function uploadRows(): Promise<number> {
  const { rows } = await pool.query('select count(*)::int as n from upload');
  return rows[0].n;
}

const descriptors = async () => (await readdir('/proc/self/fd')).length;
const unfinished = async () => (await files()).filter((name) => name.endsWith('.part'));

afterEach(async () => {
  // Whatever a test has sent: nothing unfinished is left, every file has its row, and the service still serves.
  await expect.poll(unfinished).toEqual([]);
  await expect.poll(async () => (await files()).length).toBe(await uploadRows());
  expect((await ask(member, '{ jobsMetadata { slug } }')).data.jobsMetadata).toHaveLength(1);
});

test.each([
  ['a JSON array', 'items.json', '[{"text":"a"},{"text":"b"}]', 'json', 2],
  ['NDJSON', 'items.ndjson', '{"text":"a"}\n{"text":"b"}\n{"text":"c"}\n', 'ndjson', 3],
  ['CSV', 'items.csv', 'text,n\n"a, ""b""",1\n', 'csv', 1],
  ['NDJSON named .json', 'items.JSON', '{"text":"a"}\n{"text":"b"}\n', 'ndjson', 2],
  ['JSON with a byte order mark', 'items.json', '\ufeff[{"text":"a"}]', 'json', 1],
])('%s is received, and what is known of it is told', async (_what, name, content, extension, records) => {
  const { status, body } = await send(content, name);
  expect(status).toBe(201);
  expect(body).toEqual({
    message: 'File uploaded',
    filename: expect.stringMatching(new RegExp(`^[0-9a-f-]{36}\\.${extension}$`)),
    originalName: name,
    size: Buffer.byteLength(content),
    sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
    records,
    uploadedAt: expect.stringMatching(/Z$/),
  });
  expect(await readFile(join(jobs.uploadsDir, body.filename), 'utf8')).toBe(content);
});

test('fields beside the file do not matter', async () => {
  const form = formWith('[{"text":"a"}]');
  form.append('note', 'hello');
  expect((await upload(member, form)).status).toBe(201);
});

test('a login is required, and the permission', async () => {
  const before = await uploadRows();
  for (const [user, status, message] of [
    [undefined, 401, 'Unauthorized'],
    [{ id: '', token: 'wrong' }, 401, 'Unauthorized'],
    [auth.user('viewer'), 403, 'Forbidden: this needs the permission uploads:write'],
  ] as const) {
    const response = await upload(user, formWith('[{"text":"a"}]'));
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ message, code: status });
  }
  const crossSite = await upload(undefined, formWith('[{"text":"a"}]'), {
    cookie: `Authentication=${member.token}`,
    origin: 'https://evil.example',
  });
  expect(crossSite.status).toBe(403);
  expect(await uploadRows()).toBe(before);
});

test.each([
  ['another extension', 'items.txt', 'a', 'Only JSON, NDJSON and CSV files are allowed.'],
  ['no extension', 'items', '[{}]', 'Only JSON, NDJSON and CSV files are allowed.'],
  ['an empty file', 'items.json', '', /empty/],
  ['gzip named .json', 'items.json', gzipSync('[{"text":"a"}]'), /compressed \(gzip\)/],
  ['UTF-16', 'items.json', Buffer.from('\ufeff[{"text":"a"}]', 'utf16le'), /UTF-16/],
  ['Latin-1', 'items.json', Buffer.from('[{"text":"\u00fc"}]', 'latin1'), /UTF-8/],
  [
    'Latin-1 far into the file',
    'items.ndjson',
    Buffer.concat([
      Buffer.from('{"text":"a"}\n'.repeat(9_000)),
      Buffer.from('{"text":"\u00fc"}\n', 'latin1'),
    ]),
    /UTF-8/,
  ],
  ['an object', 'items.json', '{"text":"a"}', /expected/],
  ['an empty array', 'items.json', '[]', /at least one record/],
  ['a header without rows', 'items.csv', 'a,b\n', /at least one row/],
  ['a trailing comma', 'items.json', '[{"text":"a"},]', /expected/],
  ['a comment', 'items.json', '[{"text":"a"} /* b */]', /expected/],
  ['NaN', 'items.json', '[{"n":NaN}]', /expected/],
  ['01', 'items.json', '[{"n":01}]', /expected/],
  ['a name twice', 'items.json', '[{"a":1,"a":2}]', /Record 0 \(line 1\), a: expected/],
  [
    'prototype keys',
    'items.ndjson',
    '{"a":1}\n{"__pr\\u006fto__":1}',
    /Record 1 \(line 2\), __proto__: expected/,
  ],
  [
    'digits that a number loses',
    'items.json',
    '[{"n":9007199254740993}]',
    /Record 0 \(line 1\), n: expected/,
  ],
  ['nesting', 'items.json', `[${'{"a":'.repeat(5_000)}1${'}'.repeat(5_000)}]`, /expected/],
  ['NUL in text', 'items.json', '[{"a":"\\u0000"}]', /Record 0/],
  ['half a pair', 'items.json', '[{"a":"\\ud800"}]', /Record 0/],
  ['a record of 2 MiB', 'items.ndjson', `{"a":"${'x'.repeat(2 * 1024 * 1024)}"}`, /1048576 bytes/],
])('%s is refused, and nothing of it is kept', async (_what, name, content, message) => {
  const before = await uploadRows();
  const { status, body } = await send(content, name);
  expect(status).toBe(400);
  expect(body).toMatchObject({ code: 400, reason: 'INVALID_FILE' });
  if (typeof message === 'string') expect(body.message).toBe(message);
  else expect(body.message).toMatch(message);
  expect(body.message).not.toMatch(/\p{Cc}/u);
  expect(await uploadRows()).toBe(before);
});

test('all damaged records are named, with index, line, field, expected and got', async () => {
  const { body } = await send('{"a":1}\n{"a":01}\n{"a":1}\n{"b":1,"b":2}\n', 'items.ndjson');
  expect(body.details.total).toBe(2);
  expect(body.details.problems).toEqual([
    expect.objectContaining({ index: 1, line: 2, expected: expect.any(String), got: expect.any(String) }),
    expect.objectContaining({ index: 3, line: 4, field: 'b', expected: expect.any(String) }),
  ]);
  expect(body.message).toMatch(/^Record 1 \(line 2\).* And 1 more\.$/);
});

test.each([
  [
    'another field',
    raw(part('name="document"; filename="a.json"', '[{"text":"a"}]')),
    /field "file", got "document"/,
  ],
  ['no file', raw(part('name="file"', 'text')), /no file in the field "file"/],
  ['an empty form', raw(''), /no file|damaged/],
  [
    'two files',
    raw(
      `${part('name="file"; filename="a.json"', '[{"text":"a"}]')}\r\n${part('name="file"; filename="b.json"', '[{"text":"b"}]')}`,
    ),
    /one file at a time/,
  ],
  [
    'a file and another one',
    raw(
      `${part('name="file"; filename="a.json"', '[{"text":"a"}]')}\r\n${part('name="other"; filename="b.json"', '[]')}`,
    ),
    /field "file", got "other"/,
  ],
  [
    'many fields',
    raw(`${Array.from({ length: 30 }, (_, i) => part(`name="f${i}"`, 'x')).join('\r\n')}`),
    /too many/,
  ],
  ['no end', raw(part('name="file"; filename="a.json"', '[{"text":"a"}]'), ''), /damaged or cut off/],
  [
    'an end within a later part',
    raw(
      `${part('name="file"; filename="a.json"', '[{"text":"a"}]')}\r\n--${BOUNDARY}\r\ncontent-disposition: form-data; name="x"\r\n\r\nabc`,
      '',
    ),
    /damaged or cut off/,
  ],
  ['no multipart at all', Buffer.from('[{"text":"a"}]'), /no file|damaged/],
])('a form with %s is refused, and nothing of it is kept', async (_what, body, message) => {
  const before = await uploadRows();
  const response = await upload(member, body, multipart);
  expect(response.status).toBe(400);
  expect(await response.json()).toMatchObject({
    reason: 'INVALID_FILE',
    message: expect.stringMatching(message),
  });
  expect(await uploadRows()).toBe(before);
});

test('other content types are refused', async () => {
  for (const type of [
    'application/json',
    'multipart/form-data',
    'multipart/mixed; boundary=x',
    'text/plain',
  ]) {
    const response = await upload(member, Buffer.from('[{"text":"a"}]'), { 'content-type': type });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ reason: 'INVALID_FILE' });
  }
});

test('path-like names and control characters are only a name', async () => {
  const names = [
    '../../etc/passwd.json',
    '..\\..\\win.json',
    '/abs.json',
    'a\u0000b\u001b[31m.json',
    `${'x'.repeat(5_000)}.json`,
  ];
  for (const name of names) {
    const body = raw(part(`name="file"; filename="${name.replaceAll('\\', '\\\\')}"`, '[{"text":"a"}]'));
    const response = await upload(member, body, multipart);
    const { filename, originalName } = (await response.json()) as Received;
    expect(response.status).toBe(201);
    expect(filename).toMatch(/^[0-9a-f-]{36}\.json$/);
    expect(originalName).toMatch(/^[^/\\\p{C}]{1,255}$/u);
  }
});

test('a file over the limit is refused, with a stated length and without', async () => {
  const content = `[{"text":"${'x'.repeat(900_000)}"}${`,{"text":"${'x'.repeat(900_000)}"}`.repeat(5)}]`;
  const { status, body } = await send(content);
  expect(status).toBe(413);
  expect(body).toMatchObject({ reason: 'TOO_LARGE', message: `The file is larger than ${MAX_BYTES} bytes` });
  const sending = begin();
  const answered = answerOf(sending);
  sending.write(part('name="file"; filename="a.json"', '['));
  sendTooMuch(sending, `{"text":"${'x'.repeat(60_000)}"},`);
  expect((await answered).status).toBe(413);
  sending.destroy();
});

test('an endless form without a file is refused', async () => {
  const sending = begin();
  const answered = answerOf(sending);
  sending.write(part('name="note"', ''));
  sendTooMuch(sending, 'x'.repeat(60_000));
  expect((await answered).status).toBe(413);
  sending.destroy();
});

test('a client that stalls, or sends a byte now and then, is given up', async () => {
  for (const dripping of [false, true]) {
    const sending = begin(member, hasty);
    const answered = answerOf(sending);
    sending.write(part('name="file"; filename="a.ndjson"', '{"text":"a"}\n'));
    const timer = setInterval(() => dripping && sending.write(' '), 50);
    const { status, body } = await answered;
    clearInterval(timer);
    expect(status).toBe(400);
    expect(body.message).toBe('The file arrives too slowly: less than 256 bytes a second');
    sending.destroy();
  }
});

test('hundreds of broken uploads leave no descriptor, file or row behind', async () => {
  const user = auth.user();
  const before = { rows: await uploadRows(), descriptors: await descriptors() };
  for (let round = 0; round < 75; round += 1) {
    const broken = Array.from({ length: 4 }, (_, i) => {
      const sending = begin(user);
      sending.write(part('name="file"; filename="a.ndjson"', `{"text":"a"}\n`.repeat(1 + i * 4_000)));
      return sending;
    });
    if (round % 5 === 0) await expect.poll(async () => (await unfinished()).length).toBeGreaterThan(0);
    for (const sending of broken) sending.destroy();
  }
  await expect.poll(unfinished).toEqual([]);
  await expect.poll(descriptors).toBeLessThan(before.descriptors + 20);
  expect(await uploadRows()).toBe(before.rows);
  await expect.poll(async () => (await send('[{"text":"a"}]', 'a.json', user)).status).toBe(201);
});

test('uploads whose length is stated too short take no place for ever', async () => {
  const user = auth.user();
  const { hostname, port } = new URL(jobs.origin);
  const body = raw(part('name="file"; filename="a.json"', '[{"text":"a"}]'));
  for (let sent = 0; sent < 8; sent += 1) {
    const headers = { ...bearer(user), ...multipart, host: hostname, 'content-length': '20' };
    const head = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    const socket = connect(Number(port), hostname).on('error', () => {});
    // In one piece: what is too much is read, and breaks the connection, before the body is asked for.
    socket.end(`POST /jobs/uploads/file HTTP/1.1\r\n${head.join('')}\r\n${body}`);
    socket.resume();
    await once(socket, 'close');
  }
  await expect.poll(async () => (await send('[{"text":"a"}]', 'a.json', user)).status).toBe(201);
});

test('one user sends some files at a time, and not more than the quota allows', async () => {
  const user = auth.user();
  const open = Array.from({ length: 4 }, () => {
    const sending = begin(user);
    sending.write(part('name="file"; filename="a.ndjson"', '{"text":"a"}\n'.repeat(8_000)));
    return sending;
  });
  await expect.poll(async () => (await unfinished()).length).toBe(4);
  const fifth = await send('[{"text":"a"}]', 'a.json', user);
  expect(fifth).toMatchObject({ status: 429, body: { reason: 'THROTTLED', details: { limit: 4 } } });
  for (const sending of open) sending.destroy();

  const content = `${`{"text":"${'x'.repeat(900_000)}"}\n`.repeat(4)}`;
  await expect.poll(async () => (await send(content, 'a.ndjson', user)).status).toBe(201);
  const answers = await Promise.all([1, 2, 3].map(() => send(content, 'a.ndjson', user)));
  expect(answers.map(({ status }) => status).sort()).toEqual([201, 429, 429]);
  expect(answers.find(({ status }) => status === 429)?.body).toMatchObject({
    reason: 'QUOTA_EXCEEDED',
    message: 'Your uploads would exceed the limit of 10485760 bytes together',
  });
});

test("a job runs over the records of one's own upload, and a stranger's is as missing", async () => {
  const { body } = await send('[{"text":"a"},{"text":"b"},{"text":"c"}]');
  const execute = (fileName: string, user = member) =>
    ask(user, EXECUTE, { input: { name: 'echo', data: { fileName } } });
  expect((await execute(body.filename)).data.executeJob).toMatchObject({ size: 3, status: 'IN_PROGRESS' });
  expect((await execute(body.filename)).data.executeJob.size).toBe(3);
  for (const user of [auth.user(), auth.user('admin')]) {
    const { errors } = await execute(body.filename, user);
    expect(errors?.[0]?.message).toBe(`Error reading file: ${body.filename}`);
    const missing = body.filename.replace(/^......../, '00000000');
    expect((await execute(missing, user)).errors?.[0]).toEqual({
      ...errors?.[0],
      message: `Error reading file: ${missing}`,
    });
  }
});

test('a job over a file with bad records is refused with all of them, and writes nothing', async () => {
  const count = async () =>
    (await pool.query('select (select count(*) from job) + (select count(*) from task) as n')).rows[0].n;
  const before = await count();
  const rows = ['{"text":"a"}', '{"text":1}', '{"text":"b"}', '{}', '{"text":null}'];
  for (const [name, content, lineOf] of [
    ['a.ndjson', rows.join('\n'), (index: number) => index + 1],
    ['a.json', `[\n${rows.join(',\n')}\n]`, (index: number) => index + 2],
  ] as const) {
    const { body } = await send(content, name);
    const { errors } = await ask(member, EXECUTE, {
      input: { name: 'Echo', data: { fileName: body.filename } },
    });
    expect(errors?.[0]).toMatchObject({
      message: `Record 1 (line ${lineOf(1)}), text: expected text, got 1. And 2 more problems.`,
      extensions: { code: 400, reason: 'INVALID_DATA', details: { total: 3 } },
    });
    expect(errors?.[0]?.extensions.details.problems).toMatchObject([
      { index: 1, line: lineOf(1), field: 'text', expected: 'text', got: '1' },
      { index: 3, line: lineOf(3), field: 'text', expected: 'a value', got: 'nothing' },
      { index: 4, line: lineOf(4), field: 'text', expected: 'text', got: 'null' },
    ]);
  }
  expect(await count()).toBe(before);
});

test('a large file is checked in another thread, with the same answers', async () => {
  const rows = Array.from({ length: 900 }, (_, i) =>
    JSON.stringify({ text: i === 700 ? 5 : 'x'.repeat(400) }),
  );
  const { body } = await send(rows.join('\n'), 'a.ndjson');
  const { errors } = await ask(member, EXECUTE, {
    input: { name: 'Echo', data: { fileName: body.filename } },
  });
  expect(errors?.[0]?.message).toBe('Record 700 (line 701), text: expected text, got 5.');
  const good = await send(`[${rows.filter((_, i) => i !== 700).join(',')}]`);
  const many = await Promise.all(
    Array.from({ length: 8 }, () =>
      ask(member, EXECUTE, { input: { name: 'Echo', data: { fileName: good.body.filename } } }),
    ),
  );
  for (const { data } of many) expect(data.executeJob.size).toBe(899);
});

test('too many records are refused before they are looked at', async () => {
  const { body } = await send('{"text":1}\n'.repeat(1_001), 'a.ndjson');
  const answer = await ask(member, EXECUTE, { input: { name: 'Echo', data: { fileName: body.filename } } });
  expect(reasonOf(answer)).toBe('TOO_LARGE');
});
