/** The part of @huggingface/transformers, an optional peer dependency, that is used here. */
declare module '@huggingface/transformers' {
  export function pipeline(
    task: 'feature-extraction',
    model: string,
    options?: Record<string, unknown>,
  ): Promise<
    (
      texts: string[],
      options: { pooling: 'mean' | 'cls' | 'last_token'; normalize: boolean },
    ) => Promise<{ data: ArrayLike<unknown>; dims: number[] }>
  >;
}
