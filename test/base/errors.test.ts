import { describe, expect, it } from 'vitest';
import { errorFromImage, errorToImage, IsovecError } from '../../src/base/errors.ts';

describe('errors across a thread', () => {
  it('keep class, code, message, details and causes', () => {
    const error = new IsovecError('STORAGE_IO', 'no', {
      details: { file: 'f', offset: 7 },
      cause: new IsovecError('QUOTA_EXCEEDED', 'full', { cause: new TypeError('deep') }),
    });
    const arrived = errorFromImage(structuredClone(errorToImage(error))) as IsovecError;
    expect(arrived).toBeInstanceOf(IsovecError);
    expect(arrived).toMatchObject({
      name: 'IsovecError',
      code: 'STORAGE_IO',
      message: 'no',
      details: { file: 'f', offset: 7 },
    });
    expect(arrived.stack).toBe(error.stack);
    expect(arrived.cause).toBeInstanceOf(IsovecError);
    expect(arrived.cause).toMatchObject({ code: 'QUOTA_EXCEEDED' });
    expect((arrived.cause as Error).cause).toMatchObject({ name: 'TypeError', message: 'deep' });
  });

  it('survive a cycle of causes and what is no error', () => {
    const error = new Error('round');
    error.cause = error;
    expect(errorFromImage(errorToImage(error)).message).toBe('round');
    expect(errorFromImage(errorToImage('plain'))).toMatchObject({ message: 'plain' });
  });
});
