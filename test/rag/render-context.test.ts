import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PassageHit } from '../../src/rag/document-types.ts';
import { estimateTokens } from '../../src/rag/estimate-tokens.ts';
import { renderContext } from '../../src/rag/render-context.ts';
import { splitText } from '../../src/rag/split-text.ts';

const SENTENCES = 'Then comes a sentence. '.repeat(40).trim();
const TEXT = `# Guide\n\nFirst of all. ${SENTENCES}\n\n## End\n\nThis is the end of it.`;

function hitsOf(document: string, text: string, overlap = 20): PassageHit[] {
  return splitText(text, { size: 120, overlap }).map((chunk, position) => ({
    document,
    position,
    ...chunk,
    score: 1 / (position + 1),
    metadata: {},
  }));
}

const all = { tokens: 10_000 };

describe('rendering a context', () => {
  it('joins neighbours, with nothing twice, under a line that says where they are from', () => {
    const hits = hitsOf('guide', TEXT);
    const { text, tokens, passages } = renderContext(hits, all);
    expect(passages).toHaveLength(1);
    expect(passages[0]).toMatchObject({ document: 'guide', start: 0, end: TEXT.length, score: 1 });
    expect(passages[0]!.hits).toEqual(hits);
    expect(passages[0]!.text).toBe(TEXT);
    expect(text).toBe(`[1] guide › Guide\n${TEXT}`);
    expect(tokens).toBe(estimateTokens(text));
  });

  it('orders passages by their best hit, or as they stand in their documents', () => {
    const guide = hitsOf('guide', TEXT);
    const hits = [
      { ...guide[1]!, score: 0.5 },
      { ...guide[4]!, score: 0.9 },
      { ...hitsOf('other', 'Something else.')[0]!, score: 0.7 },
      { ...guide[5]!, score: 0.1 },
    ];
    const order = (given: 'score' | 'document') =>
      renderContext(hits, { ...all, order: given }).passages.map(({ document, start }) => [document, start]);
    const [first, second] = [guide[1]!.start, guide[4]!.start];
    expect(order('score')).toEqual([
      ['guide', second],
      ['other', 0],
      ['guide', first],
    ]);
    expect(order('document')).toEqual([
      ['guide', first],
      ['guide', second],
      ['other', 0],
    ]);
  });

  it('never has more tokens than asked for, and has the best hit if that alone fits', () => {
    const hits = [...hitsOf('guide', TEXT), ...hitsOf('other', TEXT.toUpperCase(), 0)];
    const options = fc.record({
      tokens: fc.nat(600),
      order: fc.constantFrom('score' as const, 'document' as const),
      countTokens: fc.constantFrom(estimateTokens, (text: string) => 3 + text.split(/\b/).length),
    });
    fc.assert(
      fc.property(options, fc.shuffledSubarray(hits, { minLength: 1 }), (given, found) => {
        const { text, tokens, passages } = renderContext(found, given);
        expect(tokens).toBeLessThanOrEqual(given.tokens);
        if (text !== '') {
          expect(given.countTokens(text)).toBe(tokens);
        }
        const best = found.reduce((one, other) => (other.score > one.score ? other : one));
        if (renderContext([best], given).text.endsWith(best.text))
          expect(passages.flatMap((passage) => passage.hits)).toContainEqual(best);
        for (const { text: part, start, end, document } of passages) {
          const source = document === 'guide' ? TEXT : TEXT.toUpperCase();
          const spaces = (each: string) => each.replace(/\s+/g, ' ');
          expect(spaces(part)).toBe(spaces(source.slice(start, end)));
        }
      }),
    );
  });

  it('has the beginning of the best hit where not all of it fits, and nothing where nothing does', () => {
    const [hit] = hitsOf('guide', TEXT);
    const { text, tokens } = renderContext([hit!], { tokens: 20 });
    expect(text).toMatch(/^\[1\] guide › Guide\n# Guide/);
    expect(tokens).toBeLessThanOrEqual(20);
    expect(text.length).toBeLessThan(hit!.text.length);
    expect(renderContext([hit!], { tokens: 3 })).toEqual({ text: '', tokens: 0, passages: [] });
    expect(renderContext([], all)).toEqual({ text: '', tokens: 0, passages: [] });
  });

  it('labels as it is told, and takes a hit that is there twice once', () => {
    const [hit] = hitsOf('guide', 'Short.');
    const label = ({ document }: { document: string }, number: number) => `<${document} ${number}>`;
    expect(renderContext([hit!, hit!], { ...all, label }).text).toBe('<guide 1>\nShort.');
  });

  it('refuses a number of tokens that is none', () => {
    expect(() => renderContext([], { tokens: -1 })).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
    );
  });
});
