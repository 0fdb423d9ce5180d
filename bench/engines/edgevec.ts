/**
 * edgevec: HNSW in Rust compiled to WebAssembly. Under its cosine and dot metrics it does not find the true
 * neighbours, so it is given normalised vectors under l2, which rank alike. It keeps files only in IndexedDB, so
 * reopening from disk cannot be measured in Node.
 */
import { readFileSync } from 'node:fs';
import { EF_CONSTRUCTION, type Engine, type Footprint, M, TOP_K } from '../engine.ts';
import { importPeer, peerFile } from './peer.ts';

interface Config {
  m: number;
  ef_construction: number;
  ef_search: number;
  metric: string;
  readonly __wbg_ptr: number;
}

interface Index {
  insert(vector: Float32Array): number;
  search(query: Float32Array, count: number): { id: number; score: number }[];
  serializedSize(): number;
}

interface EdgeVecModule {
  default(options: { module_or_path: Uint8Array }): Promise<{ memory: WebAssembly.Memory }>;
  EdgeVecConfig: new (dimensions: number) => Config;
  EdgeVec: new (config: Config) => Index;
}

/** Its ids count from 1. */
const FIRST_ID = 1;
/** A value for `ef_search` that no other word in memory has. */
const EF_MARK = 0x00abcdef;
/** Below lies the stack of a module that Rust compiles. */
const STACK_BYTES = 1 << 20;
const CONFIG_BYTES = 64;

export class EdgeVecEngine implements Engine<Float32Array> {
  #memory: WebAssembly.Memory | undefined;
  #index: Index | undefined;
  #efAddress = 0;

  encode(vector: Float32Array): Float32Array {
    return vector;
  }

  async create(dimensions: number): Promise<void> {
    const edgevec = await importPeer<EdgeVecModule>('edgevec/edgevec.js');
    const bytes = readFileSync(peerFile('edgevec/edgevec_bg.wasm'));
    this.#memory = (await edgevec.default({ module_or_path: bytes })).memory;
    const config = new edgevec.EdgeVecConfig(dimensions);
    config.m = M;
    config.ef_construction = EF_CONSTRUCTION;
    config.ef_search = EF_MARK;
    config.metric = 'l2';
    this.#index = new edgevec.EdgeVec(config);
    this.#efAddress = findEf(this.#memory, config.__wbg_ptr);
  }

  add(firstLabel: number, vectors: Float32Array[]): void {
    for (const [offset, vector] of vectors.entries()) {
      const id = this.#index?.insert(vector);
      if (id !== firstLabel + offset + FIRST_ID)
        throw new Error(`edgevec gave id ${id} to vector ${firstLabel + offset}`);
    }
  }

  search(query: Float32Array, ef: number): number[] {
    if (this.#memory === undefined || this.#index === undefined) return [];
    new DataView(this.#memory.buffer).setUint32(this.#efAddress, ef, true);
    return this.#index.search(query, TOP_K).map((hit) => hit.id - FIRST_ID);
  }

  async footprint(): Promise<Footprint> {
    return { disk: this.#index?.serializedSize() ?? 0 };
  }

  async close(): Promise<void> {}
}

/**
 * edgevec fixes `ef_search` when an index is made, and the sweep would need one build for each value; so the field
 * is found in its memory, by the mark left there, and written before each search.
 */
function findEf(memory: WebAssembly.Memory, configAddress: number): number {
  const words = new Uint32Array(memory.buffer);
  const addresses: number[] = [];
  for (let word = STACK_BYTES / 4; word < words.length; word++) {
    const address = word * 4;
    const inConfig = address >= configAddress && address < configAddress + CONFIG_BYTES;
    if (words[word] === EF_MARK && !inConfig) addresses.push(address);
  }
  const [address, ...others] = addresses;
  if (address === undefined || others.length > 0) {
    throw new Error(`edgevec holds ef_search at ${addresses.length} places, expected 1`);
  }
  return address;
}
