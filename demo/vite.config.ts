import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';
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
    alias: { isovec: here('../dist/index.js') },
  },
  plugins: [servedFiles(), contentSecurityPolicy(), precache()],
  worker: { format: 'es' },
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
