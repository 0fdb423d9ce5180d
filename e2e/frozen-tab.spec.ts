/**
 * A tab that the browser really freezes, with its worker. Playwright keeps every tab in the foreground, and such ones are
 * not frozen, so these tabs are driven by the DevTools protocol alone.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { WebSocket } from 'ws';
import { type BrowserProcess, startBrowser } from '../scripts/browser-process.ts';
import { type ServedPage, servePage } from './served.ts';

let served: ServedPage;
let profile: string;
let browser: BrowserProcess;

test.beforeAll(async () => {
  served = await servePage('tabs');
  profile = await mkdtemp(join(tmpdir(), 'isovec-frozen-'));
  browser = await startBrowser(profile);
});

test.afterAll(async () => {
  await browser.kill();
  served.close();
  await rm(profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
});

class BareTab {
  readonly #id: string;
  readonly #socket: WebSocket;
  #lastCall = 0;

  private constructor(id: string, socket: WebSocket) {
    this.#id = id;
    this.#socket = socket;
  }

  static async open(): Promise<BareTab> {
    const opened = await fetch(`${browser.debuggingUrl}/json/new?${served.url}`, { method: 'PUT' });
    const { id, webSocketDebuggerUrl } = (await opened.json()) as {
      id: string;
      webSocketDebuggerUrl: string;
    };
    const socket = new WebSocket(webSocketDebuggerUrl);
    await new Promise((resolve) => socket.once('open', resolve));
    const tab = new BareTab(id, socket);
    await expect.poll(() => tab.run('typeof tab').catch(() => '')).toBe('object');
    return tab;
  }

  async toFront(): Promise<void> {
    await fetch(`${browser.debuggingUrl}/json/activate/${this.#id}`);
    await expect.poll(() => this.run('document.visibilityState')).toBe('visible');
  }

  async close(): Promise<void> {
    this.#socket.close();
    await fetch(`${browser.debuggingUrl}/json/close/${this.#id}`);
  }

  send(method: string, params: object): Promise<unknown> {
    const id = ++this.#lastCall;
    return new Promise((resolve) => {
      const hear = (data: unknown) => {
        const answer = JSON.parse(String(data)) as { id?: number; result?: unknown };
        if (answer.id !== id) return;
        this.#socket.off('message', hear);
        resolve(answer.result);
      };
      this.#socket.on('message', hear);
      this.#socket.send(JSON.stringify({ id, method, params }));
    });
  }

  /** @returns what the expression gives, awaited */
  async run(expression: string): Promise<unknown> {
    const given = { expression, awaitPromise: true, returnByValue: true };
    const { result, exceptionDetails } = (await this.send('Runtime.evaluate', given)) as {
      result: { value?: unknown };
      exceptionDetails?: { exception?: { description?: string } };
    };
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description);
    return result.value;
  }
}

for (const storage of ['opfs', 'indexeddb'])
  test(`a frozen tab hands over before it stands still, and comes back as a follower, on ${storage}`, async () => {
    const [frozen, other] = [await BareTab.open(), await BareTab.open()];
    const options = JSON.stringify({ storage });
    for (const each of [frozen, other]) await each.run(`tab.open('frozen ${storage}', ${options})`);
    expect(await frozen.run('tab.role()')).toBe('writer');
    await other.toFront();
    await frozen.send('Page.setWebLifecycleState', { state: 'frozen' });
    // The command may be answered a moment before the tab stands still.
    await expect.poll(() => other.run('tab.role()')).toBe('writer');
    expect(await other.run(`tab.insert('meanwhile')`)).toMatchObject({ outcome: 'stored' });
    await frozen.send('Page.setWebLifecycleState', { state: 'active' });
    await frozen.toFront();
    expect(await frozen.run(`tab.insert('awake')`)).toMatchObject({ outcome: 'stored' });
    expect(await frozen.run('tab.role()')).toBe('follower');
    for (const each of [frozen, other])
      expect(await each.run('tab.read()')).toEqual(expect.arrayContaining(['awake', 'meanwhile']));
    await frozen.close();
    await other.close();
  });
