import type { IntegrityReport } from '../../base/api.ts';
import { setBackgroundTimer } from '../../base/background-timer.ts';
import { errorCodeOf } from '../../base/errors.ts';
import type { Events } from '../events.ts';

/** One verification after another, so many milliseconds between them; what they find is told as warnings. @returns ends it */
export function verifyRegularly(
  verify: () => Promise<IntegrityReport>,
  events: Events,
  intervalMs: number,
): () => void {
  let isEnded = false;
  let cancel = setBackgroundTimer(look, intervalMs);
  return () => {
    isEnded = true;
    cancel();
  };

  async function look(): Promise<void> {
    try {
      const { problems } = await verify();
      for (const { message } of problems) events.emit('warning', { code: 'CORRUPTION', message });
    } catch (error) {
      if (isEnded) return;
      const code = errorCodeOf(error);
      events.emit('warning', { code, message: `a verification failed: ${error}` });
    }
    if (!isEnded) cancel = setBackgroundTimer(look, intervalMs);
  }
}
