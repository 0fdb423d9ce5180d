/** What runs in a browser's worker that helps to build or open a graph. */
import { type HelperTask, help } from '../search/build-threads.ts';

addEventListener('message', ({ data }: MessageEvent<HelperTask>) => {
  help(data);
  postMessage('ended');
  close();
});
