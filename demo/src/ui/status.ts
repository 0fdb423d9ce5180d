/** Where things are kept, how much of them, and whether the network is still needed. */
import { IsovecError } from 'isovec';
import type { Embedder } from '../embedder.ts';
import type { Library } from '../library.ts';
import { byId } from './dom.ts';
import { formatBytes, formatCount } from './format.ts';

/** Storage figures are asked for this often at most while the library grows. */
const USAGE_INTERVAL_MS = 1_000;

const STORAGE_NAMES = {
  opfs: 'OPFS',
  indexeddb: 'IndexedDB',
  memory: 'memory',
  fs: 'files',
} as const;

export class StatusLine {
  readonly #library: Library;
  readonly #embedder: Embedder;
  #timer = 0;

  constructor(library: Library, embedder: Embedder) {
    this.#library = library;
    this.#embedder = embedder;
    library.addEventListener('change', () => {
      this.#timer ||= window.setTimeout(() => this.#drawUsage(), USAGE_INTERVAL_MS);
    });
    this.#drawUsage();
  }

  async #drawUsage(): Promise<void> {
    this.#timer = 0;
    const usage = await this.#library.usage().catch(ignoreClosed);
    if (!usage) return;
    showChip('storage-status', `${formatBytes(usage.diskBytes)} in ${STORAGE_NAMES[usage.storage]}`, 'on');
    byId('usage', HTMLElement).textContent = [
      `${formatCount(usage.passages)} passages stored, ${formatCount(usage.passagesInGraph)} of them in the graph.`,
      `${formatCount(this.#embedder.passagesEmbedded)} embedded since this page was loaded.`,
    ].join(' ');
    // The graph catches up in the background, after the last change.
    if (usage.passagesInGraph < usage.passages)
      this.#timer ||= window.setTimeout(() => this.#drawUsage(), USAGE_INTERVAL_MS);
  }
}

export function showOfflineReady(isReady: boolean): void {
  if (isReady) showChip('network-status', 'Works offline', 'on');
  else showChip('network-status', 'Needs the network', 'off');
}

export function showPersisted(isPersisted: boolean): void {
  if (isPersisted) showChip('persist-status', 'Kept until you clear it', 'on');
  else showChip('persist-status', 'Kept while space lasts', 'off');
}

function showChip(id: string, text: string, state: 'on' | 'off'): void {
  const chip = byId(id, HTMLElement);
  chip.hidden = false;
  chip.dataset.state = state;
  chip.textContent = text;
}

/** The library is closed when everything is cleared, maybe just now. */
function ignoreClosed(error: unknown): undefined {
  if (error instanceof IsovecError && error.code === 'CLOSED') return undefined;
  throw error;
}
