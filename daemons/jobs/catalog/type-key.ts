/** One spelling for all: `LoadProducts`, `load-products` and `LOAD_PRODUCTS` are the same job type. */
export function typeKey(name: string): string {
  return name.toLowerCase().replaceAll(/[-_ ]/g, '');
}
