/** A few documents, and questions that share hardly a word with the passages that answer them. */
import type { DocumentInput } from '../../src/rag/document-types.ts';

export const NOTES: DocumentInput[] = [
  {
    id: 'garden',
    metadata: { year: 2019 },
    text: `# The garden

## Roses

The roses must be pruned in early spring, before the buds open. Cut above a bud that faces outwards, and burn what is sick.

## Watering

In a dry summer the tomatoes need ten litres a day. Water them in the evening, at the roots, never on the leaves.`,
  },
  {
    id: 'boat',
    metadata: { year: 2021 },
    text: `# The boat

## Engine

If the motor does not start, see whether there is petrol, and then whether the spark plug is wet.

## Storms

When the wind rises above seven, take down the sails, put on a life jacket, and stay away from the coast.`,
  },
];

export const QUESTIONS = [
  {
    question: 'How much should vegetables drink in hot weather?',
    document: 'garden',
    headings: ['The garden', 'Watering'],
  },
  { question: 'What to do on the sea in a gale?', document: 'boat', headings: ['The boat', 'Storms'] },
  { question: 'The machine will not run', document: 'boat', headings: ['The boat', 'Engine'] },
];

/** Each section is a chunk. */
export const SPLIT = { size: 200, overlap: 0 };
