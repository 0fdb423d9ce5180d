/** isovec/rag: from texts to vectors and back. The same in browsers, Node, Deno and Bun. */
export type {
  AddOptions,
  AddResult,
  DocumentInfo,
  DocumentInput,
  DocumentsOptions,
  PassageHit,
  PassagesConfig,
  SearchOptions,
} from './document-types.ts';
export { type DocumentIndex, openDocuments } from './documents.ts';
export type { Embedder, EmbedOptions, EmbedPurpose, TextPrefixes } from './embedder.ts';
export { estimateTokens } from './estimate-tokens.ts';
export { type OpenAIOptions, openAIEmbedder } from './openai-embedder.ts';
export { type ReembedOptions, type ReembedProgress, type ReembedResult, reembed } from './reembed.ts';
export { type ReembedDocumentsOptions, reembedDocuments } from './reembed-documents.ts';
export {
  type Context,
  type ContextOptions,
  type ContextPassage,
  renderContext,
} from './render-context.ts';
export type { SplitOptions } from './split-options.ts';
export { splitText, type TextChunk } from './split-text.ts';
export {
  type FeatureExtraction,
  type Pooling,
  type TransformersModule,
  type TransformersOptions,
  transformersEmbedder,
} from './transformers-embedder.ts';
export {
  loadUniversalSentenceEncoder,
  type UniversalSentenceEncoderModel,
  universalSentenceEncoder,
} from './universal-sentence-encoder.ts';
