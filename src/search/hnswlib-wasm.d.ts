/** The part of hnswlib-wasm 0.8.2 that is used here. Its own declarations do not cover this file of it. */
declare module 'hnswlib-wasm/dist/hnswlib-317962d7.js' {
  /** Emscripten's factory: each call starts an instance with a memory of its own. */
  export default function start(options: {
    print(text: string): void;
    printErr(text: string): void;
  }): Promise<HnswlibLibrary>;

  export interface HnswlibLibrary {
    HierarchicalNSW: new (space: 'ip' | 'l2', dimensions: number, autoSaveFile: string) => HierarchicalNSW;
    /** The instance's memory, as it is now. */
    HEAPU8: Uint8Array;
    /** Of what a method has thrown: a WebAssembly.Exception. */
    getExceptionMessage(exception: unknown): [type: string, message: string];
  }

  export interface HierarchicalNSW {
    initIndex(elementsMax: number, m: number, efConstruction: number, randomSeed: number): void;
    resizeIndex(elementsMax: number): void;
    /** Adds an element, or gives one that is there another point. There must be room for one more, even then. */
    addPoint(point: Float32Array, label: number, replaceDeleted: boolean): void;
    markDelete(label: number): void;
    unmarkDelete(label: number): void;
    setEfSearch(ef: number): void;
    searchKnn(query: Float32Array, count: number, filter: undefined): { neighbors: number[] };
    /** Frees it: nothing else does. */
    delete(): void;
  }
}
