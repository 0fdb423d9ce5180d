/** Where a text may be cut without tearing a character as its reader sees it. Offsets are in UTF-16 units. */

/** How far around an offset is looked at. A cluster that is longer may be torn. */
const CLUSTER_REACH = 512;

let graphemes: Intl.Segmenter | undefined;

/** As `\s` in a regular expression. */
export function isSpaceAt(text: string, at: number): boolean {
  const unit = text.charCodeAt(at);
  if (unit <= 0x20) return unit === 0x20 || (unit >= 0x09 && unit <= 0x0d);
  if (unit < 0x1680) return unit === 0xa0;
  if (unit >= 0x2000 && unit <= 0x205f)
    return unit <= 0x200a || unit === 0x2028 || unit === 0x2029 || unit === 0x202f || unit === 0x205f;
  return unit === 0x1680 || unit === 0x3000 || unit === 0xfeff;
}

/** Of the grapheme cluster that the unit at `at` belongs to. `at` itself where one begins there, or at the text's end. */
export function clusterStart(text: string, at: number): number {
  if (at <= 0 || at >= text.length || isPlain(text, at)) return at;
  const lowest = Math.max(0, at - CLUSTER_REACH);
  let from = at - 1;
  while (from > lowest && !isPlain(text, from)) from--;
  from = codePointStart(text, from);
  graphemes ??= new Intl.Segmenter(undefined, { granularity: 'grapheme' });
  const { index } = graphemes.segment(text.slice(from, at + 2)).containing(at - from)!;
  const isTooLong = index === 0 && from > 0 && from <= lowest;
  return isTooLong ? codePointStart(text, at) : from + index;
}

export function isClusterStart(text: string, at: number): boolean {
  return clusterStart(text, at) === at;
}

/** `at`, or one before where that would tear a surrogate pair. */
export function codePointStart(text: string, at: number): number {
  const tears = isLow(text.charCodeAt(at)) && isHigh(text.charCodeAt(at - 1));
  return tears ? at - 1 : at;
}

/** Two characters that nothing joins, but for CR LF. */
function isPlain(text: string, at: number): boolean {
  const unit = text.charCodeAt(at);
  const before = text.charCodeAt(at - 1);
  return joinsNothing(unit) && joinsNothing(before) && !(before === 0x0d && unit === 0x0a);
}

/** Before the combining marks (Latin, mostly), or a CJK ideograph: a cluster of its own unless something else joins it. */
function joinsNothing(unit: number): boolean {
  return unit < 0x300 || (unit >= 0x4e00 && unit <= 0x9fff);
}

const isHigh = (unit: number): boolean => unit >= 0xd800 && unit <= 0xdbff;
const isLow = (unit: number): boolean => unit >= 0xdc00 && unit <= 0xdfff;
