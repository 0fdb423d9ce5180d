import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { systemErrorCode } from './fs-errors.ts';

/**
 * Who holds a file lock, and whether they still live.
 *
 * Linux tells exactly, in /proc: a holder that lives keeps its lock however busy, stopped or asleep it is, and one that
 * is dead is known to be at once. Elsewhere only whether a process of that number lives can be asked; where not even
 * that is allowed (Deno without permissions), and for holders on other machines, time must tell.
 */
export interface Owner {
  /** Where the numbers below mean something: one boot of one machine, and one space of process numbers on it. */
  place: string;
  processId: number;
  /** When the process began, in the kernel's own ticks; 0 where it does not say. Tells a process from a later one of its number. */
  processStart: number;
  /** 0 where it cannot be known. */
  threadId: number;
  threadStart: number;
}

/** How long a lock that nobody renews must be watched before its holder counts as dead, when nothing better is known. */
export const STALE_MS = 5000;

/** A terminated worker's last operations may still be under way in threads that its process shares. */
const THREAD_ENDED_MS = 500;

const SEPARATOR = '~';
const NOWHERE = 'nowhere';

/** The same for all that a thread locks. */
let self: Owner | undefined;

/** This thread. */
export function currentOwner(): Owner {
  self ??= linuxOwner() ?? {
    place: hostPlace(),
    processId: process.pid,
    processStart: 0,
    threadId: 0,
    threadStart: 0,
  };
  return self;
}

/** As a part of a file's name. */
export function encodeOwner(owner: Owner): string {
  return [owner.place, owner.processId, owner.processStart, owner.threadId, owner.threadStart].join(
    SEPARATOR,
  );
}

export function decodeOwner(encoded: string): Owner | undefined {
  const [place = '', ...rest] = encoded.split(SEPARATOR);
  const numbers = rest.map(Number);
  if (numbers.length !== 4 || !numbers.every(Number.isSafeInteger)) return undefined;
  const [processId, processStart, threadId, threadStart] = numbers as [number, number, number, number];
  return { place, processId, processStart, threadId, threadStart };
}

/**
 * For how long the lock of this holder must be seen unrenewed before it may be taken over: 0 when it is known to be dead,
 * Infinity when it is known to live.
 */
export function patienceMs(owner: Owner | undefined): number {
  const here = currentOwner();
  if (!owner || owner.place !== here.place || here.place === NOWHERE) return STALE_MS;
  if (here.threadId !== 0) return linuxPatienceMs(owner);
  try {
    process.kill(owner.processId, 0);
    return STALE_MS; // of that number: it may be another, or have lost the thread that held the lock
  } catch (thrown) {
    return systemErrorCode(thrown) === 'ESRCH' ? 0 : STALE_MS;
  }
}

function hostPlace(): string {
  try {
    // Names of hosts are as a rule unique among those that share a folder; a Linux machine's may be in its containers, too.
    return process.platform === 'linux' ? NOWHERE : hostname().replaceAll(/[^\w.-]/g, '-') || NOWHERE;
  } catch {
    return NOWHERE; // Deno asks for a permission
  }
}

function linuxOwner(): Owner | undefined {
  if (process.platform !== 'linux') return undefined;
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    const processNumbers = readlinkSync('/proc/self/ns/pid').replaceAll(/\D/g, '');
    // Answers for the thread that asks, hence no asynchronous call.
    const [processId, , threadId] = readlinkSync('/proc/thread-self').split('/').map(Number);
    const its = lifeOf(`/proc/${processId}`);
    const thread = lifeOf(`/proc/${processId}/task/${threadId}`);
    if (processId !== process.pid || !threadId || !its || !thread) return undefined;
    const place = `${boot}.${processNumbers}`;
    return { place, processId, processStart: its.start, threadId, threadStart: thread.start };
  } catch {
    return undefined; // no /proc, or Deno without --allow-all
  }
}

function linuxPatienceMs(owner: Owner): number {
  const folder = `/proc/${owner.processId}`;
  const thread = lifeOf(`${folder}/task/${owner.threadId}`);
  if (thread?.isAlive && thread.start === owner.threadStart) return Number.POSITIVE_INFINITY;
  return lifeOf(folder)?.start === owner.processStart && hasLiveThreads(folder) ? THREAD_ENDED_MS : 0;
}

/** A process that was killed is there until its last thread is: one of them may still be writing. */
function hasLiveThreads(folder: string): boolean {
  try {
    return readdirSync(`${folder}/task`).some((thread) => lifeOf(`${folder}/task/${thread}`)?.isAlive);
  } catch {
    return false;
  }
}

interface Life {
  /** false for what has ended and is only remembered until its parent asks. */
  isAlive: boolean;
  start: number;
}

/** @returns undefined when there is none */
function lifeOf(folder: string): Life | undefined {
  let text: string;
  try {
    text = readFileSync(`${folder}/stat`, 'utf8');
  } catch {
    return undefined;
  }
  // "number (name) state ...": a name may hold anything. The start is field 22 (proc(5)).
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return { isAlive: !/[ZXx]/.test(fields[0] ?? 'X'), start: Number(fields[19]) };
}
