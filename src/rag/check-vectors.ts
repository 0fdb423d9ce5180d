import { invalid } from '../base/check.ts';
import { IsovecError } from '../base/errors.ts';
import type { Embedder, EmbedOptions } from './embedder.ts';

/**
 * As `embedder.embed`.
 * @throws IsovecError INVALID_ARGUMENT, DIMENSION_MISMATCH when it breaks its word; what it throws itself
 */
export async function embedChecked(
  embedder: Embedder,
  texts: string[],
  options: EmbedOptions,
): Promise<Float32Array[]> {
  if (texts.length === 0) return [];
  const vectors: unknown = await embedder.embed(texts, options);
  if (!areVectors(vectors)) throw invalid('embedder.embed', 'a function that gives vectors', vectors);
  checkVectors(vectors, texts.length, embedder.dimensions, embedder.fingerprint);
  return vectors;
}

function areVectors(value: unknown): value is Float32Array[] {
  return Array.isArray(value) && value.every((each) => Array.isArray(each) || ArrayBuffer.isView(each));
}

/** @throws IsovecError DIMENSION_MISMATCH */
export function checkVectors(
  vectors: readonly ArrayLike<number>[],
  count: number,
  dimensions: number,
  source: string,
): void {
  if (vectors.length !== count)
    throw new IsovecError(
      'DIMENSION_MISMATCH',
      `${source} gave ${vectors.length} vectors for ${count} texts`,
      {
        details: { vectors: vectors.length, texts: count },
      },
    );
  const index = vectors.findIndex((vector) => vector.length !== dimensions);
  if (index >= 0)
    throw new IsovecError(
      'DIMENSION_MISMATCH',
      `${source} gave a vector of ${vectors[index]!.length} dimensions for text ${index}, not of ${dimensions}`,
      { details: { index, expected: dimensions, got: vectors[index]!.length } },
    );
}
