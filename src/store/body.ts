/**
 * The body of a record as it is stored. Of a record without text it is its metadata: JSON in UTF-8, which begins with a
 * brace. Of one with text:
 *
 *   0  1  TEXT_TAG, with which no JSON begins
 *   1  4  length of the metadata, in bytes
 *   5     metadata: JSON in UTF-8
 *         text in UTF-8
 */
import type { Metadata } from '../base/api.ts';
import { ByteReader, ByteWriter } from '../base/bytes.ts';
import { IsovecError } from '../base/errors.ts';

const TEXT_TAG = 1;
const HEADER_BYTES = 5;

/** @param metadata as JSON in UTF-8 @param text in UTF-8 */
export function joinBody(metadata: Uint8Array, text: Uint8Array | undefined): Uint8Array {
  if (!text) return metadata;
  const writer = new ByteWriter(HEADER_BYTES + metadata.length + text.length);
  return writer.u8(TEXT_TAG).u32(metadata.length).raw(metadata).raw(text).bytes();
}

/** @returns views; a record that has none has no text @throws IsovecError CORRUPTION */
export function splitBody(body: Uint8Array): { metadata: Uint8Array; text: Uint8Array | undefined } {
  if (body[0] !== TEXT_TAG) return { metadata: body, text: undefined };
  const reader = new ByteReader(body, 'the body of a record');
  reader.raw(1);
  const metadata = reader.raw(reader.u32());
  return { metadata, text: reader.raw(reader.remaining) };
}

const decoder = /* @__PURE__ */ new TextDecoder('utf-8', { ignoreBOM: true });

/** The text of a record, if it has one. @throws IsovecError CORRUPTION */
export function textOf(body: Uint8Array): string | undefined {
  const { text } = splitBody(body);
  return text && decoder.decode(text);
}

/** @param body as it is stored @throws IsovecError CORRUPTION */
export function decodeMetadata(body: Uint8Array): Metadata {
  return parseMetadata(decodeJson(body));
}

/** The metadata of a body, as JSON. @throws IsovecError CORRUPTION */
export function decodeJson(body: Uint8Array): string {
  return decoder.decode(splitBody(body).metadata);
}

/** @throws IsovecError CORRUPTION */
export function parseMetadata(json: string): Metadata {
  try {
    return JSON.parse(json) as Metadata;
  } catch (cause) {
    throw new IsovecError('CORRUPTION', 'the metadata of a record is not JSON', { cause });
  }
}
