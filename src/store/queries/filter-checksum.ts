import { crc32c } from '../../base/crc32c.ts';
import { encodeUtf8 } from '../../base/utf8.ts';
import type { Condition } from '../../filter/condition.ts';
import type { Slices } from '../slices.ts';

/** Of a list, taken in at a time: 0.2 ms. */
const VALUES_AT_ONCE = 1024;

/**
 * Tells filters apart that say too much to be put in order: the same for one that says the same in the same order.
 * Others have turns meanwhile.
 */
export async function filterChecksum(condition: Condition, slices: Slices): Promise<number> {
  let checksum = 0;
  for (const piece of piecesOf(condition)) {
    checksum = crc32c(encodeUtf8(piece), checksum);
    if (slices.isOver) await slices.rest();
  }
  return checksum;
}

function* piecesOf(condition: Condition): Generator<string, void, void> {
  yield condition.kind;
  if (condition.kind === 'not') yield* piecesOf(condition.part);
  else if (condition.kind !== 'field') {
    for (const part of condition.parts) yield* piecesOf(part);
    yield ')';
  } else if (condition.test.kind !== 'in') yield JSON.stringify(condition);
  else {
    const { values } = condition.test;
    yield JSON.stringify([condition.path, values.length]);
    for (let start = 0; start < values.length; start += VALUES_AT_ONCE)
      yield JSON.stringify(values.slice(start, start + VALUES_AT_ONCE));
  }
}
