import { BREAD, expect, TIDES, test } from './demo-page.ts';
import { servePreview } from './preview-server.ts';

test('a reload keeps everything, searchable, without embedding any of it again', async ({ demo }) => {
  await demo.visit();
  await demo.choose(BREAD, TIDES);
  await demo.expectIndexed(2);
  await demo.ask('how to bake');
  await demo.page.reload();
  await demo.expectStarted();
  await demo.expectIndexed(2);
  await demo.expectFirstHit(BREAD.name);
  await demo.expectEmbedded(0);
});

test('a second visit works without a network', async ({ demo, context }) => {
  await demo.visit();
  await demo.choose(BREAD);
  await demo.expectIndexed(1);
  await demo.expectOfflineReady();
  await context.setOffline(true);
  await demo.page.reload();
  await demo.expectIndexed(1);
  await demo.ask('an oven');
  await demo.expectFirstHit(BREAD.name);
  await demo.expectEmbedded(0);
});

test('a second visit works when the server is gone, and can still embed new texts', async ({ demo }) => {
  const server = await servePreview();
  await demo.visit({ origin: server.origin });
  await demo.choose(BREAD);
  await demo.expectIndexed(1);
  await demo.expectOfflineReady();
  await server.close();

  await demo.page.goto(`${server.origin}/`);
  await demo.expectIndexed(1);
  await demo.choose(TIDES);
  await demo.expectIndexed(2);
  await demo.expectEmbedded(1);
  await demo.ask('the moon over the sea');
  await demo.expectFirstHit(TIDES.name);
  await expect(demo.hits).toHaveCount(2);
});
