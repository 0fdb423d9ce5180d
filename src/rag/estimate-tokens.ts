const BYTES_PER_TOKEN = 3;

/**
 * How many tokens a text has, roughly: a third of its UTF-8 bytes. That is more than what models' tokenizers count of most
 * texts, so that what fits by it fits in truth: see docs/rag.md for what was measured.
 */
export function estimateTokens(text: string): number {
  let bytes = 0;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    // Each half of a surrogate pair counts for two of its four bytes.
    bytes += unit < 0x80 ? 1 : unit < 0x800 || (unit >= 0xd800 && unit <= 0xdfff) ? 2 : 3;
  }
  return Math.ceil(bytes / BYTES_PER_TOKEN);
}
