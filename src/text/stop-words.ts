/** English words that say little about what a text is about: those of Lucene's EnglishAnalyzer, and what an apostrophe
 *  leaves behind. */
export const ENGLISH_STOP_WORDS: ReadonlySet<string> = /* @__PURE__ */ new Set(
  (
    'a an and are as at be but by for if in into is it no not of on or such that the their then there these they ' +
    'this to was will with d ll m re s t ve'
  ).split(' '),
);
