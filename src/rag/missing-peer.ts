import { IsovecError } from '../base/errors.ts';

/** For an optional peer dependency that could not be imported. */
export function missingPeer(name: string, cause: unknown): IsovecError {
  return new IsovecError('UNSUPPORTED', `${name} is a package of its own: npm install ${name}`, {
    details: { package: name },
    cause,
  });
}
