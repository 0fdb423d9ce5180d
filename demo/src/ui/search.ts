/** The search box: answers while the visitor types, and drops the answers to questions already overtaken. */
import type { Hit } from 'isovec';
import type { Embedder } from '../embedder.ts';
import type { Library, PassageMetadata } from '../library.ts';
import { byId, create } from './dom.ts';
import { formatMilliseconds, formatPlural } from './format.ts';
import { reason, showNotice } from './notices.ts';
import { asContext, drawHits } from './results.ts';

const TOP_K = 10;
/** About the time between two keystrokes: a word typed at speed asks once. */
const DEBOUNCE_MS = 120;
/** While the library grows, answers in full number are brought up to date this often; fewer at once. */
const REFRESH_MS = 1_500;

const SUGGESTIONS = ['affordable health care', 'jobs from overseas', 'saving the banks', 'a warming planet'];

export class Search {
  readonly #library: Library;
  readonly #embedder: Embedder;
  readonly #input = byId('question', HTMLInputElement);
  readonly #timings = byId('timings', HTMLElement);
  readonly #copy = byId('copy-button', HTMLButtonElement);
  #hits: Hit<PassageMetadata>[] = [];
  /** The question whose answers are on the page. */
  #shown = '';
  #question: { text: string; vector: Promise<{ vector: Float32Array; milliseconds: number }> } | undefined;
  #latest = new AbortController();
  #debounce = 0;
  #refresh = 0;

  constructor(library: Library, embedder: Embedder) {
    this.#library = library;
    this.#embedder = embedder;
    this.#input.value = new URLSearchParams(location.search).get('q') ?? '';
    this.#input.addEventListener('input', () => this.#ask(DEBOUNCE_MS));
    byId('search-form', HTMLFormElement).addEventListener('submit', (event) => {
      event.preventDefault();
      this.#ask(0);
    });
    byId('suggestions', HTMLUListElement).replaceChildren(
      ...SUGGESTIONS.map((text) => this.#suggestion(text)),
    );
    this.#copy.addEventListener('click', () => this.#copyContext());
    library.addEventListener('change', () => {
      const delayMs = this.#hits.length < TOP_K ? 0 : REFRESH_MS;
      this.#refresh ||= window.setTimeout(() => this.#answer(false), delayMs);
    });
    this.#ask(0);
  }

  #suggestion(text: string): HTMLLIElement {
    const onclick = (): void => {
      this.#input.value = text;
      this.#input.focus();
      this.#ask(0);
    };
    return create('li', {}, create('button', { type: 'button', className: 'suggestion', onclick }, text));
  }

  #ask(delayMs: number): void {
    clearTimeout(this.#debounce);
    this.#debounce = window.setTimeout(() => this.#answer(true), delayMs);
  }

  /** @param isNew false when only the library changed */
  async #answer(isNew: boolean): Promise<void> {
    clearTimeout(this.#refresh);
    this.#refresh = 0;
    this.#latest.abort();
    this.#latest = new AbortController();
    const { signal } = this.#latest;
    const text = this.#input.value.trim();
    if (isNew) this.#rememberInAddress(text);
    if (text === '') return this.#show([], '', '');
    try {
      if (!this.#embedder.isLoaded) this.#timings.textContent = 'Loading the model…';
      const { vector, milliseconds } = await this.#embedded(text);
      if (signal.aborted) return;
      const start = performance.now();
      const hits = await this.#library.search(vector, TOP_K, signal);
      const searchMs = performance.now() - start;
      if (signal.aborted) return;
      const figures = `embedded in ${formatMilliseconds(milliseconds)}, found in ${formatMilliseconds(searchMs)}`;
      // A refresh changes no announced text unless it must, or a screen reader would never fall silent.
      const timings =
        isNew || hits.length !== this.#hits.length
          ? `${formatPlural(hits.length, 'passage')}, ${figures}`
          : undefined;
      this.#show(hits, text, timings);
    } catch (error) {
      if (!signal.aborted) showNotice(`The search failed: ${reason(error)}`);
    }
  }

  /** The question's vector, embedded once however often it is asked for. */
  #embedded(text: string): Promise<{ vector: Float32Array; milliseconds: number }> {
    if (this.#question?.text !== text) {
      const vector = this.#embedder.embed(text, { kind: 'question' });
      this.#question = { text, vector };
    }
    return this.#question.vector;
  }

  #show(hits: Hit<PassageMetadata>[], question: string, timings: string | undefined): void {
    const isUnchanged =
      question === this.#shown && hits.every(({ id }, index) => id === this.#hits[index]?.id);
    // A selection, or the place scrolled to, survives a refresh that finds the same.
    if (!isUnchanged || hits.length !== this.#hits.length)
      byId('results', HTMLOListElement).replaceChildren(...drawHits(hits, question));
    this.#shown = question;
    this.#hits = hits;
    this.#copy.hidden = hits.length === 0;
    const empty = byId('empty-state', HTMLElement);
    empty.hidden = hits.length > 0;
    empty.textContent =
      question === ''
        ? 'Type a question, or try one of those above. Answers come as you type.'
        : 'Nothing here to search yet. Add some addresses, or a file of your own.';
    if (timings !== undefined) this.#timings.textContent = timings;
  }

  async #copyContext(): Promise<void> {
    try {
      await navigator.clipboard.writeText(asContext(this.#hits, this.#input.value.trim()));
      this.#timings.textContent = `${formatPlural(this.#hits.length, 'passage')} copied`;
    } catch (error) {
      showNotice(`The passages could not be copied: ${reason(error)}`);
    }
  }

  /** So that a reload, or a link, asks the same. */
  #rememberInAddress(text: string): void {
    const url = new URL(location.href);
    if (text === '') url.searchParams.delete('q');
    else url.searchParams.set('q', text);
    history.replaceState(null, '', url);
  }
}
