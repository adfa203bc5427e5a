import { AppError } from '@jobber/shared/errors';
import { hash, type Options, verify } from '@node-rs/argon2';

/** Argon2id (the library's default) with OWASP's minimum: 19 MiB, two passes, one lane; some 20 ms. */
const COST: Options = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };

export interface PasswordHasher {
  /** Argon2id in PHC's text format. @throws AppError 503 UNAVAILABLE when too many wait */
  hash(password: Uint8Array): Promise<string>;
  /**
   * Whether it is the password. Without a stored hash, or without a password, the same work is done and the answer is
   * no: the time does not tell which accounts exist. @throws AppError 503 UNAVAILABLE when too many wait
   */
  verify(storedHash: string | undefined, password: Uint8Array | undefined): Promise<boolean>;
}

export interface PasswordHasherOptions {
  /** Hashes at the same time at most; each takes 19 MiB and a core. */
  readonly concurrency: number;
  /** Hashes that may wait; beyond that requests are refused instead of answered too late. */
  readonly maxWaiting: number;
}

/** Hashes off the event loop, in a bounded number of threads with a bounded queue. */
export async function createPasswordHasher(options: PasswordHasherOptions): Promise<PasswordHasher> {
  const slot = createSlots(options);
  const nobody = Buffer.from('the password of nobody');
  const hashOfNobody = await hash(nobody, COST);
  return {
    hash: (password) => slot(() => hash(password, COST)),
    verify: (storedHash, password) =>
      slot(async () => {
        const matches = await verify(storedHash ?? hashOfNobody, password ?? Buffer.alloc(8));
        return matches && storedHash !== undefined && password !== undefined;
      }),
  };
}

function createSlots({ concurrency, maxWaiting }: PasswordHasherOptions) {
  let free = concurrency;
  const waiting: (() => void)[] = [];

  return async function slot<T>(work: () => Promise<T>): Promise<T> {
    if (free > 0) free -= 1;
    else await nextSlot();
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      // A slot goes straight to the next one who waits.
      if (next) next();
      else free += 1;
    }
  };

  function nextSlot(): Promise<void> {
    if (waiting.length >= maxWaiting) {
      throw new AppError('UNAVAILABLE', 'Too many logins at the moment; try again in a few seconds', {
        retryAfterSeconds: 2,
      });
    }
    return new Promise((resolve) => waiting.push(resolve));
  }
}
