/** What the demo uses of the package; its own declarations need tfjs packages that it does not install. */
declare module '@energetic-ai/core' {
  export interface GraphModel {
    dispose(): void;
  }
  export function loadGraphModel(url: string): Promise<GraphModel>;
  /** @param folder where the .wasm files are, ending in a slash */
  export function setWasmPaths(folder: string): void;
  export function setBackend(name: 'wasm'): Promise<boolean>;
}
