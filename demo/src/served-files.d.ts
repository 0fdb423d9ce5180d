/// <reference types="vite/client" />

/** Made by demo/build/served-files.ts. Paths are relative to the page and end in a slash. */
declare module 'virtual:served-files' {
  export const modelFolder: string;
  export const corpusFolder: string;
}
