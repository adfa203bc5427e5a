import { refuse } from '@jobber/shared/errors';

/** What a request asks to be run: items as they came, or the records of an upload. */
export type RequestedInput =
  | { readonly kind: 'items'; readonly items: readonly unknown[] }
  | { readonly kind: 'upload'; readonly fileName: string };

/** Reads `data`: one object, an array of objects, or {"fileName": …}. @throws AppError 400 INVALID_DATA */
export function resolveData(data: unknown): RequestedInput {
  if (Array.isArray(data)) {
    if (data.length === 0) refuse('INVALID_DATA', 'data must hold at least one item, got an empty array');
    return { kind: 'items', items: data };
  }
  if (typeof data !== 'object' || data === null) {
    refuse(
      'INVALID_DATA',
      `data must be an object or an array of objects, got ${data === null ? 'null' : typeof data}`,
    );
  }
  const keys = Object.keys(data);
  const { fileName } = data as { fileName?: unknown };
  if (keys.length === 1 && typeof fileName === 'string') return { kind: 'upload', fileName };
  return { kind: 'items', items: [data] };
}
