import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PASSAGE_WORDS, splitIntoPassages } from '../../demo/corpus/split.ts';

const sentence = fc
  .array(fc.stringMatching(/^[a-z]{1,9}$/), { minLength: 1, maxLength: 40 })
  .map((words) => `X${words.join(' ')}.`);

const wordsOf = (text: string): string[] => text.split(/\s+/).filter((word) => word !== '');

describe('splitting a text into passages', () => {
  it('loses no word: each passage repeats a short end of the one before and goes on from there', () => {
    fc.assert(
      fc.property(fc.array(sentence, { maxLength: 60 }), (sentences) => {
        const words = wordsOf(sentences.join(' '));
        let at = 0;
        for (const passage of splitIntoPassages(sentences.join(' '))) {
          const own = wordsOf(passage);
          const start = Array.from({ length: 30 }, (_, back) => at - back).find(
            (from) => from >= 0 && own.every((word, index) => words[from + index] === word),
          );
          expect(start).toBeDefined();
          expect(start! + own.length).toBeGreaterThan(at);
          at = start! + own.length;
        }
        expect(at).toBe(words.length);
      }),
    );
  });

  it('keeps passages near the size asked for', () => {
    fc.assert(
      fc.property(fc.array(sentence, { minLength: 20, maxLength: 60 }), (sentences) => {
        for (const passage of splitIntoPassages(sentences.join(' ')))
          expect(wordsOf(passage).length).toBeLessThanOrEqual(PASSAGE_WORDS * 1.5);
      }),
    );
  });

  it('does not end a sentence after a title, an initial or "U.S."', () => {
    const text = 'Mr. Speaker, Harry S. Truman and the U.S. Congress met Dr. King. They spoke.';
    expect(splitIntoPassages(text)).toEqual([text]);
    const long = `${'Word '.repeat(95)}end. Mr. Truman ${'spoke '.repeat(40)}.`;
    expect(splitIntoPassages(long)[1]).toMatch(/^Mr\. Truman/);
  });

  it('cuts what has no full stops, and words without end', () => {
    expect(splitIntoPassages('word '.repeat(1000)).length).toBeGreaterThan(5);
    expect(splitIntoPassages('x'.repeat(100_000)).every((passage) => passage.length < 10_000)).toBe(true);
  });

  it('finds no passage where there is no word', () => {
    expect(splitIntoPassages('')).toEqual([]);
    expect(splitIntoPassages(' \n\t ')).toEqual([]);
  });
});
