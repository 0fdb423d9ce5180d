/** What of a record's metadata decides whether a condition on one field holds. */
import type { Metadata } from '../base/api.ts';
import { compileField, type ValueTest } from '../filter/compile.ts';
import type { Scalar } from '../filter/condition.ts';

/** undefined: the field is missing. */
export type FieldImage = undefined | Scalar | Composite;

/** Anything but one value: an array, an object, or what a path through an array of objects leads to. */
export class Composite {
  /** Values that the path leads to, without what no test asks for: what objects hold, arrays in arrays, repetitions. */
  readonly leaves: readonly unknown[];
  /** The same for composites that pass the same tests. */
  readonly key: string;

  constructor(leaves: readonly unknown[]) {
    this.leaves = leaves;
    this.key = JSON.stringify(leaves.map((leaf) => (leaf === undefined ? [] : [leaf])));
  }

  static fromKey(key: string): Composite {
    return new Composite((JSON.parse(key) as unknown[][]).map(([leaf]) => leaf));
  }
}

/** @returns what tests of the field see, of any metadata */
export function imager(path: string): (metadata: Metadata) => FieldImage {
  let leaves: unknown[] = [];
  const visit = compileField(path, (value) => {
    leaves.push(value);
    return false;
  });
  return (metadata) => {
    leaves = [];
    visit(metadata);
    const [first] = leaves;
    if (leaves.length === 1 && !isObject(first)) return first as undefined | Scalar;
    return new Composite(leaves.map(reduced));
  };
}

export function imagePasses(image: FieldImage, test: ValueTest): boolean {
  return image instanceof Composite ? image.leaves.some(test) : test(image);
}

function reduced(leaf: unknown): unknown {
  if (Array.isArray(leaf)) return [...new Set(leaf.filter((element) => !isObject(element)))];
  return isObject(leaf) ? {} : leaf;
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null;
}
