import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { LocalProfile } from '../platform/profile-file.ts';
import { explainPrice, pickExample } from './explain-price.ts';
import { logIn, type PlatformClient } from './platform-client.ts';
import { bar, type Progress } from './progress.ts';
import { renderTable } from './render-table.ts';
import { summarizeProducts } from './summarize-products.ts';

const ITERATIONS = 100;

/** What jobber exists for, once: a login, a Fibonacci job, a product file loaded and priced. */
export async function tellStory(options: {
  addresses: LocalProfile;
  /** An array of products, as JSON. */
  productsFile: string;
  progress: Progress;
  signal: AbortSignal;
}): Promise<void> {
  const { addresses, progress, signal } = options;
  // Made anew each time, used by this process only and stored nowhere.
  const account = { email: 'ada@example.com', password: randomBytes(18).toString('base64url') };
  progress.update(`registering ${account.email}`);
  const client = await logIn(addresses, account, signal);
  progress.done(`${account.email} is registered and logged in`);

  progress.update('running a Fibonacci job');
  const accepted = await client.executeJob('Fibonacci', { iterations: ITERATIONS });
  const fibonacci = await client.waitForJob(accepted.id);
  progress.done(`Job ${fibonacci.id} (Fibonacci) is completed`);

  const jobId = await loadProducts(client, options);
  const [categories, products] = await Promise.all([client.categories(), client.productsOf(jobId)]);

  progress.print('', `The ${ITERATIONS}th Fibonacci number is ${fibonacci.result?.number ?? 'unknown'}.`, '');
  progress.print(...renderTable(summarizeProducts(products, categories)));
  const example = pickExample(products, categories);
  if (example) {
    const { product, charge } = example;
    progress.print(
      '',
      `"${product.name}" costs ${product.basePrice}; ${product.category} is charged ${charge} %:`,
      `  ${explainPrice(product, charge)}, to the last digit.`,
    );
  }
}

async function loadProducts(
  client: PlatformClient,
  { productsFile, progress }: { productsFile: string; progress: Progress },
): Promise<number> {
  const content = await readFile(productsFile);
  progress.update(`uploading products.json, ${(content.length / 1024).toFixed(1)} KiB`);
  const upload = await client.upload('products.json', new Uint8Array(content));
  progress.done(`products.json is uploaded: ${upload.records} records`);

  const { id, size } = await client.executeJob('LoadProducts', { fileName: upload.filename });
  let shown = -1;
  const job = await client.waitForJob(id, ({ completed }) => {
    if (completed === shown) return;
    shown = completed;
    progress.update(`loading products  ${bar(completed, size)}  ${completed} of ${size}`);
  });
  progress.done(`Job ${id} (LoadProducts) is completed: ${job.completed} products loaded and priced`);
  return id;
}
