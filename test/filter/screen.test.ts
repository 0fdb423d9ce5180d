import { describe, expect, it } from 'vitest';
import { compileFilter } from '../../src/filter/filter.ts';

describe('the screen of a filter', () => {
  const metadata = { city: 'Rome', size: 5, tags: ['a "b"', 'ü\n'], at: new Date(0), nested: { deep: true } };
  const json = JSON.stringify(metadata);
  const mayMatch = (filter: object) => compileFilter(filter, 'filter').mayMatch(json);

  it.each([
    { city: 'Oslo' },
    { town: { $gt: 1 } },
    { size: { $in: [66, 77] } },
    { $or: [{ city: 'Oslo' }, { size: 77 }] },
    { city: 'Rome', size: 77 },
    { tags: 'a "c"' },
    { 'nested.shallow': { $exists: true } },
    { $or: [{ city: { $in: [] } }] },
  ])('rules out what cannot match: %j', (filter) => {
    expect(mayMatch(filter)).toBe(false);
  });

  it.each([
    {},
    { city: 'Rome' },
    { tags: 'a "b"' },
    { tags: 'ü\n' },
    { at: new Date(0) },
    { city: { $ne: 'Oslo' } },
    { $nor: [{ city: 'Oslo' }] },
    { town: null },
    { town: { $in: ['Oslo', null] } },
    { 'tags.0': { $exists: true } },
    { city: { $in: Array.from({ length: 100 }, (_, index) => `city ${index}`) } },
    { $or: [{ city: 'Oslo' }, { town: { $exists: false } }] },
  ])('lets through what may match, or is too much to look for: %j', (filter) => {
    expect(mayMatch(filter)).toBe(true);
  });
});
