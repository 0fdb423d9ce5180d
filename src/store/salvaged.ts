import type { IntegrityProblem } from '../base/api.ts';
import type { ArchivedFile } from '../journal/archive.ts';

/** What opening with recovery 'salvage' found: nothing is written until repair has dealt with it. */
export interface Salvaged {
  problems: IntegrityProblem[];
  /** Ids of records that were there and could not be read, by the collection's name. */
  lost: Map<string, Set<string>>;
  /** Numbers of the collections of which a file is damaged. */
  damaged: Set<number>;
  /** What the archive should name, where it is damaged. */
  archive?: ArchivedFile[];
}
