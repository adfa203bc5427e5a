import { runDaemon } from '@jobber/shared/lifecycle';
import { loadProductsConfig } from './config.ts';
import { startProducts } from './start-products.ts';

await runDaemon({
  name: 'products',
  configure: () => loadProductsConfig(process.env),
  start: async (context) => void (await startProducts(context)),
  stopWhenStdinEnds: /^(true|1)$/.test(process.env['JOBBER_SUPERVISED'] ?? ''),
});
