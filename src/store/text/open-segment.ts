import { checkDataHeader, DATA_HEADER_BYTES } from '../../tables/data-header.ts';
import { Segment } from '../../text/segment.ts';
import type { CollectionFiles } from '../collection-files.ts';
import type { StoredSegment } from '../manifest-state.ts';

/** @throws IsovecError CORRUPTION, FORMAT_VERSION, NOT_FOUND */
export async function openSegment(
  files: Pick<CollectionFiles, 'other'>,
  { file: name, bytes, ...rows }: StoredSegment,
): Promise<Segment> {
  const file = await files.other(name);
  checkDataHeader(await file.read(0, DATA_HEADER_BYTES), 'text', name);
  const read = (offset: number, length: number) => file.read(offset, length);
  return Segment.open({ name, bytes, read }, rows);
}
