import { Category, Product } from '@jobber/db/products';
import { type Identity, requirePermission } from '@jobber/shared/auth-guard';
import { AppError, refuse } from '@jobber/shared/errors';
import { checkLimit } from '@jobber/shared/paging';
import type { FilterQuery } from '@mikro-orm/core';
import type { MikroORM } from '@mikro-orm/postgresql';
import { isStorable } from './is-storable.ts';

export interface ProductFilter {
  /** Part of the name, any case. */
  readonly name?: string;
  readonly category?: string;
  readonly sku?: string;
  /** Decimals, inclusive. */
  readonly minPrice?: string;
  readonly maxPrice?: string;
  readonly inStock?: boolean;
  /** Written by this job. */
  readonly jobId?: number;
}

export interface ProductsPage {
  readonly filter: ProductFilter;
  /** 1 to 200. */
  readonly limit: number;
  /** Id of the last product of the page before. */
  readonly before?: string;
}

const MAX_LIMIT = 200;
const MAX_TEXT = 255;
const DECIMAL = /^\d{1,20}(\.\d{1,10})?$/;

/** Products by id, newest first, a page at a time. @throws AppError 400 INVALID_INPUT, 403 FORBIDDEN */
export async function listProducts(
  orm: MikroORM,
  identity: Identity,
  { filter, limit, before }: ProductsPage,
): Promise<Product[]> {
  requirePermission(identity, 'products:read');
  checkLimit(limit, MAX_LIMIT);
  const where: FilterQuery<Product> = {};
  if (before !== undefined) {
    where.id = { $lt: parseId(before) ?? refuse('INVALID_INPUT', 'before must be the id of a product') };
  }
  if (filter.name !== undefined) where.name = { $ilike: `%${escapeLike(checkText('name', filter.name))}%` };
  if (filter.category !== undefined) where.category = checkText('category', filter.category);
  if (filter.sku !== undefined) where.sku = checkText('sku', filter.sku);
  const price = {
    ...(filter.minPrice !== undefined && { $gte: checkDecimal('minPrice', filter.minPrice) }),
    ...(filter.maxPrice !== undefined && { $lte: checkDecimal('maxPrice', filter.maxPrice) }),
  };
  if (Object.keys(price).length > 0) where.price = price;
  if (filter.inStock !== undefined) where.stock = filter.inStock ? { $gt: 0 } : 0;
  if (filter.jobId !== undefined) {
    where.jobId = parseId(String(filter.jobId)) ?? refuse('INVALID_INPUT', 'jobId must be the id of a job');
  }
  return orm.em.fork().find(Product, where, { orderBy: { id: 'desc' }, limit, disableIdentityMap: true });
}

/** @throws AppError 404 NOT_FOUND, 403 FORBIDDEN */
export async function findProduct(orm: MikroORM, identity: Identity, id: string): Promise<Product> {
  requirePermission(identity, 'products:read');
  const number = parseId(id);
  const product = number === undefined ? null : await orm.em.fork().findOne(Product, { id: number });
  if (product) return product;
  throw new AppError('NOT_FOUND', `Product with ID ${id.slice(0, 40)} not found`);
}

/** All categories by name. @throws AppError 403 FORBIDDEN */
export async function listCategories(orm: MikroORM, identity: Identity): Promise<Category[]> {
  requirePermission(identity, 'products:read');
  return orm.em.fork().find(Category, {}, { orderBy: { name: 'asc' }, disableIdentityMap: true });
}

function parseId(text: string): number | undefined {
  const id = /^[1-9]\d{0,15}$/.test(text) ? Number(text) : Number.NaN;
  return Number.isSafeInteger(id) ? id : undefined;
}

function checkText(field: string, text: string): string {
  if (text.length > 0 && text.length <= MAX_TEXT && isStorable(text)) return text;
  return refuse('INVALID_INPUT', `${field} must have 1 to ${MAX_TEXT} characters`, { limit: MAX_TEXT });
}

function checkDecimal(field: string, text: string): string {
  return DECIMAL.test(text) ? text : refuse('INVALID_INPUT', `${field} must be a decimal such as 12.50`);
}

/** What a person types means itself: % and _ are no wildcards. */
function escapeLike(text: string): string {
  return text.replaceAll(/[\\%_]/g, '\\$&');
}
