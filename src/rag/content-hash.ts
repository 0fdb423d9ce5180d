import type { Metadata } from '../base/api.ts';
import { estimateTokens } from './estimate-tokens.ts';
import type { ResolvedSplitOptions } from './split-options.ts';

/**
 * SHA-256, in hexadecimal, of all that decides what is stored of a document, but for the model, to which its collection is
 * bound. A tokenizer of the caller's is told from the estimate only: functions have no content.
 */
export async function contentHash(
  text: string,
  metadata: Metadata,
  { countTokens, ...split }: ResolvedSplitOptions,
): Promise<string> {
  const content = JSON.stringify([text, metadata, split, countTokens === estimateTokens]);
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(content));
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
