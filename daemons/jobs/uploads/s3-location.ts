import { z } from 'zod';

/**
 * A part of a bucket of S3, or of a storage that speaks as S3 does. Credentials are found by the AWS SDK's own rules.
 */
export interface S3Location {
  readonly kind: 's3';
  readonly bucket: string;
  /** Before each name: empty, or ends in a slash. */
  readonly prefix: string;
  /** Of a storage other than AWS. */
  readonly endpoint: string | undefined;
  /** Undefined: as AWS_REGION or the profile says. */
  readonly region: string | undefined;
  /** `endpoint/bucket/key` instead of `bucket.endpoint/key`. */
  readonly pathStyle: boolean;
}

const EXAMPLE = 's3://bucket/prefix?region=eu-central-1';
const BUCKET = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;
const PREFIX = /^[\w!.*'()-]+(\/[\w!.*'()-]+)*$/;
const PARAMETERS = ['endpoint', 'region', 'pathStyle'];

/**
 * A setting such as `s3://bucket/prefix?region=…&endpoint=…`. Declare it as a secret:
 * somebody may put a password into it.
 */
export function s3Url() {
  return z
    .string()
    .transform((raw, context) => {
      const location = parseS3Url(raw);
      if (typeof location !== 'string') return location;
      context.addIssue({ code: 'custom', message: location });
      return z.NEVER;
    })
    .optional();
}

/** @returns the location, or what is wrong with the URL, without its content */
export function parseS3Url(raw: string): S3Location | string {
  const url = URL.parse(raw);
  if (url?.protocol !== 's3:') return `must be a URL such as ${EXAMPLE}`;
  if (url.username !== '' || url.password !== '')
    return 'must not hold credentials: give them as AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or by a role';
  if (!BUCKET.test(url.hostname) || url.port !== '')
    return `must name a bucket by 3 to 63 small letters, digits, dots or hyphens, as in ${EXAMPLE}`;
  const prefix = url.pathname.replace(/^\/|\/$/g, '');
  if (prefix !== '' && !PREFIX.test(prefix))
    return `must have a prefix of letters, digits and !_.*'()- between slashes, as in ${EXAMPLE}`;
  const unknown = [...url.searchParams.keys()].find((name) => !PARAMETERS.includes(name));
  if (unknown !== undefined) return `knows the parameters ${PARAMETERS.join(', ')} only`;
  const endpoint = url.searchParams.get('endpoint') || undefined;
  if (endpoint !== undefined && !isHttpOrigin(endpoint))
    return 'must have an endpoint such as https://storage.example.com:9000, without credentials';
  const pathStyle = url.searchParams.get('pathStyle');
  if (pathStyle !== null && pathStyle !== 'true' && pathStyle !== 'false')
    return 'must have a pathStyle of true or false';
  return {
    kind: 's3',
    bucket: url.hostname,
    prefix: prefix === '' ? '' : `${prefix}/`,
    endpoint,
    // Storages other than AWS mostly do not care, but the signature has to name one.
    region: url.searchParams.get('region') || (endpoint === undefined ? undefined : 'us-east-1'),
    // Few storages other than AWS answer at a host name of each bucket.
    pathStyle: pathStyle === null ? endpoint !== undefined : pathStyle === 'true',
  };
}

function isHttpOrigin(text: string): boolean {
  const url = URL.parse(text);
  return url !== null && /^https?:$/.test(url.protocol) && url.username === '' && url.password === '';
}
