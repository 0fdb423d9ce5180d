import { expect, it } from 'vitest';
import { abortable, pause } from '../../src/base/abort.ts';

it('gives up a promise by a signal, whether it is aborted before or later', async () => {
  const never = new Promise(() => {});
  let called = 0;
  const callOff = () => called++;
  const before = abortable(never, [AbortSignal.abort()], callOff);
  await expect(before).rejects.toMatchObject({ code: 'ABORTED', details: { by: 'signal' } });
  const controller = new AbortController();
  const later = abortable(never, [controller.signal], callOff);
  controller.abort();
  await expect(later).rejects.toMatchObject({ code: 'ABORTED' });
  expect(called).toBe(2);
});

it('ends a pause early by a signal, whether it is aborted before or later', async () => {
  const controller = new AbortController();
  const pauses = [pause(2 ** 30, AbortSignal.abort()), pause(2 ** 30, controller.signal), pause(1)];
  controller.abort();
  await Promise.all(pauses);
});
