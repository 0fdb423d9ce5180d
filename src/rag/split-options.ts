import { aFunction, anInteger, type Checks, checkFields, oneOf, optional, unchecked } from './check.ts';
import { estimateTokens } from './estimate-tokens.ts';

export interface SplitOptions {
  /** Of a chunk at most, in `unit`, its overlap included. 2 to 1,000,000. Default 1000. */
  size?: number;
  /**
   * How much of its end a chunk repeats at the beginning of the next one, at most, in `unit`: whole sentences or lines
   * that fit, else whole words; nothing where a section begins, and no torn item of a list or row of a table. 0 to half of `size`. Default a tenth of `size`.
   */
  overlap?: number;
  /** Default 'characters': UTF-16 units, as in `text.length`. */
  unit?: 'characters' | 'tokens';
  /** What counts tokens. Default `estimateTokens`. */
  countTokens?: (text: string) => number;
  /** What the text is. Default 'markdown', as which prose may be split too. */
  format?: 'markdown' | 'code' | 'text';
}

export type ResolvedSplitOptions = Required<SplitOptions>;

const SIZE_DEFAULT = 1000;
/** Two UTF-16 units: a character outside the Basic Multilingual Plane. */
const SIZE_MIN = 2;
const SIZE_MAX = 1_000_000;
const OVERLAP_SHARE_DEFAULT = 0.1;

const OPTIONS: Checks<SplitOptions> = {
  size: optional(anInteger(SIZE_MIN, SIZE_MAX)),
  // Its bounds are the size's.
  overlap: unchecked,
  unit: optional(oneOf(['characters', 'tokens'])),
  countTokens: optional(aFunction),
  format: optional(oneOf(['markdown', 'code', 'text'])),
};

/** @throws IsovecError INVALID_ARGUMENT */
export function resolveSplitOptions(options: SplitOptions): ResolvedSplitOptions {
  checkFields(options, 'options', OPTIONS);
  const { size = SIZE_DEFAULT, unit = 'characters', format = 'markdown' } = options;
  const { overlap = Math.floor(size * OVERLAP_SHARE_DEFAULT), countTokens = estimateTokens } = options;
  anInteger(0, Math.floor(size / 2))(overlap, 'overlap');
  return { size, overlap, unit, countTokens, format };
}
