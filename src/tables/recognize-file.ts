/** Whose a file is, where nothing else says so. */
import { ByteReader } from '../base/bytes.ts';
import { crc32c } from '../base/crc32c.ts';
import { FILE_HEADER_BYTES, FILE_KINDS } from '../base/file-header.ts';
import {
  DATA_FILE_KINDS,
  DATA_HEADER_BYTES,
  type DataFileIdentity,
  type DataFileKind,
  dataFileName,
} from './data-header.ts';

const DATA_FILE_NAME = /^data-(\d{1,10})-(rows|records|vectors|graph)-(\d{1,10})$/;

/** @returns undefined if this is no data file's name */
export function parseDataFileName(name: string): DataFileIdentity | undefined {
  const [, collectionId, kind, number] = DATA_FILE_NAME.exec(name) ?? [];
  if (collectionId === undefined) return undefined;
  return { collectionId: Number(collectionId), kind: kind as DataFileKind, number: Number(number) };
}

/** @returns the name of the file that this header was written for; undefined if it is damaged, or none at all */
export function nameInHeader(bytes: Uint8Array): string | undefined {
  if (bytes.length < DATA_HEADER_BYTES) return undefined;
  const reader = new ByteReader(bytes.subarray(0, DATA_HEADER_BYTES), 'header');
  reader.raw(8);
  const kindNumber = reader.u16();
  reader.raw(6);
  const collectionId = reader.u32();
  const number = reader.u32();
  if (reader.u32() !== crc32c(bytes.subarray(0, FILE_HEADER_BYTES + 8))) return undefined;
  const kind = DATA_FILE_KINDS.find((each) => FILE_KINDS[each] === kindNumber);
  return kind && dataFileName({ collectionId, kind, number });
}
