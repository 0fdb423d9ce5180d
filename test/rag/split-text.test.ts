import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { estimateTokens } from '../../src/rag/estimate-tokens.ts';
import type { SplitOptions } from '../../src/rag/split-options.ts';
import { splitText } from '../../src/rag/split-text.ts';

const word = fc.oneof(
  { weight: 8, arbitrary: fc.stringMatching(/^[a-zA-Z]{1,12}[,.;!?]?$/) },
  fc.constantFrom(
    'Mr.',
    '👩‍👩‍👧‍👦',
    '🇩🇪🇫🇷',
    'e\u0301',
    '한국어',
    '天地玄黃宇宙洪荒。',
    'नमस्ते',
    'สวัสดีครับ',
    '\ud800',
    '\udc00',
    '\u0301',
  ),
);
const line = fc
  .tuple(
    fc.constantFrom(
      '',
      '',
      '',
      '# ',
      '## ',
      '#### ',
      '- ',
      '1. ',
      '> ',
      '| ',
      '    ',
      '```',
      '~~~~',
      '===',
      '---',
    ),
    fc.array(word, { maxLength: 20 }),
  )
  .map(([mark, words]) => mark + words.join(' '));
const text = fc
  .array(fc.tuple(line, fc.constantFrom('\n', '\n', '\n\n', '\r\n', ' \n\t\n')), { maxLength: 30 })
  .map((lines) => lines.flat().join(''));

const options: fc.Arbitrary<SplitOptions> = fc
  .record({
    // As many tokens as the longest character has, at least.
    size: fc.integer({ min: 16, max: 300 }),
    overlapShare: fc.constantFrom(0, 0.1, 0.5),
    unit: fc.constantFrom('characters' as const, 'tokens' as const),
    format: fc.constantFrom('markdown' as const, 'code' as const, 'text' as const),
  })
  .map(({ overlapShare, ...rest }) => ({ ...rest, overlap: Math.floor(rest.size * overlapShare) }));

const sizeOf = (part: string, { unit }: SplitOptions): number =>
  unit === 'tokens' ? estimateTokens(part) : part.length;

function clusterStarts(source: string): Set<number> {
  const segments = [...new Intl.Segmenter(undefined, { granularity: 'grapheme' }).segment(source)];
  return new Set([...segments.map(({ index }) => index), source.length]);
}

describe('splitting a text', () => {
  it('gives slices of it, in order, none too large, that leave out nothing but white space', () => {
    fc.assert(
      fc.property(text, options, (source, given) => {
        let covered = 0;
        let lastStart = -1;
        for (const { text: part, start, end } of splitText(source, given)) {
          expect(part).toBe(source.slice(start, end));
          expect(sizeOf(part, given)).toBeLessThanOrEqual(given.size!);
          expect(start).toBeGreaterThan(lastStart);
          expect(end).toBeGreaterThan(covered);
          expect(source.slice(covered, start).trim()).toBe('');
          lastStart = start;
          covered = end;
        }
        expect(source.slice(covered).trim()).toBe('');
      }),
      { numRuns: 500 },
    );
  });

  it('repeats no more than the overlap', () => {
    fc.assert(
      fc.property(text, options, (source, given) => {
        const chunks = splitText(source, given);
        for (const [index, { start }] of chunks.entries()) {
          const repeated = source.slice(start, chunks[index - 1]?.end ?? start);
          expect(sizeOf(repeated, given)).toBeLessThanOrEqual(given.overlap!);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('tears no grapheme cluster', () => {
    fc.assert(
      fc.property(text, options, (source, given) => {
        const starts = clusterStarts(source);
        for (const { start, end } of splitText(source, given)) {
          expect(starts).toContain(start);
          expect(starts).toContain(end);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('tears no surrogate pair, where a cluster is longer than a chunk', () => {
    const family = '👩‍👩‍👧‍👦'.repeat(3).replaceAll('👦', '👦\u200d');
    for (let size = 2; size < 20; size++)
      for (const { text: part } of splitText(family, { size, overlap: 0 }))
        expect(part).not.toMatch(/\p{Surrogate}/u);
  });

  it('repeats whole sentences where they fit in the overlap, and words otherwise', () => {
    const sentences = 'One is here. Two is there. Three is nowhere. ';
    const chunks = splitText(sentences.repeat(20), { size: 120, overlap: 30 });
    expect(chunks.length).toBeGreaterThan(5);
    for (const chunk of chunks.slice(1)) expect(chunk.text).toMatch(/^(One|Two|Three) is/);
    const [, second] = splitText('word '.repeat(100), { size: 100, overlap: 20 });
    expect(second!.start).toBeLessThan(100);
    expect(second!.text).toMatch(/^word/);
  });

  it('repeats no torn rows of tables', () => {
    const row = `| ${'cell '.repeat(10)}|\n`;
    const chunks = splitText(row.repeat(20), { size: 200, overlap: 30 });
    expect(chunks.every((chunk) => `${chunk.text}\n` === row.repeat(chunk.text.split('\n').length))).toBe(
      true,
    );
  });

  it('ends at sentences, which titles and filled lines do not end', () => {
    const source = `Mr. Smith met Dr. Jones\nat the fair in\nMay. ${'They spoke at length of many things. '.repeat(10)}`;
    const chunks = splitText(source, { size: 60, overlap: 0, format: 'text' });
    expect(chunks[0]!.text).toBe('Mr. Smith met Dr. Jones\nat the fair in\nMay.');
    for (const chunk of chunks) expect(chunk.text).toMatch(/\.$/);
  });

  it('keeps a heading with what follows it, and tells the path of headings', () => {
    const paragraph = 'Some words that fill a line or so of this section. '.repeat(4);
    const source = `# Book\n\n${paragraph}\n\n## One\n\n${paragraph}\n\nTwo\n---\n\n### Two and a half\n\n${paragraph}`;
    const chunks = splitText(source, { size: 250, overlap: 40 });
    expect(chunks.map(({ headings }) => headings)).toEqual([
      ['Book'],
      ['Book', 'One'],
      ['Book', 'Two', 'Two and a half'],
    ]);
    expect(chunks.map((chunk) => chunk.text.split('\n')[0])).toEqual(['# Book', '## One', 'Two']);
  });

  it('finds no headings in code, front matter, or text that is not markdown', () => {
    const fenced =
      '---\ntitle: x\n# no\n---\n\n# Yes ##\n\n```sh\n# no\n```\n\n    # no\n\n#no\n\n## C#\n\nend';
    const headings = splitText(fenced, { size: 20, overlap: 0 }).map((chunk) => chunk.headings.join('/'));
    expect(new Set(headings)).toEqual(new Set(['', 'Yes', 'Yes/C#']));
    expect(splitText('# no', { format: 'text' })[0]!.headings).toEqual([]);
  });

  it('does not tear fenced code that fits', () => {
    fc.assert(
      fc.property(
        fc.array(fc.stringMatching(/^[a-z ]{0,30}$/), { minLength: 1, maxLength: 6 }),
        fc.integer({ min: 0, max: 40 }),
        (code, sentences) => {
          const fence = `\`\`\`js\n${code.join('\n')}\n\`\`\``;
          const prose = 'This is a sentence. '.repeat(sentences);
          const chunks = splitText(`${prose}\n${fence}\n${prose}`, { size: 250, overlap: 50 });
          expect(chunks.some((chunk) => chunk.text.includes(fence))).toBe(true);
        },
      ),
    );
  });

  it('splits code between declarations, and those that do not fit between lines', () => {
    const declaration = (name: string, lines: number) =>
      `/** ${name} */\nfunction ${name}() {\n${'  work();\n\n  more();\n'.repeat(lines)}}\n`;
    const source = [...['a', 'b', 'c'].map((name) => declaration(name, 3)), declaration('long', 50)].join(
      '\n',
    );
    const chunks = splitText(source, { size: 120, overlap: 0, format: 'code' });
    expect(chunks.slice(0, 3).map((chunk) => chunk.text)).toEqual(
      ['a', 'b', 'c'].map((name) => declaration(name, 3).trim()),
    );
    for (const chunk of chunks) expect(chunk.text).toMatch(/[;{}]$/);
  });

  it('never gives more tokens than asked for, whatever counts them', () => {
    // Like real tokenizers, it can count fewer of a longer text.
    const countTokens = (part: string): number => part.length - 2 * (part.match(/abc/g)?.length ?? 0);
    const sources = fc.array(fc.constantFrom('a', 'ab', 'abc', ' ', 'x')).map((parts) => parts.join(''));
    fc.assert(
      fc.property(sources, fc.integer({ min: 3, max: 20 }), (source, size) => {
        const chunks = splitText(source, { size, overlap: 1, unit: 'tokens', countTokens });
        for (const chunk of chunks) expect(countTokens(chunk.text)).toBeLessThanOrEqual(size);
      }),
    );
  });

  it('refuses options that make no sense, and a character that alone has too many tokens', () => {
    const refused = expect.objectContaining({ code: 'INVALID_ARGUMENT' });
    const wrong = [
      { size: 1 },
      { size: 1.5 },
      { size: 100, overlap: 51 },
      { overlap: -1 },
      { unit: 'words' },
      { format: 'html' },
    ];
    for (const given of wrong) expect(() => splitText('text', given as SplitOptions)).toThrow(refused);
    expect(() => splitText(7 as unknown as string)).toThrow(refused);
    expect(() => splitText('text', { size: 3, unit: 'tokens', countTokens: () => 4 })).toThrow(refused);
  });

  it('gives nothing for nothing', () => {
    for (const source of ['', ' ', '\n\n\t\r\n']) expect(splitText(source)).toEqual([]);
  });

  it.each([
    ['prose', 'The quick brown fox jumps over the lazy dog. '.repeat(200_000)],
    ['headings', '# a\n'.repeat(2_000_000)],
    ['short paragraphs', 'a\n\n'.repeat(2_000_000)],
    ['fences', '```\nx\n```\n'.repeat(900_000)],
    ['one letter', 'x'.repeat(9_000_000)],
    ['one character', `a${'\u0301'.repeat(2_000_000)}`],
    ['nothing but space in between', `x${' '.repeat(1_000_000)}`.repeat(9)],
  ])(
    'splits megabytes of %s in bounded time',
    (_, source) => {
      expect(splitText(source).length).toBeGreaterThan(1);
    },
    60_000,
  );
});
