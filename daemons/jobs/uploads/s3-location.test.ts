import { expect, test } from 'vitest';
import { loadJobsConfig } from '../config.ts';
import { parseS3Url } from './s3-location.ts';

const aws = { kind: 's3', endpoint: undefined, region: undefined, pathStyle: false };

test.each([
  ['s3://bucket', { ...aws, bucket: 'bucket', prefix: '' }],
  [
    's3://my.bucket-1/a/b/?region=eu-central-1',
    { ...aws, bucket: 'my.bucket-1', prefix: 'a/b/', region: 'eu-central-1' },
  ],
  [
    's3://bucket/uploads?endpoint=http://storage:9000',
    {
      kind: 's3',
      bucket: 'bucket',
      prefix: 'uploads/',
      endpoint: 'http://storage:9000',
      region: 'us-east-1',
      pathStyle: true,
    },
  ],
  [
    's3://bucket?endpoint=https://s.example.com&region=auto&pathStyle=false',
    {
      kind: 's3',
      bucket: 'bucket',
      prefix: '',
      endpoint: 'https://s.example.com',
      region: 'auto',
      pathStyle: false,
    },
  ],
])('%s names a part of a bucket', (url, location) => {
  expect(parseS3Url(url)).toEqual(location);
});

test.each([
  ['https://bucket.s3.amazonaws.com', /must be a URL such as s3:/],
  ['bucket', /must be a URL such as s3:/],
  ['s3://AKIA:hunter2@bucket', /must not hold credentials/],
  ['s3://', /must name a bucket/],
  ['s3://bucket:9000', /must name a bucket/],
  ['s3://bucket/a//b', /must have a prefix/],
  ['s3://bucket/a%2Fb', /must have a prefix/],
  ['s3://bucket?acl=public', /knows the parameters endpoint, region, pathStyle only/],
  ['s3://bucket?endpoint=storage:9000', /must have an endpoint/],
  ['s3://bucket?endpoint=http://key:hunter2@storage', /must have an endpoint/],
  ['s3://bucket?pathStyle=yes', /must have a pathStyle/],
])('%s is refused, with a sentence that does not repeat it', (url, problem) => {
  expect(parseS3Url(url)).toEqual(expect.stringMatching(problem));
  expect(parseS3Url(url)).not.toContain('hunter2');
});

test('the configuration names the variable and never its value', () => {
  const environment = {
    JOBS_DATABASE_URL: 'postgresql://jobs@localhost/jobs',
    SERVICE_SECRET: '0f4a8c1d9e7b36251a2b3c4d5e6f7081',
    JOBS_UPLOADS_URL: 's3://key:hunter2@bucket',
  };
  expect(() => loadJobsConfig(environment)).toThrow(
    expect.objectContaining({
      problems: [
        expect.stringMatching(/^JOBS_UPLOADS_URL must not hold credentials.*; its value is not shown$/),
      ],
    }),
  );
  const { uploadsUrl } = loadJobsConfig({ ...environment, JOBS_UPLOADS_URL: 's3://bucket/a' });
  expect(uploadsUrl).toMatchObject({ bucket: 'bucket', prefix: 'a/' });
});
