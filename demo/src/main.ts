/** Puts the page together. */

import { modelFolder } from 'virtual:served-files';
import { IsovecError } from 'isovec';
import { Corpus } from './corpus.ts';
import { Embedder } from './embedder.ts';
import { Indexer } from './indexer.ts';
import { Library, type LibraryDocument } from './library.ts';
import { askToPersist, keepForOffline, startServiceWorker } from './offline.ts';
import { ownFileId, readOwnFile } from './own-files.ts';
import { DocumentList } from './ui/documents.ts';
import { byId } from './ui/dom.ts';
import { acceptFiles } from './ui/drop-zone.ts';
import { clearNotices, reason, showNotice } from './ui/notices.ts';
import { ProgressPanel } from './ui/progress.ts';
import { Search } from './ui/search.ts';
import { StatusLine, showOfflineReady, showPersisted } from './ui/status.ts';

const LOCATION = 'state-of-the-union';
const ADDRESSES_AT_A_TIME = 20;

/** How many addresses a first visit takes in: `?addresses=3`, say. */
function firstAddresses(): number {
  const given = new URLSearchParams(location.search).get('addresses');
  return given === null ? ADDRESSES_AT_A_TIME : Number(given);
}

async function start(): Promise<void> {
  const library = await Library.open(LOCATION);
  library.onWarning((message) => showNotice(message));
  new DocumentList(library);
  await startServiceWorker();

  const corpus = await Corpus.load();
  const embedder = new Embedder(new URL(modelFolder, document.baseURI).href);
  const textOf = async (document: LibraryDocument): Promise<string[]> =>
    document.pending ?? (await corpus.passages(document));
  const indexer = new Indexer(library, embedder, textOf);

  new Search(library, embedder);
  new ProgressPanel(library, indexer, embedder);
  new StatusLine(library, embedder);
  connectLibraryButtons(library, corpus, indexer);
  acceptFiles((files) => addOwnFiles(files, library, indexer));

  if (library.isNew) await library.add(corpus.missing(library, firstAddresses()));
  indexer.start();

  await embedder.loaded;
  showOfflineReady(await keepForOffline());
}

function connectLibraryButtons(library: Library, corpus: Corpus, indexer: Indexer): void {
  const addSome = byId('add-some-button', HTMLButtonElement);
  const addAll = byId('add-all-button', HTMLButtonElement);
  const add = async (count: number): Promise<void> => {
    await library.add(corpus.missing(library, count));
    indexer.start();
  };
  addSome.addEventListener('click', () => add(ADDRESSES_AT_A_TIME));
  addAll.addEventListener('click', () => add(Infinity));
  const update = (): void => {
    const missing = corpus.missing(library, Infinity).length;
    addSome.disabled = addAll.disabled = missing === 0;
    addSome.textContent =
      missing === 0 ? 'All addresses are here' : `Add ${Math.min(missing, ADDRESSES_AT_A_TIME)} more`;
    addAll.textContent = `Add all ${missing}`;
    addAll.hidden = missing === 0;
  };
  library.addEventListener('change', update);
  update();

  const dialog = byId('clear-dialog', HTMLDialogElement);
  byId('clear-button', HTMLButtonElement).addEventListener('click', () => dialog.showModal());
  dialog.addEventListener('close', async () => {
    if (dialog.returnValue !== 'clear') return;
    await indexer.pause();
    await library.destroy();
    // Without the addresses that a first visit would take in.
    location.assign('./?addresses=0');
  });
}

async function addOwnFiles(files: File[], library: Library, indexer: Indexer): Promise<void> {
  clearNotices();
  for (const file of files) {
    try {
      const document = await readOwnFile(file);
      // A file of the same name is a newer version of it.
      await library.remove(ownFileId(file.name));
      await library.add([document]);
    } catch (error) {
      showNotice(reason(error));
    }
  }
  indexer.start();
}

start().catch((error: unknown) => {
  console.error(error);
  const isElsewhere = error instanceof IsovecError && error.code === 'LOCK_TIMEOUT';
  showNotice(
    isElsewhere ? 'The library is open in another tab. Close that one, and try again.' : reason(error),
    { label: 'Try again', run: () => location.reload() },
  );
});
askToPersist().then(showPersisted);
