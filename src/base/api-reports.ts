/** The public contract: what maintenance reports. */

export interface IntegrityReport {
  ok: boolean;
  filesChecked: number;
  bytesChecked: number;
  problems: IntegrityProblem[];
}
export interface IntegrityProblem {
  file: string;
  offset?: number;
  kind: 'checksum' | 'missing' | 'format' | 'reference';
  message: string;
  ids?: string[];
}
export interface RepairReport {
  repaired: IntegrityProblem[];
  recordsRecovered: number;
  recordsLost: { collection: string; ids: string[] }[];
}
export interface CompactResult {
  bytesBefore: number;
  bytesAfter: number;
  recordsDropped: number;
}
