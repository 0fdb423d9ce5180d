/** What runs in a browser's worker that helps to build a graph. */
import { type HelperStart, help } from '../search/build-threads.ts';

addEventListener('message', ({ data }: MessageEvent<HelperStart>) => {
  help(data);
  postMessage('ended');
  close();
});
