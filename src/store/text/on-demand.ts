/** What collections with text need, loaded when one is first stored or asked for its texts. */

export { checkText } from './checked-text.ts';
export { searchText } from './search-text.ts';
export { checkSegment, type StoredText, storeRenumbered, storeText } from './segment-files.ts';
