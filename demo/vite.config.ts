import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';
import { noNodeModules } from './build/no-node-modules.ts';
import { precache, SERVICE_WORKER } from './build/precache.ts';
import { CONTENT_SECURITY_POLICY, contentSecurityPolicy } from './build/security.ts';
import { servedFiles } from './build/served-files.ts';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  // A file that is not there is an error, not the start page.
  appType: 'mpa',
  // Relative, so that the built folder works under any path.
  base: './',
  resolve: {
    // The package's own name, as a user would import it; Vite looks for it in node_modules only.
    alias: { 'isovec/rag': here('../dist/rag/index.js'), isovec: here('../dist/index.js') },
  },
  plugins: [servedFiles(), contentSecurityPolicy(), precache()],
  // The model's runtime looks for Node's modules before it finds that it is in a browser.
  worker: { format: 'es', plugins: () => [noNodeModules('@energetic-ai/core')] },
  build: {
    target: 'es2022',
    // Inlined assets would be data: URLs, which the policy forbids.
    assetsInlineLimit: 0,
    rollupOptions: {
      input: {
        index: here('index.html'),
        stress: here('stress.html'),
        'service-worker': here('service-worker.ts'),
      },
      output: {
        entryFileNames: ({ name }) =>
          name === 'service-worker' ? SERVICE_WORKER : 'assets/[name]-[hash].js',
      },
    },
  },
  preview: { headers: { 'Content-Security-Policy': CONTENT_SECURITY_POLICY } },
});
