import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Analyzer, fold } from '../../src/text/analyzer.ts';

const termsOf = (text: string, language: 'en' | 'none' = 'none') =>
  new Analyzer(language).occurrences(text).map(({ term }) => term);

describe('words', () => {
  it.each([
    ['Hello, World! 3.14', ['hello', 'world', '3', '14']],
    ['naïve NAÏVE nai\u0308ve', ['naïve', 'naïve', 'naïve']],
    ['Straße STRASSE', ['strasse', 'strasse']],
    ['ΟΔΟΣ οδος', ['οδοσ', 'οδοσ']],
    ['ﬁne ＷＩＤＥ', ['fine', 'wide']],
    ['𝒳-ray 𐐀𐐁', ['x', 'ray', '𐐨𐐩']],
    ['привет, мир', ['привет', 'мир']],
    ['snake_case l’avion don\u2019t', ['snake', 'case', 'l', 'avion', 'don', 't']],
    ['猫が好き', ['猫', 'が', '好き']],
    ['\ud800 — \u{1F98A}', []],
  ])('of %j are %j', (text, expected) => {
    expect(termsOf(text)).toEqual(expected);
  });

  it('are stemmed in English, without those that say little', () => {
    expect(termsOf("The dogs' foxes weren't running to Köln's houses", 'en')).toEqual([
      'dog',
      'fox',
      'weren',
      'run',
      'köln',
      'hous',
    ]);
  });

  it('lie where their places say, in order, whatever the text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => {
        let last = 0;
        for (const { term, start, end } of new Analyzer('none').occurrences(text)) {
          expect(start).toBeGreaterThanOrEqual(last);
          expect(fold(text.slice(start, end))).toBe(term);
          last = end;
        }
      }),
      { seed: 20_261_121 },
    );
  });

  it('count by their beginnings where they are longer than words are', () => {
    const [long, longer] = termsOf(`${'x'.repeat(100_000)} ${'x'.repeat(100)}`);
    expect(long).toBe('x'.repeat(64));
    expect(longer).toBe(long);
    // A run of letters is read in pieces of 65,536.
    expect(termsOf(`${'漢'.repeat(65_536)}latin`).at(-1)).toBe('latin');
    expect(termsOf(`${'x'.repeat(63)}𐐨𐐨`)).toEqual(['x'.repeat(63)]);
  });

  it('are read one after another, from runs of any length', () => {
    const first = (text: string, count: number) => {
      const words = new Analyzer('none').read(text);
      return Array.from({ length: count }, () => words.next() && words.term);
    };
    expect(first('東京'.repeat(5_000_000), 2)).toEqual(['東京', '東京']);
    const long = '𐐨'.repeat(3_000_000);
    expect(first(`${long} é`, 3)).toEqual([long.slice(0, 64), 'é', false]);
    expect(first(`${'x'.repeat(100_000)}東京 a`, 2)[0]).toBe('x'.repeat(64));
  });

  it('are found in long runs without spaces, in time that grows with the length only', () => {
    expect(termsOf('東京'.repeat(20_000)).length).toBe(20_000);
  });
});
