/** Compiles the C++ driver, where there is a compiler. */
import { execFileSync, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { peerFile } from '../engines/peer.ts';
import { benchFolder, dataFolder } from '../folders.ts';

const COMPILERS = ['g++', 'clang++'];
/** For exactly this processor: on x86-64 with AVX-512 hnswlib uses it. */
const FLAGS = ['-O3', '-march=native', '-std=c++17', '-DNDEBUG', '-w'];

export interface NativeProgram {
  file: string;
  /** By what it was made. */
  compiler: string;
}

/** @returns undefined where there is no compiler */
export function compileHnswlib(): NativeProgram | undefined {
  const compiler = COMPILERS.find((name) => spawnSync(name, ['--version']).status === 0);
  if (compiler === undefined) return undefined;
  const file = join(dataFolder, 'hnswlib-native');
  const source = join(benchFolder, 'native', 'hnswlib.cpp');
  const headers = peerFile('hnswlib-node/src');
  execFileSync(compiler, [...FLAGS, '-I', headers, source, '-o', file], { stdio: 'inherit' });
  const [version = ''] = execFileSync(compiler, ['--version'], { encoding: 'utf8' }).split('\n');
  return { file, compiler: `${version} ${FLAGS.slice(0, 2).join(' ')}` };
}
