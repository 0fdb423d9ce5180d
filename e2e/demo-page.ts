/** The demo as its visitors see it: what they can do, and what they can read. */
import { test as base, expect, type Locator, type Page } from '@playwright/test';

export interface OwnFile {
  name: string;
  content: string | Buffer;
}

export const BREAD: OwnFile = {
  name: 'bread.txt',
  content:
    'Knead the dough for ten minutes and let it rise until it has doubled. Bake the loaf in a hot oven with a bowl of water for steam.',
};
export const TIDES: OwnFile = {
  name: 'tides.md',
  content:
    'Twice a day the ocean rises and falls along the coast. The gravity of the moon pulls the water towards it.',
};

export class DemoPage {
  readonly page: Page;
  readonly question: Locator;
  readonly hits: Locator;
  readonly timings: Locator;
  readonly documents: Locator;
  readonly usage: Locator;
  readonly progress: Locator;
  readonly messages: Locator;

  constructor(page: Page) {
    this.page = page;
    this.question = page.getByRole('searchbox', { name: 'Your question' });
    this.hits = page.locator('#results > li');
    this.timings = page.locator('#timings');
    this.documents = page.getByRole('list', { name: 'Documents in the library' }).getByRole('listitem');
    this.usage = page.locator('#usage');
    this.progress = page.locator('#progress-panel');
    this.messages = page.getByRole('region', { name: 'Messages' });
  }

  /** @param firstAddresses how many addresses a first visit takes in */
  async visit({ origin = '', firstAddresses = 0 } = {}): Promise<void> {
    await this.page.goto(`${origin}/?addresses=${firstAddresses}`);
    await this.expectStarted();
  }

  async expectStarted(): Promise<void> {
    await expect(this.usage).toContainText('embedded since this page was loaded');
  }

  async expectOfflineReady(): Promise<void> {
    await expect(this.page.getByText('Works offline')).toBeVisible({ timeout: 60_000 });
  }

  async choose(...files: OwnFile[]): Promise<void> {
    await this.page
      .getByLabel('Add your own text files')
      .setInputFiles(
        files.map(({ name, content }) => ({ name, mimeType: 'text/plain', buffer: Buffer.from(content) })),
      );
  }

  /** Waits until everything in the library is embedded and stored. */
  async expectIndexed(documentCount: number): Promise<void> {
    await expect(this.documents).toHaveCount(documentCount);
    await expect(this.page.locator('#documents > li:not([data-state="complete"])')).toHaveCount(0, {
      timeout: 60_000,
    });
    await expect(this.progress).toBeHidden();
  }

  async ask(question: string): Promise<void> {
    await this.question.fill(question);
    await expect(this.timings).toContainText('found in');
  }

  async expectFirstHit(title: string): Promise<void> {
    await expect(this.hits.first().getByRole('heading')).toHaveText(title);
  }

  async expectEmbedded(passageCount: number): Promise<void> {
    await expect(this.usage).toContainText(`${passageCount} embedded since this page was loaded`);
  }

  /** Passages stored of the library's first document, as its row in the list says. */
  async storedOfFirst(): Promise<number> {
    const text = await this.documents.first().locator('.document-count').textContent();
    return Number.parseInt(text ?? '', 10);
  }
}

/** Tests with a demo page, which fail when the page broke its own security policy or threw. */
export const test = base.extend<{ demo: DemoPage; complaints: string[] }>({
  complaints: async ({ context }, use) => {
    const complaints: string[] = [];
    await watch(context, complaints);
    await use(complaints);
    expect(complaints).toEqual([]);
  },
  demo: async ({ page, complaints: _ }, use) => use(new DemoPage(page)),
});

async function watch(
  context: import('@playwright/test').BrowserContext,
  complaints: string[],
): Promise<void> {
  context.on('weberror', (error) => complaints.push(String(error.error())));
  context.on('console', (message) => {
    if (/content security policy/i.test(message.text())) complaints.push(message.text());
  });
}

export { expect };
