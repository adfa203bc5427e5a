import type { ProductRecord } from '@jobber/proto/products/v1/products';
import { isStorable } from './is-storable.ts';

/** A rule of Products that a record breaks. */
export interface RecordRefusal {
  readonly field: string;
  readonly message: string;
}

const MAX_NAME = 255;
const MAX_DESCRIPTION = 10_000;
const MAX_SKU = 64;
const MAX_STOCK = 2_147_483_647;
/** Decimals: enough for the shortest text of every double, so that no number a job type lets through is refused here. */
const PRICE = /^\d{1,10}(\.\d{1,350})?$/;
const RATING = /^(5(\.0{1,350})?|[0-4](\.\d{1,350})?)$/;
const SKU = /^[\x21-\x7e]+$/;

/** @returns the first rule that the record breaks, or undefined when it breaks none */
export function checkRecord(record: ProductRecord): RecordRefusal | undefined {
  return (
    checkText('name', record.name, 1, MAX_NAME) ??
    checkText('category', record.category, 1, MAX_NAME) ??
    checkText('description', record.description, 0, MAX_DESCRIPTION) ??
    checkPattern('price', record.price, PRICE, 'a decimal from 0 to below 10000000000') ??
    checkPattern('rating', record.rating, RATING, 'a decimal from 0 to 5') ??
    checkStock(record.stock) ??
    (record.sku === undefined ? undefined : checkSku(record.sku))
  );
}

function checkText(field: string, text: string, min: number, max: number): RecordRefusal | undefined {
  if (!isStorable(text)) return { field, message: `${field} must not hold NUL or lone surrogates` };
  const length = [...text].length;
  if (length >= min && length <= max) {
    const isBlank = min > 0 && text.trim() === '';
    return isBlank ? { field, message: `${field} must not be only blanks` } : undefined;
  }
  return { field, message: `${field} must have ${min} to ${max} characters, got ${length}` };
}

function checkPattern(
  field: string,
  text: string,
  pattern: RegExp,
  expected: string,
): RecordRefusal | undefined {
  if (pattern.test(text)) return undefined;
  return { field, message: `${field} must be ${expected}, got ${JSON.stringify(text.slice(0, 40))}` };
}

function checkStock(stock: number): RecordRefusal | undefined {
  if (Number.isInteger(stock) && stock >= 0 && stock <= MAX_STOCK) return undefined;
  return { field: 'stock', message: `stock must be a whole number from 0 to ${MAX_STOCK}, got ${stock}` };
}

function checkSku(sku: string): RecordRefusal | undefined {
  if (sku.length <= MAX_SKU && SKU.test(sku)) return undefined;
  return { field: 'sku', message: `sku must have 1 to ${MAX_SKU} printable ASCII characters without spaces` };
}
