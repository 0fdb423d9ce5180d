import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Hit, Include } from '../../src/base/api.ts';
import { packHits, unpackHits } from '../../src/worker/packed-hits.ts';

const number = fc.double({ noNaN: true });
const hit = fc.record(
  {
    id: fc.oneof(fc.string(), fc.string({ unit: 'grapheme' })),
    score: number,
    distance: number,
    metadata: fc.dictionary(
      fc.string().filter((key) => key !== '__proto__'),
      fc.jsonValue(),
    ),
    vector: fc.float32Array({ noNaN: true }),
    text: fc.string(),
  },
  { requiredKeys: ['id', 'score', 'metadata'] },
);
const include = fc.option(fc.subarray<Include>(['vector', 'metadata', 'text', 'highlights']), {
  nil: undefined,
});

describe('hits that have crossed', () => {
  it('are what they were, whatever of them is included', () => {
    const given = fc.record({ hits: fc.array(hit), include, explain: fc.boolean() });
    fc.assert(
      fc.property(given, ({ hits, include, explain }) => {
        const parts = new Set<Include>(include ?? ['metadata']);
        const made = hits.map(
          ({ id, score, distance, metadata, vector, text }): Hit => ({
            id,
            score,
            ...(distance !== undefined && { distance }),
            metadata: parts.has('metadata') ? (metadata as Hit['metadata']) : {},
            ...(parts.has('vector') && { vector: vector ?? new Float32Array() }),
            ...(parts.has('text') && text !== undefined && { text }),
            ...(parts.has('highlights') && { highlights: [] }),
          }),
        );
        if (explain) Object.assign(made, { plan: { strategy: 'scan' } });
        const packed = packHits(made, { ...(include && { include }), explain });
        expect(unpackHits(structuredClone(packed))).toEqual(structuredClone(made));
      }),
    );
  });

  it('are ten objects less where they are ids, scores and distances', () => {
    const hits = Array.from({ length: 10 }, (_, at) => ({
      id: `${at}`,
      score: at,
      distance: -at,
      metadata: {},
    }));
    expect(packHits(hits, { include: [] })).toMatchObject({ ids: '0123456789' });
    expect(packHits(hits, {})).toHaveProperty('metadata.length', 10);
    expect(packHits(hits, { include: ['vector'] })).toBe(hits);
  });
});
