import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { rootFolder } from './consumer-folder.ts';

const COMMAND_TIMEOUT_MS = 120_000;

/** A program that this repository's development dependencies bring. */
export function tool(name: string): string {
  return join(rootFolder, 'node_modules', '.bin', name);
}

/** Runs a program to its end. @throws with all that it printed when it fails */
export async function runCommand(program: string, args: readonly string[], cwd: string): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)(program, args, { cwd, timeout: COMMAND_TIMEOUT_MS });
    return stdout;
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
    throw new Error([`${program} ${args.join(' ')} failed`, stdout, stderr].join('\n'), { cause: error });
  }
}

/** Runs a script of the consumer's that must print OK at its end. */
export async function expectOk(program: string, args: readonly string[], cwd: string): Promise<void> {
  const printed = await runCommand(program, args, cwd);
  if (!printed.trimEnd().endsWith('OK')) throw new Error(`${program} ${args.join(' ')} printed ${printed}`);
}
