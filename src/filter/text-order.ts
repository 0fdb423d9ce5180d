/** Strings in the order of their code points, as MongoDB (and UTF-8) has them. JavaScript's order is that of UTF-16 units. */

/** Units from here on may come before a unit that is less: those of surrogates, which stand for greater code points. */
const HIGH_UNIT = /[\uD800-\uFFFF]/;
const SURROGATE_FIRST = 0xd800;
const SURROGATE_LAST = 0xdfff;

/** @returns compares a string to `bound`: below 0 if it comes before it, above 0 if after */
export function compareText(bound: string): (text: string) => number {
  // The first units that differ decide; if one is low, the units' order is right.
  if (!HIGH_UNIT.test(bound)) return (text) => (text < bound ? -1 : Number(text > bound));
  return (text) => {
    const length = Math.min(text.length, bound.length);
    for (let at = 0; at < length; at++) {
      const difference = rankOf(text.charCodeAt(at)) - rankOf(bound.charCodeAt(at));
      if (difference !== 0) return difference;
    }
    return text.length - bound.length;
  };
}

function rankOf(unit: number): number {
  return unit >= SURROGATE_FIRST && unit <= SURROGATE_LAST ? unit + 0x10000 : unit;
}
