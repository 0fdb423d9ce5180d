/** The addresses that the app serves, newest first. */
import { corpusFolder } from 'virtual:served-files';
import type { CorpusEntry, CorpusFile, CorpusIndex } from '../corpus/format.ts';
import type { DocumentMetadata, Library, LibraryDocument } from './library.ts';

export class Corpus {
  readonly entries: readonly CorpusEntry[];
  /** The file read last: neighbours in time are in the same one. */
  #lastFile: { name: string; content: Promise<CorpusFile> } | undefined;

  private constructor(entries: CorpusIndex) {
    this.entries = entries;
  }

  static async load(): Promise<Corpus> {
    return new Corpus(await fetchJson<CorpusIndex>('index.json'));
  }

  async passages(document: LibraryDocument): Promise<string[]> {
    const name = document.corpusFile!;
    if (this.#lastFile?.name !== name) this.#lastFile = { name, content: fetchJson<CorpusFile>(name) };
    const file = this.#lastFile;
    try {
      return (await file.content)[document.id] ?? [];
    } catch (error) {
      // Asked for anew the next time.
      if (this.#lastFile === file) this.#lastFile = undefined;
      throw error;
    }
  }

  /** The newest addresses that the library does not have. */
  missing(library: Library, count: number): (DocumentMetadata & { id: string })[] {
    return this.entries
      .filter(({ id }) => !library.get(id))
      .slice(0, count)
      .map(({ file, ...entry }) => ({ ...entry, title: entry.speaker, corpusFile: file }));
  }
}

async function fetchJson<T>(name: string): Promise<T> {
  const response = await fetch(new URL(corpusFolder + name, document.baseURI));
  if (!response.ok) throw new Error(`the corpus file ${name} could not be loaded (HTTP ${response.status})`);
  return response.json();
}
