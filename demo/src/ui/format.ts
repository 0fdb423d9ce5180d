/** Numbers as the visitor reads them. */

const WHOLE = new Intl.NumberFormat('en');
const TENTHS = new Intl.NumberFormat('en', { minimumFractionDigits: 1, maximumFractionDigits: 1 });

export const formatCount = (count: number): string => WHOLE.format(count);

export function formatPlural(count: number, one: string, many = `${one}s`): string {
  return `${WHOLE.format(count)} ${count === 1 ? one : many}`;
}

export function formatBytes(bytes: number): string {
  return bytes < 1e6 ? `${WHOLE.format(Math.ceil(bytes / 1e3))} kB` : `${TENTHS.format(bytes / 1e6)} MB`;
}

export const formatMilliseconds = (milliseconds: number): string => `${TENTHS.format(milliseconds)} ms`;

export function formatDuration(seconds: number): string {
  return seconds < 90 ? `${Math.max(1, Math.round(seconds))} s` : `${Math.round(seconds / 60)} min`;
}
