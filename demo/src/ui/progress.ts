/** The progress of embedding and indexing, with its buttons. */
import type { Embedder } from '../embedder.ts';
import type { Indexer } from '../indexer.ts';
import type { Library, LibraryDocument } from '../library.ts';
import { byId, oncePerFrame } from './dom.ts';
import { formatCount, formatDuration } from './format.ts';
import { reason } from './notices.ts';

export class ProgressPanel {
  readonly #library: Library;
  readonly #indexer: Indexer;
  readonly #embedder: Embedder;
  readonly #panel = byId('progress-panel', HTMLElement);
  readonly #text = byId('progress-text', HTMLElement);
  readonly #detail = byId('progress-detail', HTMLElement);
  readonly #bar = byId('progress-bar', HTMLProgressElement);
  readonly #pause = byId('pause-button', HTMLButtonElement);
  readonly #cancel = byId('cancel-button', HTMLButtonElement);
  /** When this run of the indexer began, and how many passages had been embedded by then. */
  #start: { time: number; embedded: number } | undefined;

  constructor(library: Library, indexer: Indexer, embedder: Embedder) {
    this.#library = library;
    this.#indexer = indexer;
    this.#embedder = embedder;
    const draw = oncePerFrame(() => this.#draw());
    indexer.addEventListener('change', draw);
    library.addEventListener('change', draw);
    this.#pause.addEventListener('click', () =>
      indexer.state === 'running' ? indexer.pause() : indexer.start(),
    );
    this.#cancel.addEventListener('click', () => indexer.cancel());
    this.#draw();
  }

  #draw(): void {
    const { state } = this.#indexer;
    const unfinished = this.#library.documents.filter(
      (document) => document.storedCount < document.passageCount,
    );
    this.#panel.hidden = unfinished.length === 0 && state !== 'failed';
    this.#panel.dataset.state = state;
    const stored = sum(this.#library.documents.map(({ storedCount }) => storedCount));
    const total = sum(this.#library.documents.map(({ passageCount }) => passageCount));
    this.#bar.max = total || 1;
    this.#bar.value = stored;
    this.#pause.textContent = state === 'running' ? 'Pause' : 'Resume';
    this.#text.textContent = `${VERBS[state]} ${formatCount(stored)} of ${formatCount(total)}`;
    this.#detail.textContent =
      state === 'failed'
        ? reason(this.#indexer.error)
        : this.#pace(state === 'running', total - stored, unfinished[0]);
  }

  #pace(isRunning: boolean, left: number, document: LibraryDocument | undefined): string {
    const reading = document
      ? `Reading ${document.year ? `${document.year}, ` : ''}${document.title}`
      : 'Finishing';
    const embedded = this.#embedder.passagesEmbedded;
    if (!isRunning || !this.#embedder.isLoaded) this.#start = undefined;
    else this.#start ??= { time: performance.now(), embedded };
    if (!isRunning) return 'What is stored stays searchable.';
    if (!this.#start) return 'Loading the model, 29 MB, once…';
    const seconds = (performance.now() - this.#start.time) / 1000;
    const rate = (embedded - this.#start.embedded) / seconds;
    if (!(rate > 0) || seconds < 2) return `${reading}…`;
    return `${reading} · ${rate.toFixed(1)} passages/s · ${formatDuration(left / rate)} left`;
  }
}

const VERBS = { running: 'Embedded', paused: 'Paused at', idle: 'Stored', failed: 'Stopped at' } as const;

const sum = (numbers: number[]): number => numbers.reduce((a, b) => a + b, 0);
