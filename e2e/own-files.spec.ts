import { BREAD, expect, TIDES, test } from './demo-page.ts';

test('a text file dropped on the page is found', async ({ demo, page }) => {
  await demo.visit();
  const transfer = await page.evaluateHandle(({ name, content }) => {
    const data = new DataTransfer();
    data.items.add(new File([content as string], name, { type: 'text/plain' }));
    return data;
  }, BREAD);
  await page.dispatchEvent('body', 'drop', { dataTransfer: transfer });
  await demo.expectIndexed(1);
  await demo.ask('making a loaf');
  await demo.expectFirstHit(BREAD.name);
});

test('a file that is empty, binary or too large is refused by name, and good ones beside it are taken', async ({
  demo,
}) => {
  await demo.visit();
  await demo.choose(
    { name: 'nothing.txt', content: ' \n ' },
    { name: 'picture.png', content: Buffer.from([0x89, 0x50, 0x4e, 0x47, 0xff, 0xfe]) },
    { name: 'zeros.bin', content: Buffer.alloc(64) },
    { name: 'huge.txt', content: 'word '.repeat(300_000) },
    BREAD,
  );
  await demo.expectIndexed(1);
  await expect(demo.messages).toContainText('“nothing.txt” is empty.');
  await expect(demo.messages).toContainText('“picture.png” is not a text file');
  await expect(demo.messages).toContainText('“zeros.bin” is not a text file');
  await expect(demo.messages).toContainText('“huge.txt” is too large: 1.4 MB');
});

test('a file of the same name replaces the one before', async ({ demo }) => {
  await demo.visit();
  await demo.choose(BREAD);
  await demo.expectIndexed(1);
  await demo.choose({ name: BREAD.name, content: TIDES.content });
  await demo.expectIndexed(1);
  await demo.ask('ocean');
  await expect(demo.hits).toHaveCount(1);
  await expect(demo.hits.first()).toContainText('gravity of the moon');
});
