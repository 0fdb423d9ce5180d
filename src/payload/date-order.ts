/**
 * Texts of three forms as numbers that are in the same order: a moment ('2026-11-21T13:00:00.000Z', as a Date is
 * stored), a second ('2026-11-21T13:00:00Z') and a day ('2026-11-21'). As text, a second comes behind its last
 * millisecond, and a day before its first.
 */

import { compareText } from '../filter/text-order.ts';
import type { Interval } from './intervals.ts';

const MOMENT_LENGTH = 24;
const SECOND_LENGTH = 20;
const DAY_LENGTH = 10;
/** Behind .999 and before the next second. */
const SECOND_OFFSET = 999.5;
/** Behind the last second of the day before, which is half a millisecond from midnight. */
const DAY_OFFSET = -0.25;
const DAY_MS = 86_400_000;
const SECOND_MS = 1000;
/** The years 0 to 9999. */
const FIRST_MS = -62_167_219_200_000;
const LAST_MS = 253_402_300_799_999;

/** @returns undefined for text of another form */
export function orderOfDate(value: unknown): number | undefined {
  if (typeof value !== 'string') return undefined;
  switch (value.length) {
    case MOMENT_LENGTH:
      return momentOf(value);
    case SECOND_LENGTH:
      return value.endsWith('Z') ? momentOf(`${value.slice(0, -1)}.000Z`, SECOND_OFFSET) : undefined;
    case DAY_LENGTH:
      return momentOf(`${value}T00:00:00.000Z`, DAY_OFFSET);
    default:
      return undefined;
  }
}

function momentOf(text: string, offset = 0): number | undefined {
  const ms = Date.parse(text);
  return ms >= FIRST_MS && ms <= LAST_MS && new Date(ms).toISOString() === text ? ms + offset : undefined;
}

/** Numbers of the texts that are not before `bound`, or, if it is left out itself, behind it. */
export function datesFrom(bound: string, isIncluded: boolean): Interval {
  const compare = compareText(bound);
  return from((text) => compare(text) > 0 || (isIncluded && compare(text) === 0));
}

export function datesBefore(bound: string, isIncluded: boolean): Interval {
  return { first: Number.NEGATIVE_INFINITY, end: datesFrom(bound, !isIncluded).first };
}

export function datesWithPrefix(prefix: string): Interval {
  const compare = compareText(prefix);
  const { first } = datesFrom(prefix, true);
  return { first, end: from((text) => compare(text) > 0 && !text.startsWith(prefix)).first };
}

/** @param isIn of a text: false, and from some text on true */
function from(isIn: (text: string) => boolean): Interval {
  const isMomentIn = (ms: number) => isIn(new Date(ms).toISOString());
  let low = FIRST_MS;
  let high = LAST_MS + 1;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (isMomentIn(middle)) high = middle;
    else low = middle + 1;
  }
  return { first: earlier(low, isIn), end: Number.POSITIVE_INFINITY };
}

/** Between two moments there may be a second and a day. */
function earlier(ms: number, isIn: (text: string) => boolean): number {
  const isSecond = (ms - FIRST_MS) % SECOND_MS === 0 && ms > FIRST_MS;
  const isDay = (ms - FIRST_MS) % DAY_MS === 0 && ms <= LAST_MS;
  const second = isSecond ? `${new Date(ms - SECOND_MS).toISOString().slice(0, 19)}Z` : undefined;
  if (second !== undefined && isIn(second)) return ms - SECOND_MS + SECOND_OFFSET;
  const day = isDay ? new Date(ms).toISOString().slice(0, DAY_LENGTH) : undefined;
  return day !== undefined && isIn(day) ? ms + DAY_OFFSET : ms;
}
