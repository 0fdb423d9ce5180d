/** The list of what the library holds, with a button to remove each. */
import type { Library, LibraryDocument } from '../library.ts';
import { byId, create, oncePerFrame } from './dom.ts';
import { formatCount, formatPlural } from './format.ts';

export class DocumentList {
  readonly #library: Library;
  readonly #list = byId('documents', HTMLUListElement);
  readonly #count = byId('library-count', HTMLElement);
  readonly #items = new Map<string, HTMLLIElement>();

  constructor(library: Library) {
    this.#library = library;
    library.addEventListener(
      'change',
      oncePerFrame(() => this.#draw()),
    );
    this.#draw();
  }

  #draw(): void {
    const documents = this.#library.documents;
    this.#count.textContent = formatPlural(documents.length, 'document');
    for (const [id, item] of this.#items) if (!this.#library.get(id)) this.#forget(id, item);
    for (const document of documents) this.#drawOne(document);
  }

  #drawOne(document: LibraryDocument): void {
    let item = this.#items.get(document.id);
    if (!item) {
      item = this.#create(document);
      this.#items.set(document.id, item);
      this.#list.append(item);
    }
    const { storedCount, passageCount } = document;
    const isComplete = storedCount === passageCount;
    item.dataset.state = isComplete ? 'complete' : storedCount > 0 ? 'growing' : 'waiting';
    const text = isComplete
      ? formatCount(passageCount)
      : `${formatCount(storedCount)} / ${formatCount(passageCount)}`;
    const count = item.querySelector('.document-count')!;
    if (count.textContent !== text) count.textContent = text;
  }

  #create({ id, title, year }: LibraryDocument): HTMLLIElement {
    const name = year === undefined ? title : `${title}, ${year}`;
    const remove = create('button', {
      type: 'button',
      className: 'remove',
      title: `Remove ${name}`,
      ariaLabel: `Remove ${name}`,
      onclick: () => this.#library.remove(id),
    });
    const item = create(
      'li',
      {},
      create('span', { className: 'document-year' }, year === undefined ? 'file' : String(year)),
      create('span', { className: 'document-title' }, title),
      create('span', { className: 'document-count', title: 'Passages' }),
      remove,
    );
    item.dataset.id = id;
    return item;
  }

  /** Keyboard focus moves on to the neighbour, so that several can be removed in a row. */
  #forget(id: string, item: HTMLLIElement): void {
    const hadFocus = item.contains(document.activeElement);
    const neighbour = (item.nextElementSibling ?? item.previousElementSibling)?.querySelector('button');
    item.remove();
    this.#items.delete(id);
    if (hadFocus) (neighbour ?? byId('question', HTMLInputElement)).focus();
  }
}
